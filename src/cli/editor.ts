import { spawn } from "node:child_process";
import { messageOf, SopsError } from "../errors.ts";
import { splitCommandLine } from "../keys/age/command-line.ts";
import { resolveProgram } from "../node-host.ts";
import type { Session } from "./session.ts";

const USUAL_EDITORS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = { win32: ["notepad.exe"] };
const UNIX_EDITORS: readonly string[] = ["vim", "nano", "vi"];

/**
 * Opens a file in the user's editor and waits for it: `SOPS_EDITOR`, else `EDITOR`, else the first usual one on PATH.
 *
 * @throws {SopsError} ERR_EDITOR if there is none, it cannot be started, or it ends with another status than 0
 */
export async function runEditor({ host }: Session, path: string): Promise<void> {
  const [program, args] = findEditor(host.env);
  const status = await new Promise<number | string>((resolve, reject) => {
    const child = spawn(program, [...args, path], { stdio: "inherit", env: { ...host.env } });
    child.on("error", () => {
      reject(editorError("it could not be started"));
    });
    child.on("close", (code, signal) => {
      resolve(signal === null ? (code ?? 1) : signal);
    });
  });
  if (status === 0) return;
  throw editorError(typeof status === "string" ? `it was ended by ${status}` : `exit status ${String(status)}`);
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
  const candidates = USUAL_EDITORS[process.platform] ?? UNIX_EDITORS;
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
