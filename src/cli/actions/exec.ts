import { randomInt } from "node:crypto";
import { isAbsolute } from "node:path";
import { SopsError } from "../../errors.ts";
import { decrypt } from "../../operations/decrypt.ts";
import { environmentOf, type EnvironmentEntry } from "../../operations/environment.ts";
import { createPrivateFolder } from "../../storage/temporary.ts";
import { runChild, shellStatus, startDetached, type ChildEnd, type Job } from "../child.ts";
import { contextOf } from "../context.ts";
import { KILLED_STATUS } from "../exit-codes.ts";
import { serveFifo } from "../fifo.ts";
import { readOperand } from "../files.ts";
import { refuseUnsafe } from "../guard.ts";
import type { Session } from "../session.ts";
import { formatChoice, inputFormat, loadSettings, nameFor } from "../settings.ts";
import { becomeUser } from "../user.ts";

/** What the command line asks to run: one text for the shell, or a program with its arguments (I-09). */
type Command = Pick<Job, "program" | "args">;

/** `exec-env FILE COMMAND` */
export async function execEnvAction(session: Session): Promise<number> {
  const { values } = session.invocation;
  refuseExecConflicts(session);
  const { file, command } = operands(session);
  const input = readOperand(session, file);
  const format = inputFormat(session, nameFor(session, file));
  const entries = await environmentOf(input.bytes, format, {
    context: contextOf(session, file),
    ignoreMac: values["ignore-mac"] === true,
  });
  // Callers of the reference rely on getting what the file holds.
  if (session.dialect.name === "leafcrypt") {
    refuseUnsafe(entries, values.allow ?? "");
    warnOfNames(session, entries);
  }
  const user = becomeUser(values.user);
  const inherited = values.pristine === true ? {} : session.host.env;
  const secrets = Object.fromEntries(entries.map(({ name, value }) => [name, value]));
  return run(session, { ...command, env: { ...inherited, ...user, ...secrets } });
}

/** In dotenv what stands before the `=` is the name, all of it: few programs look for a variable called `export A` (E7). */
function warnOfNames(session: Session, entries: readonly EnvironmentEntry[]): void {
  const odd = entries.filter(({ name }) => /\s/.test(name)).map(({ name }) => JSON.stringify(name));
  if (odd.length === 0) return;
  session.log("warning", `No shell can use a variable with a blank in its name: ${odd.join(", ")}`, {}, "EXEC");
}

/** `exec-file FILE COMMAND` */
export async function execFileAction(session: Session): Promise<number> {
  const { values } = session.invocation;
  refuseExecConflicts(session);
  const { file, command } = operands(session);
  const givenName = localName(values.filename);
  const name = nameFor(session, file);
  const settings = await loadSettings(session, name, "stores");
  const input = readOperand(session, file);
  const options = {
    ...formatChoice(session, settings, name),
    context: contextOf(session, file),
    ignoreMac: values["ignore-mac"] === true,
  };
  const plaintext = await decrypt(input.bytes, options);
  try {
    return await runWithFile(session, command, plaintext, givenName);
  } finally {
    plaintext.fill(0);
  }
}

async function runWithFile(
  session: Session,
  command: Command,
  plaintext: Uint8Array,
  givenName: string | undefined,
): Promise<number> {
  const { host, cleanup, dialect, invocation } = session;
  // Before the folder is made, which is to be the user's.
  const user = becomeUser(invocation.values.user);
  const place = dialect.name === "sops" ? ({ style: "reference", prefix: ".sops" } as const) : {};
  const folder = createPrivateFolder({ env: host.env, cleanup, expectedBytes: plaintext.length, ...place });
  try {
    const fifo = usesFifo(session) ? await serveFifo(folder.path, givenName ?? "tmp-file", plaintext, host) : undefined;
    const path = fifo?.path ?? folder.write(givenName ?? `tmp-file${String(randomInt(2 ** 32))}`, plaintext);
    try {
      return await run(session, { ...withPath(command, path), env: { ...host.env, ...user } });
    } finally {
      fifo?.close();
    }
  } finally {
    folder.remove();
  }
}

function usesFifo(session: Session): boolean {
  if (session.invocation.values["no-fifo"] === true) return false;
  if (session.host.platform !== "win32") return true;
  session.log("warning", "no fifos on windows, use --no-fifo next time", {}, "EXEC");
  return false;
}

/** Every `{}` becomes the path, without quotes, as in the reference. */
function withPath({ program, args }: Command, path: string): Command {
  return { program, args: args.map((argument) => argument.replaceAll("{}", path)) };
}

/** A file name without any folder (safety.md 1.3). */
function localName(name: string | undefined): string | undefined {
  if (name === undefined || name === "") return undefined;
  const isLocal = !isAbsolute(name) && !/[/\\\0]/.test(name) && name !== "." && name !== "..";
  if (isLocal) return name;
  throw new SopsError("ERR_USAGE", "The provided filename is not a local path.", {
    hint: "give a plain name, without folders",
  });
}

function refuseExecConflicts({ dialect, invocation: { command, values } }: Session): void {
  if (values["same-process"] === true && values.background === true) {
    throw new SopsError("ERR_CONFLICTING_OPTIONS", "Error: The --same-process flag cannot be used with --background");
  }
  // The reference starts the command and takes its file away at once.
  if (command === "exec-file" && values.background === true && dialect.name === "leafcrypt") {
    throw new SopsError("ERR_CONFLICTING_OPTIONS", "exec-file has to stay to remove the file after the command", {
      hint: "leave out --background, and let the shell start it in the background: exec-file … &",
    });
  }
}

function operands({ invocation, host, dialect }: Session): { file: string; command: Command } {
  const { positionals, afterDashes = [] } = invocation;
  const before = positionals.slice(0, positionals.length - afterDashes.length);
  // Dashes in front of FILE say no more than that no option follows; to the reference, those before a text as well.
  const isPlain = before.length === 0 || (dialect.name === "sops" && afterDashes.length === 1);
  const [words, argv] = isPlain ? [positionals, []] : [before, afterDashes];
  const [file, ...rest] = words;
  const [program, ...args] = argv;
  if (file !== undefined && rest.length === 0 && program !== undefined) return { file, command: { program, args } };
  const [text, ...more] = [...rest, ...argv];
  if (file !== undefined && text !== undefined && more.length === 0) {
    const isWindows = host.platform === "win32";
    return {
      file,
      command: isWindows ? { program: "cmd.exe", args: ["/C", text] } : { program: "/bin/sh", args: ["-c", text] },
    };
  }
  const missing = "error: missing file to decrypt";
  throw new SopsError("ERR_USAGE", file === undefined ? missing : `${missing} or command: two arguments are needed`, {
    hint: "put the command in quotes, FILE 'program argument', or after two dashes, FILE -- program argument",
  });
}

async function run(session: Session, job: Job): Promise<number> {
  const { command, values } = session.invocation;
  if (values.background !== true) return statusOf(await runChild(session, job), session);
  session.log(
    "warning",
    `${command}'s --background option is deprecated and will be removed in a future version of ${session.dialect.program}`,
  );
  return statusOf(startDetached(job), session);
}

/**
 * Our own face passes on how the command ended, and is silent about it, as env(1) is; the reference says it, and has one
 * status for every signal.
 */
async function statusOf(end: ChildEnd, session: Session): Promise<number> {
  const { dialect, invocation, terminal } = session;
  const isSilent = dialect.name === "leafcrypt" || invocation.values["same-process"] === true;
  if (end.kind === "failure") {
    terminal.complain(`${dialect.program}: ${end.reason}\n`);
    return dialect.name === "leafcrypt" ? end.status : 1;
  }
  if (end.kind === "exit") {
    if (end.status !== 0 && !isSilent) terminal.complain(`exit status ${String(end.status)}\n`);
    return end.status;
  }
  if (invocation.values["same-process"] === true) await dieOf(end.signal, session);
  if (isSilent) return shellStatus(end.signal);
  terminal.complain(`signal: ${SIGNAL_TEXTS[end.signal] ?? end.signal}\n`);
  return KILLED_STATUS;
}

/**
 * With `--same-process` we end as the command did, by the same signal. Node cannot replace its process by another; we
 * wait for the command instead and pass on streams, signals and its end, so that only the process number differs.
 */
async function dieOf(signal: NodeJS.Signals, { cleanup }: Session): Promise<void> {
  cleanup.run();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  await new Promise((resolve) => setTimeout(resolve, 100)); // delivered at the next turn, unless it does not end us
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
