import { basename } from "node:path";
import { createCleanup, installCleanup } from "../storage/cleanup.ts";
import { painter, usesColour, type Paint } from "./colour.ts";
import { detectDialect, type Dialect } from "./dialect.ts";
import { UNKNOWN_TOPIC_STATUS } from "./exit-codes.ts";
import { parseArguments, type Invocation, type Request } from "./grammar.ts";
import { formatLogLine, isShown, type LogLevel, type LogStyle } from "./log.ts";
import { isReadableByAll, nodeHost } from "../node-host.ts";
import { reportError } from "./report.ts";
import { runCommand } from "./run.ts";
import type { Session, Terminal } from "./session.ts";
import { createSignalDesk } from "./signals.ts";
import { processTerminal } from "./terminal.ts";
import { dialectVersion, versionText } from "./version.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The program: reads the command line, does what it asks, and gives the exit status.
 *
 * @param name - file name the program was started under: `sops` makes it speak as the reference does
 */
export async function main(name: string, argv: readonly string[], env: Environment): Promise<number> {
  const dialect = detectDialect(basename(name), env);
  const cleanup = createCleanup();
  const signals = createSignalDesk((ask) => installCleanup(process, cleanup, ask));
  const terminal = processTerminal(signals);
  const style = logStyle(terminal, env, dialect);
  const paint: Paint = (tone, text) => painter(style.isColoured)(tone, text);
  // Any listener keeps SIGUSR1 from opening the inspector, through which everything in memory could be read.
  process.on("SIGUSR1", () => undefined);
  try {
    const request = parseArguments(argv, env, dialect);
    if (request.kind !== "run") return await answer(request, { env, dialect, terminal, style });
    return await runCommand(makeSession(request, { env, dialect, terminal, style, paint, cleanup, signals }));
  } catch (error) {
    const { text, status } = reportError(error, dialect, paint);
    terminal.complain(text);
    return status;
  } finally {
    cleanup.run();
  }
}

/** Asks about the terminal only once there is something to say: most runs print no message. */
function logStyle(terminal: Terminal, env: Environment, dialect: Dialect): LogStyle {
  return {
    program: dialect.namesItself ? dialect.program : undefined,
    started: new Date(),
    get isTerminal() {
      return terminal.stderrIsTerminal;
    },
    get isColoured() {
      return usesColour(terminal.stdoutIsTerminal, env);
    },
  };
}

interface Surroundings extends Pick<Session, "dialect" | "terminal" | "paint" | "cleanup" | "signals"> {
  readonly env: Environment;
  readonly style: LogStyle;
}

function makeSession(invocation: Invocation, { env, style, ...rest }: Surroundings): Session {
  const isVerbose = invocation.values.verbose === true;
  const log: Session["log"] = (level, message, fields = {}, component = "CMD") => {
    if (!isShown(level, isVerbose)) return;
    rest.terminal.complain(formatLogLine({ component, level, message, fields }, new Date(), style));
  };
  const tell = (level: LogLevel) => (message: string, fields?: Readonly<Record<string, string>>) => {
    log(level, message, fields, "SOPS");
  };
  const host = {
    ...nodeHost(env, tell("warning"), tell("info")),
    ...(rest.dialect.warnsOfReadableKeys ? { isReadableByAll } : {}),
  };
  return { ...rest, invocation, host, log, audit: undefined, workingDirectory: process.cwd() };
}

/** Help, version, completion and usage errors: no file is touched, and their code is loaded only now. */
async function answer(
  request: Exclude<Request, Invocation>,
  { env, dialect, terminal, style }: Pick<Surroundings, "env" | "dialect" | "terminal" | "style">,
): Promise<number> {
  switch (request.kind) {
    case "version":
      terminal.print(versionText(dialect, request.checksForUpdates));
      return 0;
    case "help": {
      const { helpText } = await import("./help.ts");
      terminal.print(helpText(request.topic, dialect, dialectVersion(dialect), request.isFull));
      return 0;
    }
    case "unknown-topic":
      terminal.complain((await import("./usage.ts")).unknownTopicText(request.word, dialect));
      return UNKNOWN_TOPIC_STATUS;
    case "candidates": {
      const { candidates } = await import("./completion.ts");
      terminal.print(candidates(request.tokens, env, dialect));
      return 0;
    }
    case "completion-script": {
      const { completionScript } = await import("./completion.ts");
      terminal.print(completionScript(request.shell, dialect.program));
      return 0;
    }
    case "usage": {
      const { renderUsageFailure } = await import("./usage.ts");
      const { stdout, stderr } = renderUsageFailure(request, {
        dialect,
        version: dialectVersion(dialect),
        now: new Date(),
        logStyle: style,
      });
      terminal.print(stdout);
      terminal.complain(stderr);
      return 1;
    }
  }
}
