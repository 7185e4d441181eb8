import { readdirSync, statSync, unlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SopsError } from "../errors.ts";
import { openRecovery, type RecoveredText } from "../operations/recovery.ts";
import type { Context } from "../operations/context.ts";
import { replaceFile } from "../storage/atomic.ts";
import { readInput } from "../storage/read.ts";
import { siblingOf, siblingSuffixes } from "../storage/siblings.ts";
import type { PrivateFolder } from "../storage/temporary.ts";

/** An edited text on the disk, encrypted, that was not saved. */
export interface KeptText extends RecoveredText {
  readonly path: string;
}

/** As many texts of one file are kept side by side; a further one is a sign of something else being wrong. */
const MOST_KEPT = 100;

/**
 * Writes an encrypted text beside the file it is for, `.NAME.leafcrypt-edit`, never over one that is there; where the
 * folder takes no file, into the private folder, which then stays without anything in clear.
 *
 * @param bytes - of `EditSession.keep`
 * @returns where it is
 * @throws {SopsError} ERR_WRITE if neither is possible
 */
export function writeKept(file: string, bytes: Uint8Array, folder: PrivateFolder): string {
  for (let number = 1; number < MOST_KEPT; number += 1) {
    const path = keptPath(file, number);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      replaceFile(path, bytes, { identity: null, newMode: 0o600 });
      return path;
    } catch (error) {
      if (error instanceof SopsError && error.code === "ERR_CHANGED_MEANWHILE") continue;
      break;
    }
  }
  for (const name of readdirSync(folder.path)) unlinkSync(join(folder.path, name));
  const name = basename(folder.write(basename(keptPath(file, 1)), bytes));
  return join(folder.keep(), name);
}

/** The text that was kept last for a file, or null. */
export function findKept(file: string): string | null {
  let newest: { path: string; time: number } | undefined;
  for (let number = 1; number < MOST_KEPT; number += 1) {
    const path = keptPath(file, number);
    const time = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (time !== undefined && time >= (newest?.time ?? 0)) newest = { path, time };
    if (time === undefined && number > 1) break;
  }
  return newest?.path ?? null;
}

/**
 * Opens the text that was kept last for a file.
 *
 * @throws {SopsError} ERR_NOT_FOUND if there is none, and what `decrypt` throws
 */
export async function readKept(file: string, context: Context): Promise<KeptText> {
  const path = findKept(file);
  if (path === null) {
    throw new SopsError("ERR_NOT_FOUND", `there are no edits of ${JSON.stringify(basename(file))} to recover`, {
      hint: `they would be in ${JSON.stringify(join(dirname(file), basename(keptPath(file, 1))))}`,
    });
  }
  return { path, ...(await openRecovery(readInput(path).bytes, context)) };
}

/** Removes a kept text, once it is in the file. */
export function removeKept(path: string): void {
  unlinkSync(path);
}

function keptPath(file: string, number: number): string {
  return siblingOf(file, `${number === 1 ? "" : `.${String(number)}`}${siblingSuffixes.edited}`);
}
