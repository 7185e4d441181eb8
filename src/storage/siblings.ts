import { randomBytes } from "node:crypto";
import { basename, dirname } from "node:path";
import { showPath, type Announce } from "./failures.ts";
import { isErrno, openFlags, succeeds, type FileSystem } from "./file-system.ts";

/** Longest file name of the usual file systems, in bytes. */
const MAX_NAME_BYTES = 255;

/** What our files beside a target end with; all begin with a dot, so that `*.yaml` and most watchers pass them by. */
export const siblingSuffixes = {
  temporary: ".leafcrypt-tmp",
  recovery: ".leafcrypt-recovery",
  /** An edited text that could not be saved, encrypted. */
  edited: ".leafcrypt-edit",
  lock: ".leafcrypt-lock",
  /** As long as the lock's, so that wherever a lock has room, its guard has. */
  guard: ".leafcrypt-void",
} as const;

/** The path of a file of ours beside `path`: `.NAME` and the suffix, NAME cut where the whole would be too long. */
export function siblingOf(path: string, suffix: string): string {
  let name = basename(path);
  const room = MAX_NAME_BYTES - 1 - Buffer.byteLength(suffix);
  while (Buffer.byteLength(name) > room) name = Array.from(name).slice(0, -1).join("");
  // Not `join`: it would simplify `link/..`, which the kernel reads in another way.
  return `${dirname(path)}/.${name}${suffix}`;
}

/** A temporary file beside its target, open for reading and writing. */
export interface TemporarySibling {
  readonly path: string;
  readonly fd: number;
}

/**
 * Makes an empty file beside `target` which no other process knows.
 *
 * Its name holds our process id: whoever finds the lock of a dead process can tell which files that one left.
 *
 * @param mode - permission bits, from which the kernel takes the umask
 */
export function createTemporary(target: string, mode: number, files: FileSystem): TemporarySibling {
  for (;;) {
    const path = temporaryName(target, process.pid, randomBytes(RANDOM_BYTES).toString("hex"));
    try {
      return { path, fd: files.open(path, openFlags.create, mode) };
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
  }
}

/** Removes a temporary or recovery file, and says so if it stays. */
export function removeSibling(path: string, files: FileSystem, announce?: Announce): void {
  const removed = succeeds(() => {
    files.unlink(path);
  });
  if (!removed) announce?.("A temporary file could not be removed.", { file: showPath(path) });
}

/** Removes the temporary files that process `pid` left beside `target`. */
export function removeTemporariesOf(pid: number, target: string, files: FileSystem): void {
  for (const name of files.list(dirname(target))) {
    const random = name.slice(0, -siblingSuffixes.temporary.length).slice(-2 * RANDOM_BYTES);
    const path = temporaryName(target, pid, random);
    if (name === basename(path)) removeSibling(path, files);
  }
}

const RANDOM_BYTES = 6;

function temporaryName(target: string, pid: number, random: string): string {
  return siblingOf(target, `.${String(pid)}.${random}${siblingSuffixes.temporary}`);
}
