import { resolve } from "node:path";
import { SopsError } from "../errors.ts";
import { explaining, showPath } from "./failures.ts";
import { holds, isErrno, nodeFileSystem, openFlags, readAll, type FileStatus, type FileSystem } from "./file-system.ts";

/**
 * Largest input taken, in bytes: a text longer than this does not fit into one JavaScript string.
 */
export const MAX_INPUT_BYTES: number = 512 * 1024 * 1024 - 24;

/**
 * Which file was read, and what it held: enough to notice, before it is replaced, that somebody changed it meanwhile.
 *
 * The content is kept instead of a digest: it is in memory anyway, and comparing it is cheaper than hashing.
 */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly content: Uint8Array;
}

/** An input file. `identity` is null for what cannot be replaced: pipes, terminals, devices. */
export interface InputFile {
  readonly bytes: Uint8Array;
  readonly identity: FileIdentity | null;
}

/**
 * Reads a whole file through one descriptor.
 *
 * @throws {SopsError} ERR_READ if it is missing, a directory, or unreadable; ERR_LIMIT above `MAX_INPUT_BYTES`
 */
export function readInput(path: string, files: FileSystem = nodeFileSystem): InputFile {
  const absolute = resolve(path);
  return explaining(
    "ERR_READ",
    () => "Error reading file",
    absolute,
    () => readWhole(absolute, files),
  );
}

/**
 * Reads a file that need not be there.
 *
 * @returns null if nothing has this name
 * @throws {SopsError} as `readInput`
 */
export function readIfPresent(path: string, files: FileSystem = nodeFileSystem): Uint8Array | null {
  try {
    return readInput(path, files).bytes;
  } catch (error) {
    if (error instanceof SopsError && isErrno(error.cause, "ENOENT", "ENOTDIR")) return null;
    throw error;
  }
}

/**
 * Reads standard input to its end.
 *
 * @throws {SopsError} ERR_READ if it is closed or fails; ERR_LIMIT above `MAX_INPUT_BYTES`
 */
export function readStdin(files: FileSystem = nodeFileSystem): Uint8Array {
  return explaining(
    "ERR_READ",
    () => "Error reading from stdin",
    "/dev/stdin",
    () => readWithinLimit(0, 65_536, "standard input", files),
  );
}

/** Whether there is something with this name, links followed. What cannot be looked at is for its reader to report. */
export function fileExists(path: string, files: FileSystem = nodeFileSystem): boolean {
  try {
    files.stat(path);
    return true;
  } catch (error) {
    return !isErrno(error, "ENOENT", "ENOTDIR");
  }
}

/** Bytes of a file, links followed; 0 for what cannot be looked at. */
export function fileSize(path: string, files: FileSystem = nodeFileSystem): number {
  try {
    return Number(files.stat(path).size);
  } catch {
    return 0;
  }
}

/** Whether an open file is the one that was read, with the same bytes, not touched in between. */
export function isSameFile(read: FileIdentity, fd: number, files: FileSystem): boolean {
  const now = files.fstat(fd);
  const isSame = read.dev === now.dev && read.ino === now.ino && read.size === now.size && read.mtimeNs === now.mtimeNs;
  return isSame && holds(fd, read.content, files);
}

function readWhole(path: string, files: FileSystem): InputFile {
  const fd = files.open(path, openFlags.read);
  try {
    const status = files.fstat(fd);
    if (status.size > MAX_INPUT_BYTES) throw tooLarge(showPath(path));
    const bytes = readWithinLimit(fd, Number(status.size), showPath(path), files);
    return { bytes, identity: status.isFile() ? { ...keptOf(status), content: bytes } : null };
  } finally {
    files.close(fd);
  }
}

function keptOf({ dev, ino, size, mtimeNs }: FileStatus): Omit<FileIdentity, "content"> {
  return { dev, ino, size, mtimeNs };
}

function readWithinLimit(fd: number, expected: number, name: string, files: FileSystem): Uint8Array {
  const bytes = readAll(fd, expected, MAX_INPUT_BYTES, files);
  if (bytes.length > MAX_INPUT_BYTES) throw tooLarge(name);
  return bytes;
}

function tooLarge(name: string): SopsError {
  return new SopsError("ERR_LIMIT", `${name} is larger than ${String(MAX_INPUT_BYTES)} bytes`);
}
