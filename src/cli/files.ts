import { realpathSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { SopsError } from "../errors.ts";
import { replaceFile, type ReplaceOptions } from "../storage/atomic.ts";
import { withFileLock } from "../storage/locks.ts";
import { createOutput } from "../storage/output.ts";
import { fileExists, readInput, type FileIdentity } from "../storage/read.ts";
import type { Session } from "./session.ts";
import { stateFolderFor } from "./state-folder.ts";

/** A file to work on; `-` is standard input. */
export interface InputText {
  /** Absolute path, or undefined for standard input. */
  readonly path: string | undefined;
  readonly bytes: Uint8Array;
  readonly identity: FileIdentity | null;
}

/** Whether an operand stands for standard input (I-08). */
export function isStandardInput(operand: string | undefined): boolean {
  return operand === undefined || operand === "-";
}

/** Reads a FILE, or standard input where there is none. */
export function readOperand(session: Session, operand: string | undefined): InputText {
  if (operand === undefined || isStandardInput(operand)) {
    return { path: undefined, bytes: session.terminal.readInput(), identity: null };
  }
  const path = resolve(session.workingDirectory, operand);
  const { bytes, identity } =
    operand === "/dev/stdin" ? { bytes: session.terminal.readInput(), identity: null } : readFile(session, path);
  return { path, bytes, identity };
}

/** A pipe may have nobody at its other end. */
function readFile({ signals }: Session, path: string): ReturnType<typeof readInput> {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  return isFile ? readInput(path) : signals.standAside(() => readInput(path));
}

/** Refuses a FILE that is not there, in the words of `encrypt` and `decrypt`. */
export function refuseMissing(session: Session, operand: string): void {
  const path = resolve(session.workingDirectory, operand);
  if (operand === "/dev/stdin" || fileExists(path)) return;
  throw new SopsError("ERR_NOT_FOUND", `Error: cannot operate on non-existent file ${JSON.stringify(path)}`);
}

/** Keys cannot be added to, or removed from, a file that is not there. */
export function refuseChangeOfMissing(session: Session, operand: string): void {
  const path = resolve(session.workingDirectory, operand);
  if (operand === "/dev/stdin" || operand === "-" || fileExists(path)) return;
  throw new SopsError(
    "ERR_CHANGE_KEYS_OF_MISSING_FILE",
    `Error: cannot add or remove keys on non-existent file ${JSON.stringify(path)}, use the --kms and --pgp flags instead.`,
  );
}

/** Refuses a command line without FILE. */
export function requireOperand(operand: string | undefined): string {
  if (operand !== undefined) return operand;
  throw new SopsError("ERR_NO_FILE", "Error: no file specified", {
    hint: "name the file to work on; --help shows how",
  });
}

/** Refuses `-i` beside `--output`, and `-i` on standard input. */
export function refuseConflicts({ invocation: { values } }: Session, operand: string | undefined): void {
  const inPlace = values["in-place"] === true;
  if (inPlace && (values.output ?? "") !== "") {
    throw new SopsError("ERR_CONFLICTING_OPTIONS", "Error: cannot operate on both --output and --in-place");
  }
  if (inPlace && isStandardInput(operand)) {
    throw new SopsError("ERR_CONFLICTING_OPTIONS", "Error: cannot use --in-place when reading from stdin");
  }
}

/** Writes over a FILE that was read before; refused if it changed meanwhile. */
export function writeInPlace(session: Session, input: InputText, bytes: Uint8Array): void {
  if (input.path === undefined) return;
  replaceFile(input.path, bytes, {
    // Without one it was no regular file, which is refused.
    ...(input.identity === null ? {} : { identity: input.identity }),
    // The reference leaves it to the system whether a file without write permission can be written.
    readOnly: session.dialect.name === "sops" ? "kernel" : "refuse",
    ...carefully(session, input.path, bytes),
  });
  session.log("info", "File written successfully", { file: input.path });
}

/** What every writing has in common: the bytes are read back, and the user is told what could not be done as usual. */
function carefully(
  session: Session,
  path: string,
  bytes: Uint8Array,
): Pick<ReplaceOptions, "verify" | "announce" | "recoveryFolder"> {
  const recoveryFolder = stateFolder(session, path);
  return {
    ...(recoveryFolder === undefined ? {} : { recoveryFolder }),
    verify: (holds) => {
      if (holds(bytes)) return;
      throw new SopsError("ERR_WRITE", "the disk gave back other bytes than were written", {
        hint: "nothing was replaced; check the disk before you try again",
      });
    },
    announce: (message, fields) => {
      session.log("warning", message, fields);
    },
  };
}

function stateFolder({ host }: Session, path: string): string | undefined {
  try {
    return stateFolderFor(realpathSync(path), host);
  } catch {
    return undefined; // Not there: nothing of it is to be kept.
  }
}

/** Writes a result where `-i`, `--output` or neither say. `isSecret`: it holds plaintext. */
export function writeResult(session: Session, input: InputText, bytes: Uint8Array, isSecret: boolean): void {
  const { values } = session.invocation;
  const output = values.output ?? "";
  if (values["in-place"] === true) writeInPlace(session, input, bytes);
  else if (output !== "" && output !== "-") {
    createOutput(output, bytes, { secret: isSecret, ...carefully(session, output, bytes) });
  } else session.terminal.print(bytes);
}

/** Holds a file's lock while it is read, changed and written, so that no change of another process is lost. */
export async function withLockOn<T>(session: Session, operand: string | undefined, use: () => Promise<T>): Promise<T> {
  if (operand === undefined || isStandardInput(operand) || operand === "/dev/stdin") return use();
  const path = resolve(session.workingDirectory, operand);
  if (!fileExists(path)) return use();
  const lockFolder = stateFolder(session, path);
  return withFileLock(path, { cleanup: session.cleanup, ...(lockFolder === undefined ? {} : { lockFolder }) }, use);
}
