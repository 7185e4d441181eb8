import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { messageOf } from "../errors.ts";
import { resolveProgram } from "../node-host.ts";
import type { EndingSignal } from "../storage/cleanup.ts";
import type { Session } from "./session.ts";

/** What is run. */
export interface Job {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a command ended; `failure` says why it never started, with the status that shells give for that. */
export type ChildEnd =
  | { readonly kind: "exit"; readonly status: number }
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals }
  | { readonly kind: "failure"; readonly status: number; readonly reason: string };

/** Starts a command that goes on without us. */
export function startDetached(job: Job): ChildEnd {
  const child = start(job, "ignore", true);
  if ("kind" in child) return child;
  child.on("error", () => undefined);
  child.unref();
  return { kind: "exit", status: 0 };
}

/** Runs a command with our streams to its end. Signals that we get go to the command, and it decides (I-25). */
export async function runChild(session: Session, job: Job): Promise<ChildEnd> {
  const child = start(job, "inherit", false);
  if ("kind" in child) return child;
  const stopForwarding = forwardSignals(session, child);
  try {
    return await new Promise((resolve) => {
      child.on("error", (error) => {
        resolve(failureOf(error, job));
      });
      child.on("close", (status, signal) => {
        resolve(signal === null ? { kind: "exit", status: status ?? 1 } : { kind: "signal", signal });
      });
    });
  } finally {
    stopForwarding();
  }
}

/** The number that shells give for a signal: 128 and its own. */
export function shellStatus(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function start(job: Job, stdio: StdioOptions, detached: boolean): ChildProcess | (ChildEnd & { kind: "failure" }) {
  try {
    // Our own search of the PATH never takes a program from the working directory. A pristine environment has no PATH.
    const program = resolveProgram(job.program, { ...process.env, ...job.env });
    return spawn(program, job.args, { stdio, env: { ...job.env }, detached });
  } catch (error) {
    return failureOf(error, job);
  }
}

/** The statuses of env(1) and of shells: 127 not found, 126 found but not to be run. */
function failureOf(error: unknown, { program, args, env }: Job): ChildEnd & { kind: "failure" } {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "E2BIG") {
    const texts = [program, ...args, ...Object.entries(env).map((pair) => pair.join("="))];
    const size = texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0);
    const reason = `${String(size)} bytes of arguments and environment are more than the system takes`;
    return { kind: "failure", status: 1, reason };
  }
  if (code === "EACCES") return { kind: "failure", status: 126, reason: `${program}: permission denied` };
  if (code === "ENOENT") return { kind: "failure", status: 127, reason: `${program}: no such file or directory` };
  const reason = code === "ERR_PROCESS" ? messageOf(error) : `${program}: it could not be started`;
  return { kind: "failure", status: code === "ERR_PROCESS" ? 127 : 1, reason };
}

function forwardSignals(session: Session, child: ChildProcess): () => void {
  const release = session.signals.take((signal) => {
    if (!isFromTerminal(signal)) child.kill(signal);
    return "ignore";
  });
  const others = (["SIGUSR1", "SIGUSR2"] as const).map((signal) => ({ signal, pass: () => void child.kill(signal) }));
  for (const { signal, pass } of others) process.on(signal, pass);
  return () => {
    release();
    for (const { signal, pass } of others) process.off(signal, pass);
  };
}

/**
 * Whether a signal is a key pressed at our terminal. Then the command has got it too, and a second one would have
 * another meaning to many programs: give up at once.
 */
function isFromTerminal(signal: EndingSignal): boolean {
  return (signal === "SIGINT" || signal === "SIGQUIT") && isInForeground();
}

/** Fields of proc(5)'s `stat` behind the name: state, parent, group, session, terminal, the terminal's group. */
function isInForeground(): boolean {
  try {
    const stat = readFileSync("/proc/self/stat", "latin1");
    const [, , group, , terminal, foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return terminal !== "0" && group === foreground;
  } catch {
    return process.stdin.isTTY;
  }
}
