import { accessSync, constants, statSync } from "node:fs";
import { SopsError } from "../errors.ts";

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
