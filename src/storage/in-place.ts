import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { SopsError } from "../errors.ts";
import { describeFailure, showPath, type Announce } from "./failures.ts";
import {
  closeQuietly,
  errnoOf,
  isErrno,
  openFlags,
  readAll,
  succeeds,
  writeAll,
  type FileStatus,
  type FileSystem,
} from "./file-system.ts";
import { closeFolder, flushFolder, openFolder } from "./folder.ts";
import { createTemporary, removeSibling, siblingOf, siblingSuffixes } from "./siblings.ts";

/** A file to be written over, for want of a rename. */
export interface InPlaceWrite {
  /** The file, links followed. */
  readonly target: string;
  /** How messages name it. */
  readonly shown: string;
  readonly bytes: Uint8Array;
  /** The file as it was looked at; the one that is opened must be the same. */
  readonly status: FileStatus;
  /** Why it cannot be renamed over, for the announcement. */
  readonly why: string;
  readonly announce?: Announce;
  readonly recoveryFolder?: string;
}

/**
 * Writes over a file that cannot be replaced by a rename.
 *
 * At every moment either the file or a recovery copy of its old content is whole on the disk. The copy is removed when
 * the file is written, or restored; a crash in between leaves it, and the next write of this kind refuses to go on.
 *
 * @throws {SopsError} ERR_WRITE when a recovery copy of an earlier run is in the way, or no place takes a new one
 */
export function writeInPlace(write: InPlaceWrite, files: FileSystem): void {
  const fd = files.open(write.target, openFlags.updateResolved);
  try {
    const { dev, ino, size } = files.fstat(fd);
    const old = readAll(fd, Number(size), Number.MAX_SAFE_INTEGER, files, 0);
    if (dev !== write.status.dev || ino !== write.status.ino) {
      throw new SopsError("ERR_CHANGED_MEANWHILE", `${showPath(write.shown)} was replaced by another file meanwhile`);
    }
    const recovery = keepCopy(write, old, files);
    write.announce?.(`The file is written in place, as ${write.why}. Until that is done, its old content is kept.`, {
      file: showPath(write.shown),
      copy: showPath(recovery),
    });
    overwriteOrRestore(fd, write, old, recovery, files);
    removeSibling(recovery, files, write.announce);
  } finally {
    closeQuietly(fd, files);
  }
}

/**
 * The copy of a file's old content that an interrupted write in place left behind, or null.
 *
 * @param recoveryFolder - as given to `replaceFile`
 */
export function findRecoveryCopy(target: string, recoveryFolder: string | undefined, files: FileSystem): string | null {
  return recoveryPaths(target, recoveryFolder).find((path) => isPresent(path, files)) ?? null;
}

/** Beside the file first, where nobody overlooks it. */
function recoveryPaths(target: string, recoveryFolder: string | undefined): string[] {
  const beside = siblingOf(target, siblingSuffixes.recovery);
  if (recoveryFolder === undefined) return [beside];
  const place = createHash("sha256").update(target).digest("hex").slice(0, 16);
  return [beside, siblingOf(join(recoveryFolder, basename(target)), `.${place}${siblingSuffixes.recovery}`)];
}

function isPresent(path: string, files: FileSystem): boolean {
  return succeeds(() => files.lstat(path), "ENOENT", "ENOTDIR", "EACCES");
}

function keepCopy(write: InPlaceWrite, old: Uint8Array, files: FileSystem): string {
  const { target, shown, recoveryFolder } = write;
  const earlier = findRecoveryCopy(target, recoveryFolder, files);
  if (earlier !== null) {
    throw new SopsError("ERR_WRITE", `an earlier write of ${showPath(shown)} was interrupted`, {
      hint: `its content from before is in ${showPath(earlier)}: put it back or delete it`,
    });
  }
  const [beside, elsewhere] = recoveryPaths(target, recoveryFolder);
  try {
    return writeCopy(beside as string, write, old, files);
  } catch (error) {
    if (elsewhere === undefined || !isErrno(error, "EACCES", "EPERM", "EROFS")) throw error;
    return writeCopy(elsewhere, write, old, files);
  }
}

/** Makes the copy appear whole: a half-written one would pass for the old content after a crash. */
function writeCopy(path: string, { target, announce }: InPlaceWrite, old: Uint8Array, files: FileSystem): string {
  const folder = openFolder(dirname(path), files);
  try {
    const { path: temporary, fd } = createTemporary(`${dirname(path)}/${basename(target)}`, 0o600, files);
    let current = temporary;
    try {
      fillCopy(fd, old, files);
      files.rename(temporary, path);
      current = path;
      flushFolder(folder, files);
    } catch (error) {
      removeSibling(current, files, announce);
      throw error;
    }
    return path;
  } finally {
    closeFolder(folder, files);
  }
}

function fillCopy(fd: number, old: Uint8Array, files: FileSystem): void {
  try {
    writeAll(fd, old, files, 0);
    files.fsync(fd);
  } finally {
    closeQuietly(fd, files);
  }
}

function overwriteOrRestore(
  fd: number,
  { bytes, shown, announce }: InPlaceWrite,
  old: Uint8Array,
  recovery: string,
  files: FileSystem,
): void {
  try {
    overwrite(fd, bytes, files);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    try {
      overwrite(fd, old, files);
    } catch {
      throw new SopsError("ERR_WRITE", `Could not write in-place file: ${describeFailure(error, shown)}`, {
        hint: `the file is damaged; its content from before is in ${showPath(recovery)}`,
        cause: error,
      });
    }
    removeSibling(recovery, files, announce);
    throw error;
  }
}

function overwrite(fd: number, bytes: Uint8Array, files: FileSystem): void {
  writeAll(fd, bytes, files, 0);
  files.truncate(fd, bytes.length);
  files.fsync(fd);
}
