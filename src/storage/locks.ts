import { createHash, randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { SopsError } from "../errors.ts";
import type { Cleanup } from "./cleanup.ts";
import { explaining, showPath } from "./failures.ts";
import {
  closeQuietly,
  errnoOf,
  isErrno,
  nodeFileSystem,
  openFlags,
  readAll,
  succeeds,
  writeAll,
  type FileSystem,
} from "./file-system.ts";
import { resolveLinks } from "./links.ts";
import { livenessOf, ownIdentity, type ProcessIdentity } from "./process-identity.ts";
import { removeSibling, removeTemporariesOf, siblingOf, siblingSuffixes } from "./siblings.ts";

// Why a lock file made with O_EXCL beside the target, holding who made it:
// - Node has no flock(2), and that one is neither seen by other machines nor kept across our rename of the target.
// - Beside the target, because that is the one place all its writers share, containers and NFS clients included.
// - Advisory: it orders writers of our kind. Others are noticed by the comparison before the rename (`atomic.ts`).
// - It goes with the process, on every signal that can be caught; after SIGKILL, by its process number and start time.

/** How to wait for a lock. */
export interface LockOptions {
  /** Gets the task that removes the lock should the process be ended meanwhile. */
  readonly cleanup: Cleanup;
  /** Milliseconds to wait for another process; 30 seconds by default. */
  readonly timeout?: number;
  /** Takes the lock where the target's own folder is not writable; must exist. Without it, there is none then. */
  readonly lockFolder?: string;
}

const DEFAULT_TIMEOUT = 30_000;

/** Pauses between two tries, in milliseconds: short at first, and random lest waiting processes keep in step. */
const PAUSES = { first: 2, longest: 50 } as const;

/** After so many milliseconds a lock is void whose process we cannot look at, or which holds no process at all. */
const VOID_AFTER = { unknown: 600_000, empty: 10_000 } as const;

/**
 * Runs `use` while no other process holds the lock of the file, links followed. To be taken before the file is read, and
 * given back after it is replaced: then of any number of processes that change one file none undoes the other's work.
 *
 * @throws {SopsError} ERR_LOCKED if another process keeps it longer than `timeout`; and what `use` throws
 */
export async function withFileLock<T>(
  path: string,
  options: LockOptions,
  use: () => Promise<T>,
  files: FileSystem = nodeFileSystem,
): Promise<T> {
  const release = await acquire(path, options, files);
  try {
    return await use();
  } finally {
    release();
  }
}

async function acquire(path: string, options: LockOptions, files: FileSystem): Promise<() => void> {
  const target = explaining("ERR_WRITE", couldNotLock, path, () => resolveLinks(resolve(path), files));
  const own = JSON.stringify({ ...ownIdentity(files), token: randomBytes(8).toString("hex") });
  const deadline = Date.now() + (options.timeout ?? DEFAULT_TIMEOUT);
  let pause: number = PAUSES.first;
  for (;;) {
    const lock = createLock(target, own, options, files);
    if (lock.state === "impossible") return () => undefined;
    if (lock.state === "made") return releasing(lock.path, own, options.cleanup, files);
    const holder = explaining("ERR_WRITE", couldNotLock, target, () => holderOf(lock.path, target, files));
    if (holder !== "none" && Date.now() >= deadline) throw locked(path, lock.path, holder);
    await delay(pause * (0.5 + Math.random()));
    pause = Math.min(2 * pause, PAUSES.longest);
  }
}

function couldNotLock(): string {
  return "Could not lock file";
}

/** Looks at a lock that is taken: null if it is gone by now, `none` if it was void, and is removed. */
function holderOf(path: string, target: string, files: FileSystem): SeenLock | null | "none" {
  const seen = readLock(path, files);
  if (seen === null || !isVoid(seen, files)) return seen;
  removeVoidLock(path, seen, target, files);
  return "none";
}

/** One try to make the lock: where, and what came of it. */
type LockAttempt = { readonly state: "made" | "taken"; readonly path: string } | { readonly state: "impossible" };

/**
 * Tries to make the lock file. A folder that is not there, or that nobody may write to, has no lock: the first is for
 * the reader of the file to report, in the second the comparison before writing has to do.
 */
function createLock(target: string, content: string, options: LockOptions, files: FileSystem): LockAttempt {
  const elsewhere = createHash("sha256").update(target).digest("hex").slice(0, 32) + siblingSuffixes.lock;
  const places = [siblingOf(target, siblingSuffixes.lock)];
  if (options.lockFolder !== undefined) places.push(`${options.lockFolder}/${elsewhere}`);
  return explaining("ERR_WRITE", couldNotLock, target, (): LockAttempt => {
    for (const path of places) {
      try {
        return { state: createExclusively(path, content, files) ? "made" : "taken", path };
      } catch (error) {
        if (!isErrno(error, "EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR")) throw error;
      }
    }
    return { state: "impossible" };
  });
}

/** Makes a file with this content; false if there is one. */
function createExclusively(path: string, content: string, files: FileSystem): boolean {
  let fd: number;
  try {
    fd = files.open(path, openFlags.create, 0o644);
  } catch (error) {
    if (isErrno(error, "EEXIST")) return false;
    throw error;
  }
  try {
    writeAll(fd, Buffer.from(content), files, 0);
  } catch (error) {
    removeSibling(path, files);
    throw error;
  } finally {
    closeQuietly(fd, files);
  }
  return true;
}

/** The function that gives the lock back; it leaves alone one that was judged void and taken over meanwhile. */
function releasing(path: string, own: string, cleanup: Cleanup, files: FileSystem): () => void {
  const release = (): void => {
    settled();
    // The work is done: a lock that cannot be looked at is left, and void once its process is gone.
    succeeds(() => {
      if (readLock(path, files)?.content === own) removeSibling(path, files);
    });
  };
  const settled = cleanup.add(release);
  return release;
}

/** A lock as another process finds it. */
interface SeenLock {
  readonly content: string;
  /** Null as long as nothing is written in it. */
  readonly owner: ProcessIdentity | null;
  /** Milliseconds since it was made, by the clock of whoever stores it. */
  readonly age: number;
}

/** Longest lock file of ours, in bytes. */
const MAX_LOCK_BYTES = 1024;

function readLock(path: string, files: FileSystem): SeenLock | null {
  let fd: number;
  try {
    fd = files.open(path, openFlags.readResolved);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    if (errnoOf(error) === undefined) throw error;
    return { content: "", owner: null, age: 0 }; // Somebody's, and not ours to judge.
  }
  try {
    const age = Date.now() - Number(files.fstat(fd).mtimeNs / 1_000_000n);
    const content = Buffer.from(readAll(fd, MAX_LOCK_BYTES, MAX_LOCK_BYTES, files)).toString("utf8");
    return { content, owner: ownerOf(content), age };
  } finally {
    closeQuietly(fd, files);
  }
}

function ownerOf(content: string): ProcessIdentity | null {
  const { pid, start, scope } = OWNER.exec(content)?.groups ?? {};
  return pid === undefined || start === undefined || scope === undefined ? null : { pid: Number(pid), start, scope };
}

/** What `acquire` writes into a lock. */
const OWNER = /^\{"pid":(?<pid>\d{1,10}),"start":"(?<start>\d*)","scope":"(?<scope>[0-9a-f]{8})"/;

function isVoid({ owner, age }: SeenLock, files: FileSystem): boolean {
  if (owner === null) return age > VOID_AFTER.empty;
  const liveness = livenessOf(owner, files);
  return liveness === "gone" || (liveness === "unknown" && age > VOID_AFTER.unknown);
}

/**
 * Removes a void lock, and what the killed process left beside the target. A second lock makes sure that of several
 * processes which found the same void lock, none removes the one that another has made since.
 */
function removeVoidLock(path: string, seen: SeenLock, target: string, files: FileSystem): void {
  const guard = path.slice(0, -siblingSuffixes.lock.length) + siblingSuffixes.guard;
  if (!createExclusively(guard, "", files)) {
    const other = readLock(guard, files);
    if (other !== null && other.age > VOID_AFTER.empty) removeSibling(guard, files);
    return;
  }
  try {
    if (readLock(path, files)?.content !== seen.content) return;
    removeSibling(path, files);
    if (seen.owner !== null && livenessOf(seen.owner, files) === "gone")
      removeTemporariesOf(seen.owner.pid, target, files);
  } finally {
    removeSibling(guard, files);
  }
}

function locked(path: string, lock: string, seen: SeenLock | null): SopsError {
  const who = seen?.owner ? ` (process ${String(seen.owner.pid)})` : "";
  return new SopsError("ERR_LOCKED", `${showPath(path)} is being changed by another process${who}`, {
    hint: `if there is none, delete ${showPath(lock)}`,
  });
}
