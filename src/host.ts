/** What a child process left behind. */
export interface ProcessResult {
  /** Exit status; 128 + number for a signal, as in shells. */
  readonly status: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** How to start a child process; never through a shell. */
export interface ProcessOptions {
  readonly input?: Uint8Array;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Largest standard output taken, in bytes; more is an error. Default 1 MiB. */
  readonly maxOutput?: number;
  /** Milliseconds after which the child is killed. */
  readonly timeout?: number;
  /** Whether standard error goes through to ours instead of into the result. */
  readonly inheritStderr?: boolean;
}

/**
 * Everything outside the program: environment, clock, randomness, files of the user, processes, prompts.
 *
 * Only `host.ts`, `storage/`, `cli/` and the SDKs touch the real ones; the rest asks its host, so that a test can bring its own.
 */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  now(): Date;
  randomBytes(size: number): Uint8Array;
  /** The whole file, or null when there is none. Other failures throw a SopsError with code ERR_READ. */
  readFile(path: string): Uint8Array | null;
  /** Whether every user of the machine can read a file. Not there where nobody wants to be told. */
  isReadableByAll?(path: string): boolean;
  /** Runs a program found on PATH (never in the working directory) to its end. Throws ERR_PROCESS if it cannot start. */
  run(command: string, args: readonly string[], options?: ProcessOptions): Promise<ProcessResult>;
  /** Asks on the controlling terminal without echo. Throws ERR_PROCESS when there is none. */
  askPassphrase(prompt: string): Promise<string>;
  /** Tells the user something that does not stop the operation. Fields are printed as key=value. */
  warn(message: string, fields?: Readonly<Record<string, string>>): void;
  /** Tells what is done, to a user who asked to be told (`--verbose`). */
  inform?(message: string, fields?: Readonly<Record<string, string>>): void;
}
