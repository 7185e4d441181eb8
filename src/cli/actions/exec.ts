import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { constants } from "node:os";
import { isAbsolute } from "node:path";
import { SopsError } from "../../errors.ts";
import { decrypt } from "../../operations/decrypt.ts";
import { environmentOf } from "../../operations/environment.ts";
import { createPrivateFolder } from "../../storage/temporary.ts";
import { contextOf } from "../context.ts";
import { KILLED_STATUS } from "../exit-codes.ts";
import { readOperand } from "../files.ts";
import { serveFifo } from "../fifo.ts";
import type { Session } from "../session.ts";
import { formatChoice, inputFormat, loadSettings, nameFor } from "../settings.ts";
import { userIdentity, type UserIdentity } from "../user.ts";

/** What is run: one text for the shell, or a program with its arguments (I-09). */
interface Job {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly user: UserIdentity | undefined;
}

/** `exec-env FILE COMMAND` */
export async function execEnvAction(session: Session): Promise<number> {
  const { values } = session.invocation;
  if (values["same-process"] === true && values.background === true) {
    throw new SopsError("ERR_CONFLICTING_OPTIONS", "Error: The --same-process flag cannot be used with --background");
  }
  const { file, command } = operands(session);
  const input = readOperand(session, file);
  const format = inputFormat(session, nameFor(session, file));
  const entries = await environmentOf(input.bytes, format, {
    context: contextOf(session),
    ignoreMac: values["ignore-mac"] === true,
  });
  const user = userIdentity(values.user);
  const inherited = values.pristine === true ? {} : session.host.env;
  return run(session, { ...command, env: { ...inherited, ...user?.variables, ...Object.fromEntries(entries) }, user });
}

/** `exec-file FILE COMMAND` */
export async function execFileAction(session: Session): Promise<number> {
  const { values } = session.invocation;
  const { file, command } = operands(session);
  const fileName = localName(values.filename);
  const name = nameFor(session, file);
  const settings = await loadSettings(session, name, "stores");
  const input = readOperand(session, file);
  const options = {
    ...formatChoice(session, settings, name),
    context: contextOf(session),
    ignoreMac: values["ignore-mac"] === true,
  };
  const plaintext = await decrypt(input.bytes, options);
  const user = userIdentity(values.user);
  const folder = createPrivateFolder({
    env: session.host.env,
    cleanup: session.cleanup,
    expectedBytes: plaintext.length,
  });
  try {
    const usesFifo = values["no-fifo"] !== true && process.platform !== "win32";
    if (values["no-fifo"] !== true && !usesFifo)
      session.log("warning", "no fifos on windows, use --no-fifo next time", {}, "EXEC");
    const fifo = usesFifo ? await serveFifo(folder.path, fileName, plaintext, session.host) : undefined;
    const path = fifo?.path ?? folder.write(fileName, plaintext);
    const job = { ...withPath(command, path), env: { ...session.host.env, ...user?.variables }, user };
    try {
      return await run(session, job);
    } finally {
      await fifo?.close();
    }
  } finally {
    plaintext.fill(0);
    if (values.background !== true) folder.remove();
  }
}

function withPath(command: Pick<Job, "program" | "args">, path: string): Pick<Job, "program" | "args"> {
  return { program: command.program, args: command.args.map((argument) => argument.replaceAll("{}", path)) };
}

/** A file name without any folder (safety.md 1.3). */
function localName(name: string | undefined): string {
  if (name === undefined || name === "") return "tmp-file";
  const isLocal = !isAbsolute(name) && !/[/\\\0]/.test(name) && name !== "." && name !== "..";
  if (isLocal) return name;
  throw new SopsError("ERR_USAGE", "The provided filename is not a local path.", {
    hint: "give a plain name, without folders",
  });
}

function operands({ invocation, host }: Session): { file: string; command: Pick<Job, "program" | "args"> } {
  const { positionals, afterDashes = [] } = invocation;
  const before = positionals.slice(0, positionals.length - afterDashes.length);
  const [file, ...rest] = before;
  const [program, ...args] = afterDashes;
  if (file !== undefined && rest.length === 0 && program !== undefined) return { file, command: { program, args } };
  const [text, ...more] = [...rest, ...afterDashes];
  if (file === undefined || text === undefined || more.length > 0) {
    throw new SopsError(
      "ERR_USAGE",
      file === undefined
        ? "error: missing file to decrypt"
        : "error: missing file to decrypt or command: two arguments are needed",
      {
        hint: "put the command in quotes, FILE 'program argument', or after two dashes, FILE -- program argument",
      },
    );
  }
  return {
    file,
    command:
      host.platform === "win32"
        ? { program: "cmd.exe", args: ["/C", text] }
        : { program: "/bin/sh", args: ["-c", text] },
  };
}

async function run(session: Session, job: Job): Promise<number> {
  const { values } = session.invocation;
  const isBackground = values.background === true;
  if (isBackground)
    session.log(
      "warning",
      "exec-env's --background option is deprecated and will be removed in a future version of sops",
      {},
      "EXEC",
    );
  const stdio: StdioOptions = isBackground ? "ignore" : "inherit";
  const child = spawn(job.program, job.args, {
    stdio,
    env: { ...job.env },
    detached: isBackground,
    ...(job.user === undefined ? {} : { uid: job.user.uid, gid: job.user.gid }),
  });
  if (isBackground) {
    child.unref();
    return 0;
  }
  const { status, text } = await waitFor(child);
  if (text !== undefined) session.terminal.complain(`${text}\n`);
  return status;
}

const FORWARDED: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];

/** Waits for the command; signals go through to it, and the plaintext is removed after it has ended (I-25). */
async function waitFor(child: ChildProcess): Promise<{ status: number; text?: string }> {
  const handlers = FORWARDED.map((signal) => ({ signal, handle: () => void child.kill(signal) }));
  const others = FORWARDED.map((signal) => ({ signal, listeners: process.listeners(signal) }));
  for (const { signal } of others) process.removeAllListeners(signal);
  for (const { signal, handle } of handlers) process.on(signal, handle);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", () => {
        reject(new SopsError("ERR_PROCESS", "the command could not be started"));
      });
      child.on("close", (code, signal) => {
        if (signal !== null) resolve({ status: KILLED_STATUS, text: `signal: ${signalText(signal)}` });
        else
          resolve(
            code === 0 || code === null ? { status: code ?? 1 } : { status: code, text: `exit status ${String(code)}` },
          );
      });
    });
  } finally {
    for (const { signal, handle } of handlers) process.off(signal, handle);
    for (const { signal, listeners } of others)
      for (const listener of listeners) process.on(signal, listener as () => void);
  }
}

const SIGNAL_TEXTS: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGKILL: "killed",
  SIGTERM: "terminated",
  SIGINT: "interrupt",
  SIGHUP: "hangup",
  SIGQUIT: "quit",
  SIGSEGV: "segmentation fault",
  SIGABRT: "aborted",
};

function signalText(signal: NodeJS.Signals): string {
  return SIGNAL_TEXTS[signal] ?? `signal ${String(constants.signals[signal])}`;
}
