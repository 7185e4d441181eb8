import type { AuditLog } from "../audit/log.ts";
import type { Host } from "../host.ts";
import type { Cleanup } from "../storage/cleanup.ts";
import type { Paint } from "./colour.ts";
import type { Dialect } from "./dialect.ts";
import type { Invocation } from "./grammar.ts";
import type { LogComponent, LogLevel } from "./log.ts";
import type { SignalDesk } from "./signals.ts";

/** The ends of the process that a command may use; everything printed goes through here. */
export interface Terminal {
  readonly stdinIsTerminal: boolean;
  readonly stdoutIsTerminal: boolean;
  readonly stderrIsTerminal: boolean;
  /** All of standard input. */
  readInput(): Uint8Array;
  /** The next line of standard input without its end, or undefined at the end of input. Signals are heard meanwhile. */
  readLine(): Promise<string | undefined>;
  /** Writes to standard output, completely or with an error. */
  print(content: Uint8Array | string): void;
  /** Writes to standard error. */
  complain(text: string): void;
}

/** Everything one run of a command knows beside its file. */
export interface Session {
  readonly dialect: Dialect;
  readonly invocation: Invocation;
  readonly host: Host;
  readonly terminal: Terminal;
  /** Colours what goes to standard output, where that is wanted. */
  readonly paint: Paint;
  readonly cleanup: Cleanup;
  /** Who decides what a signal does. */
  readonly signals: SignalDesk;
  /** Where events are written down, if an administrator asked for it. */
  readonly audit: AuditLog | undefined;
  /** Absolute path of the working directory. */
  readonly workingDirectory: string;
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, string>>, component?: LogComponent): void;
}

/** What a command does; gives its exit status, 0 unless it has one of its own. */
export type Action = (session: Session) => number | Promise<number>;
