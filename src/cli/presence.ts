import { accessSync, constants, statSync } from "node:fs";
import { SopsError } from "../errors.ts";
import { reasonOf, showPath } from "../storage/failures.ts";

/**
 * Whether nothing is at a path. Only "not found" means new: a file that cannot be looked at must not be overwritten by
 * an example (I-54).
 *
 * @throws {SopsError} ERR_READ if it cannot be told
 */
export function isMissing(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT") return true;
    throw new SopsError(
      "ERR_READ",
      `Error reading file: ${path}: ${typeof code === "string" ? code : "it cannot be looked at"}`,
    );
  }
}

/** Refuses a folder that takes no file, before somebody types a text for it (I-24). */
export function refuseUnwritableFolder(folder: string): void {
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new SopsError(
      "ERR_WRITE",
      `Could not open in-place file for writing: ${folder} is no folder we can write to`,
    );
  }
}

/**
 * Refuses a file that could not be written over afterwards, before somebody edits it (I-24).
 *
 * @param obeysMode - whether a file without any write permission is refused to root as well
 */
export function refuseUnwritableFile(path: string, obeysMode: boolean): void {
  const status = statSync(path);
  if (!status.isFile()) throw notForWriting(path, "not a regular file");
  if (obeysMode && (status.mode & 0o222) === 0) throw notForWriting(path, "permission denied");
  try {
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw notForWriting(path, reasonOf(error));
  }
}

function notForWriting(path: string, reason: string): SopsError {
  return new SopsError("ERR_WRITE", `Could not open in-place file for writing: open ${showPath(path)}: ${reason}`, {
    hint: "the editor was not started, as what you change could not be saved",
  });
}
