import { spawn, type ChildProcess } from "node:child_process";
import { basename } from "node:path";
import { messageOf, SopsError } from "../errors.ts";
import { splitCommandLine } from "../keys/age/command-line.ts";
import { resolveProgram } from "../node-host.ts";
import type { Session } from "./session.ts";

const USUAL_EDITORS: readonly string[] = ["vim", "nano", "vi"];
/** What every Windows has (I-53). */
const WINDOWS_EDITOR = "notepad.exe";

/** Keep an editor from leaving the text elsewhere: in a swap file, its memory of searches and registers, backups. */
const PRIVATE_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  vim: ["-n", "-i", "NONE", "-c", "set noundofile nobackup nowritebackup"],
  nvim: ["-n", "-i", "NONE", "-c", "set noundofile nobackup nowritebackup"],
};

/**
 * Opens a file in the user's editor and waits for it: `SOPS_EDITOR`, else `EDITOR`, else the first usual one on PATH.
 *
 * Ctrl-C belongs to the editor while it runs. Other signals end it and us; the reference ends at Ctrl-C too.
 *
 * @throws {SopsError} ERR_EDITOR if there is none, it cannot be started, or it ends with another status than 0;
 *   ERR_CANCELLED for a signal in the face of the reference
 */
export async function runEditor(session: Session, path: string): Promise<void> {
  const { host, dialect } = session;
  const [program, args] = findEditor(host.env);
  const options = dialect.name === "leafcrypt" ? (PRIVATE_OPTIONS[basename(program)] ?? []) : [];
  const end = await new Promise<number | NodeJS.Signals>((resolve, reject) => {
    const child = spawn(program, [...options, ...args, path], { stdio: "inherit", env: { ...host.env } });
    const release = takeSignals(session, child, reject);
    child.on("error", () => {
      release();
      reject(editorError(`${program} could not be started`));
    });
    child.on("close", (code, signal) => {
      release();
      resolve(signal ?? code ?? 1);
    });
  });
  if (end === 0) return;
  throw editorError(typeof end === "string" ? `it was ended by ${end}` : `exit status ${String(end)}`);
}

/** Milliseconds that an editor has to put away its text when a signal ends it and us. */
const GRACE = 1000;

function takeSignals(session: Session, child: ChildProcess, cancel: (error: SopsError) => void): () => void {
  const isReference = session.dialect.name === "sops";
  let isEnding = false;
  const release = session.signals.take((signal) => {
    if (!isReference && (signal === "SIGINT" || signal === "SIGQUIT")) return "ignore";
    child.kill(signal);
    if (isReference && (signal === "SIGINT" || signal === "SIGTERM")) {
      cancel(new SopsError("ERR_CANCELLED", "User canceled operation"));
      return "ignore";
    }
    if (isEnding) return "end";
    isEnding = true;
    const endToo = (): void => {
      release();
      process.kill(process.pid, signal);
    };
    setTimeout(endToo, GRACE);
    child.removeAllListeners("close").on("close", endToo);
    return "ignore";
  });
  return release;
}

function findEditor(env: Session["host"]["env"]): [program: string, args: readonly string[]] {
  const named = [env["SOPS_EDITOR"], env["EDITOR"]].find((value) => value !== undefined && value !== "");
  if (named === undefined) return [firstUsualEditor(env), []];
  let words: string[];
  try {
    words = splitCommandLine(named);
  } catch (error) {
    throw editorError(`invalid $EDITOR: ${messageOf(error)}`);
  }
  const [program, ...args] = words;
  if (program === undefined) throw editorError("invalid $EDITOR: it names no program");
  try {
    return [resolveProgram(program, env), args];
  } catch (error) {
    throw editorError(messageOf(error));
  }
}

function firstUsualEditor(env: Session["host"]["env"]): string {
  const candidates = process.platform === "win32" ? [...USUAL_EDITORS, WINDOWS_EDITOR] : USUAL_EDITORS;
  for (const candidate of candidates) {
    try {
      return resolveProgram(candidate, env);
    } catch {
      // Not on PATH: the next one may be.
    }
  }
  throw editorError(`no editor available: none of ${candidates.join(", ")} is on PATH`);
}

function editorError(reason: string): SopsError {
  return new SopsError("ERR_EDITOR", `Could not run editor: ${reason}`, {
    hint: "set SOPS_EDITOR or EDITOR to the editor you use; the file was not changed",
  });
}
