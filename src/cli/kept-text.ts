import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";
import { openRecovery, type RecoveredText } from "../operations/recovery.ts";
import type { Context } from "../operations/context.ts";
import { replaceFile } from "../storage/atomic.ts";
import { nodeFileSystem } from "../storage/file-system.ts";
import type { Announce } from "../storage/failures.ts";
import { readInput } from "../storage/read.ts";
import { removeSibling, siblingOf, siblingSuffixes } from "../storage/siblings.ts";
import type { PrivateFolder } from "../storage/temporary.ts";
import { stateFolder } from "./state-folder.ts";

/** An edited text on the disk, encrypted, that was not saved. */
export interface KeptText extends RecoveredText {
  readonly path: string;
}

/** Where an edited text was put. */
export interface KeptPlace {
  readonly path: string;
  /** Whether `findKept` looks there. */
  readonly isFound: boolean;
}

/** As many texts of one file are kept side by side; a further one is a sign of something else being wrong. */
const MOST_KEPT = 100;

/**
 * Writes an encrypted text beside the file it is for, `.NAME.leafcrypt-edit`, never over one that is there; where that is
 * not possible, into the user's state folder; at last into the private folder, which then stays without anything in clear.
 *
 * @param bytes - of `EditSession.keep`
 * @throws {SopsError} ERR_WRITE if none is possible; the private folder is as it was
 */
export function writeKept(file: string, bytes: Uint8Array, folder: PrivateFolder, host: Host): KeptPlace {
  for (const place of placesFor(file, host)) {
    const path = writeInto(place, bytes);
    if (path !== undefined) return { path, isFound: true };
  }
  const name = basename(folder.write(basename(siblingOf(file, siblingSuffixes.edited)), bytes));
  for (const other of readdirSync(folder.path)) {
    if (other !== name) rmSync(join(folder.path, other), { recursive: true, force: true });
  }
  return { path: join(folder.keep(), name), isFound: false };
}

/** Undefined if the folder takes no file. */
function writeInto(place: Place, bytes: Uint8Array): string | undefined {
  for (let number = 1; number < MOST_KEPT; number += 1) {
    const path = place.path(number);
    if (timeOf(path) !== undefined) continue;
    try {
      if (place.ownFolder !== undefined) mkdirSync(place.ownFolder, { recursive: true, mode: 0o700 });
      replaceFile(path, bytes, { identity: null, newMode: 0o600 });
      return path;
    } catch (error) {
      if (error instanceof SopsError && error.code === "ERR_CHANGED_MEANWHILE") continue;
      return undefined;
    }
  }
  return undefined;
}

/** The text that was kept last for a file, or null. */
export function findKept(file: string, host: Host): string | null {
  let newest: { path: string; time: bigint } | undefined;
  for (const place of placesFor(file, host)) {
    for (let number = 1; number < MOST_KEPT; number += 1) {
      const path = place.path(number);
      const time = timeOf(path);
      if (time !== undefined && time >= (newest?.time ?? 0n)) newest = { path, time };
      if (time === undefined && number > 1) break;
    }
  }
  return newest?.path ?? null;
}

/**
 * Opens the text that was kept last for a file.
 *
 * @throws {SopsError} ERR_NOT_FOUND if there is none, and what `decrypt` throws
 */
export async function readKept(file: string, context: Context): Promise<KeptText> {
  const path = findKept(file, context.host);
  if (path === null) {
    throw new SopsError("ERR_NOT_FOUND", `there are no edits of ${JSON.stringify(basename(file))} to recover`, {
      hint: `they would be in ${JSON.stringify(siblingOf(file, siblingSuffixes.edited))}`,
    });
  }
  return { path, ...(await openRecovery(readInput(path).bytes, context)) };
}

/** Removes a kept text, once it is in the file; says so if it stays. */
export function removeKept(path: string, announce: Announce): void {
  removeSibling(path, nodeFileSystem, announce);
}

/** Where the texts of one file go. */
interface Place {
  /** Made when it is not there. */
  readonly ownFolder?: string;
  /** Of the first text, the second, … */
  path(number: number): string;
}

/** Beside the file, and in the user's state folder under a digest of the file's path. */
function placesFor(file: string, host: Host): Place[] {
  const suffix = (number: number): string => `${number === 1 ? "" : `.${String(number)}`}${siblingSuffixes.edited}`;
  const beside: Place = { path: (number) => siblingOf(file, suffix(number)) };
  const ownFolder = stateFolder(host);
  if (ownFolder === undefined) return [beside];
  const digest = createHash("sha256").update(file).digest("hex").slice(0, 32);
  return [beside, { ownFolder, path: (number) => join(ownFolder, `${digest}${suffix(number)}`) }];
}

/** When a file was changed, in nanoseconds; undefined if there is none, or it cannot be looked at. */
function timeOf(path: string): bigint | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs;
  } catch {
    return undefined;
  }
}
