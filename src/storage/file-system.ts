import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  statfsSync,
  unlinkSync,
  // eslint-disable-next-line no-restricted-syntax -- the one place
  writeSync,
  chmodSync,
  type BigIntStats,
} from "node:fs";

/** What the storage wants to know of a file; times in nanoseconds, sizes in bytes. */
export type FileStatus = BigIntStats;

/**
 * The calls through which the storage reaches the disk: each is one system call, synchronous, and throws Node's errors.
 *
 * A parameter of every function here, so that a test can make the n-th call fail, or be the last one of the process.
 */
export interface FileSystem {
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Fills part of `buffer` from `position`, or from where the descriptor stands; returns how much, 0 at the end. */
  read(fd: number, buffer: Uint8Array, offset: number, position: number | null): number;
  /** Writes from `offset` of `bytes` on, at `position` or where the descriptor stands; may write less than asked. */
  write(fd: number, bytes: Uint8Array, offset: number, position: number | null): number;
  truncate(fd: number, size: number): void;
  fsync(fd: number): void;
  fstat(fd: number): FileStatus;
  chmod(fd: number, mode: number): void;
  chown(fd: number, uid: number, gid: number): void;
  stat(path: string): FileStatus;
  lstat(path: string): FileStatus;
  readlink(path: string): string;
  rename(from: string, to: string): void;
  link(existing: string, path: string): void;
  unlink(path: string): void;
  makeFolder(path: string, mode: number): void;
  /** Sets the permissions of a folder, which has no descriptor for `chmod`. */
  chmodFolder(path: string, mode: number): void;
  list(path: string): string[];
  /** Removes a folder and all in it; one that is gone already is no error. */
  removeFolder(path: string): void;
  /** Kind of the file system that holds `path` (its magic number) and bytes free for this user. */
  volume(path: string): { readonly type: number; readonly free: number };
}

/** The real one. */
export const nodeFileSystem: FileSystem = {
  open: (path, flags, mode) => openSync(path, flags, mode),
  close: (fd) => {
    closeSync(fd);
  },
  read: (fd, buffer, offset, position) => readSync(fd, buffer, offset, buffer.length - offset, position),
  write: (fd, bytes, offset, position) => writeSync(fd, bytes, offset, bytes.length - offset, position),
  truncate: (fd, size) => {
    ftruncateSync(fd, size);
  },
  fsync: (fd) => {
    fsyncSync(fd);
  },
  fstat: (fd) => fstatSync(fd, { bigint: true }),
  chmod: (fd, mode) => {
    fchmodSync(fd, mode);
  },
  chown: (fd, uid, gid) => {
    fchownSync(fd, uid, gid);
  },
  stat: (path) => statSync(path, { bigint: true }),
  lstat: (path) => lstatSync(path, { bigint: true }),
  readlink: (path) => readlinkSync(path),
  rename: (from, to) => {
    renameSync(from, to);
  },
  link: (existing, path) => {
    linkSync(existing, path);
  },
  unlink: (path) => {
    unlinkSync(path);
  },
  makeFolder: (path, mode) => {
    mkdirSync(path, { mode });
  },
  chmodFolder: (path, mode) => {
    chmodSync(path, mode);
  },
  list: (path) => readdirSync(path),
  removeFolder: (path) => {
    rmSync(path, { recursive: true, force: true });
  },
  volume: (path) => {
    const { type, bavail, bsize } = statfsSync(path);
    return { type, free: bavail * bsize };
  },
};

/** Flags that Windows does not know are undefined there, so they count as 0. */
const {
  O_NOFOLLOW = 0,
  O_NONBLOCK = 0,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  O_CREAT,
  O_EXCL,
} = constants as Readonly<Partial<typeof constants>> &
  Pick<typeof constants, "O_RDONLY" | "O_RDWR" | "O_WRONLY" | "O_CREAT" | "O_EXCL">;

/** How the storage opens files. */
export const openFlags: Readonly<Record<"read" | "write" | "readResolved" | "updateResolved" | "create", number>> = {
  read: O_RDONLY,
  write: O_WRONLY,
  /** A resolved path: a link in its place is an error, and a pipe in its place does not make us wait. */
  readResolved: O_RDONLY | O_NOFOLLOW | O_NONBLOCK,
  updateResolved: O_RDWR | O_NOFOLLOW | O_NONBLOCK,
  /** Made by this call, or an error; a link is never followed. */
  create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
};

/** The errno name of a failed system call, such as `ENOENT`; undefined for any other thrown thing. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === "string" && typeof syscall === "string" ? code : undefined;
}

/** Whether `error` is a failed system call with one of these errno names. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  const name = errnoOf(error);
  return name !== undefined && names.includes(name);
}

/**
 * Runs a system call that may fail without harm; what is not a failed system call passes through.
 *
 * @param names - the errno names that are harmless; without any, all are
 * @returns whether the call succeeded
 */
export function succeeds(call: () => void, ...names: readonly string[]): boolean {
  try {
    call();
    return true;
  } catch (error) {
    const name = errnoOf(error);
    if (name === undefined || (names.length > 0 && !names.includes(name))) throw error;
    return false;
  }
}

/** Closes a descriptor whose content no longer matters. */
export function closeQuietly(fd: number, files: FileSystem): void {
  succeeds(() => {
    files.close(fd);
  });
}

/** Pauses the whole process; for the rare moments between two tries of a synchronous call. */
export function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Longest pause before a descriptor that is not ready is tried again, in milliseconds. */
const LONGEST_PAUSE = 50;

/** Repeats a call while a signal interrupts it or a non-blocking descriptor is not ready. */
function whenReady(call: () => number): number {
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      return call();
    } catch (error) {
      if (isErrno(error, "EAGAIN", "EWOULDBLOCK")) sleep(pause);
      else if (!isErrno(error, "EINTR")) throw error;
    }
  }
}

/**
 * Writes all of `bytes`, however small the pieces the system takes.
 *
 * @param position - where in the file to begin; without one, where the descriptor stands, as pipes need
 */
export function writeAll(fd: number, bytes: Uint8Array, files: FileSystem, position: number | null = null): void {
  for (let done = 0; done < bytes.length;) {
    done += whenReady(() => files.write(fd, bytes, done, position === null ? null : position + done));
  }
}

/**
 * Reads to the end, from where the descriptor stands; or from the start with `position` 0.
 *
 * @param expected - bytes the file should have; only a hint for the first buffer
 * @param limit - where to stop: more than `limit` bytes in the result mean that there is more to read
 */
export function readAll(
  fd: number,
  expected: number,
  limit: number,
  files: FileSystem,
  position: 0 | null = null,
): Uint8Array {
  // One byte more than expected, so that the usual file ends with a read of 0 bytes into the same buffer.
  let buffer = new Uint8Array(Math.min(expected, limit) + 1);
  for (let length = 0; ;) {
    const count = whenReady(() => files.read(fd, buffer, length, position === null ? null : position + length));
    length += count;
    if (count === 0 || length > limit) return buffer.subarray(0, length);
    if (length === buffer.length) buffer = grown(buffer);
  }
}

const PIECE = 2 ** 20;

/** Whether a file holds exactly these bytes. Read piece by piece: a large file does not fit in memory many times. */
export function holds(fd: number, bytes: Uint8Array, files: FileSystem): boolean {
  const piece = new Uint8Array(Math.min(bytes.length + 1, PIECE));
  for (let at = 0; ;) {
    const count = whenReady(() => files.read(fd, piece, 0, at));
    if (count === 0) return at === bytes.length;
    if (Buffer.compare(piece.subarray(0, count), bytes.subarray(at, at + count)) !== 0) return false;
    at += count;
  }
}

function grown(buffer: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(2 * buffer.length, 65_536));
  larger.set(buffer);
  return larger;
}
