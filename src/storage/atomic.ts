import { dirname, resolve } from "node:path";
import { SopsError } from "../errors.ts";
import { explaining, isLookup, reasonOf, showPath, type Announce } from "./failures.ts";
import {
  closeQuietly,
  holds,
  isErrno,
  nodeFileSystem,
  openFlags,
  succeeds,
  writeAll,
  type FileStatus,
  type FileSystem,
} from "./file-system.ts";
import { closeFolder, flushFolder, openFolder } from "./folder.ts";
import { writeInPlace } from "./in-place.ts";
import { resolveLinks } from "./links.ts";
import { applyPermissions } from "./permissions.ts";
import { isSameFile, type FileIdentity } from "./read.ts";
import { createTemporary, removeSibling, type TemporarySibling } from "./siblings.ts";

/** @param holds - tells whether what was written reads back as these bytes */
export type Verify = (holds: (bytes: Uint8Array) => boolean) => void;

/** How a file is to be replaced; everything has a default. */
export interface ReplaceOptions {
  /**
   * The file as it was read: the replacement is refused if it is another by now. `null`: there was none, and
   * one that appeared meanwhile is not overwritten. Without it, nothing is compared.
   */
  readonly identity?: FileIdentity | null;
  /** Permission bits of a file that was not there, whatever the umask says; by default 0666 less the umask. */
  readonly newMode?: number;
  /** Called when the bytes are on the disk; throws if they must not take the file's place. */
  readonly verify?: Verify;
  /** `require` refuses where only writing in place is possible. */
  readonly atomic?: "prefer" | "require";
  /**
   * A file without any write permission: `refuse` it whoever asks (default), leave it to the `kernel`, which lets root
   * through, or replace it by `force`.
   */
  readonly readOnly?: "refuse" | "kernel" | "force";
  /** Tells the user what does not stop the replacement; `Host.warn` fits. */
  readonly announce?: Announce;
  /** Where the recovery copy goes when the file's own folder takes none; must exist. Without it: refused. */
  readonly recoveryFolder?: string;
  /** What the file is to the user, in the words of the reference's messages. */
  readonly role?: "in-place file" | "output file";
}

/** What became of a replacement. */
export interface Replacement {
  /** The file written: `path` with its links followed. */
  readonly path: string;
  /** False if it was written in place, for want of another way. */
  readonly atomic: boolean;
}

/**
 * Puts `bytes` in the place of a file: at every moment, whatever fails or kills us, its name leads to the old or to the
 * new content, whole. A temporary file in the same folder is written, flushed, verified and renamed over the target.
 *
 * Symbolic links stay and their target is replaced; mode and owner are kept. Files that a rename would detach or cannot
 * reach (hard links, a file that is a mount point, a folder we may not write to) are written in place, with a copy of
 * the old content beside them until it is done.
 *
 * Nothing else than the kernel can close the instant between the last comparison and the rename: take a lock
 * (`locks.ts`) against other writers of our kind.
 *
 * @throws {SopsError} ERR_WRITE if it cannot be written, ERR_CHANGED_MEANWHILE if it is not the file that was read;
 *   in both cases the old content is in place
 */
export function replaceFile(
  path: string,
  bytes: Uint8Array,
  options: ReplaceOptions = {},
  files: FileSystem = nodeFileSystem,
): Replacement {
  const role = roleOf(options);
  const shown = role === "output file" ? path : resolve(path);
  const prefix = (error: unknown): string =>
    isLookup(error) ? `Could not open ${role} for writing` : `Could not write ${role}`;
  return explaining("ERR_WRITE", prefix, shown, () => {
    const target = resolveLinks(shown, files);
    const old = inspect(target, shown, options, files);
    const plan: Plan = { target, shown, bytes, old, options, files };
    return old === null ? create(plan) : replace(plan, old);
  });
}

/** One replacement under way: the resolved `target`, and how messages name it. */
interface Plan {
  readonly target: string;
  readonly shown: string;
  readonly bytes: Uint8Array;
  readonly old: FileStatus | null;
  readonly options: ReplaceOptions;
  readonly files: FileSystem;
}

/** Finds out, without touching it, whether the target may be written; null if there is none. */
function inspect(target: string, shown: string, options: ReplaceOptions, files: FileSystem): FileStatus | null {
  const status = statusOf(target, files);
  if (status === null) return null;
  if (!status.isFile()) {
    const kind = status.isDirectory() ? "is a directory" : "not a regular file";
    throw new SopsError("ERR_WRITE", `Could not open ${roleOf(options)} for writing: open ${showPath(shown)}: ${kind}`);
  }
  const readOnly = options.readOnly ?? "refuse";
  if (readOnly === "refuse" && (status.mode & 0o222n) === 0n) {
    throw new SopsError(
      "ERR_WRITE",
      `Could not open ${roleOf(options)} for writing: open ${showPath(shown)}: permission denied`,
      { hint: "the file is read-only: make it writable, or force it" },
    );
  }
  // The folder alone decides about a rename. Whether the file may be written, the kernel says when it is opened.
  if (readOnly !== "force") files.close(files.open(target, openFlags.updateResolved));
  return status;
}

function roleOf(options: ReplaceOptions): "in-place file" | "output file" {
  return options.role ?? "in-place file";
}

function statusOf(path: string, files: FileSystem): FileStatus | null {
  try {
    return files.lstat(path);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}

/** What stops a rename but not writing into the file: no rights to the folder, or a mount point. */
const NOT_BY_RENAME = ["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV"] as const;

function replace(plan: Plan, old: FileStatus): Replacement {
  const { target, options, files } = plan;
  if (old.nlink > 1n) return inPlace(plan, old, `it has ${String(old.nlink)} hard links`);
  try {
    withTemporary(plan, 0o600, (temporary) => {
      assertUnchanged(plan);
      files.rename(temporary.path, target);
    });
    return { path: target, atomic: true };
  } catch (error) {
    if (!isErrno(error, ...NOT_BY_RENAME) || options.readOnly === "force") throw error;
    return inPlace(plan, old, `its folder does not let it be replaced: ${reasonOf(error)}`);
  }
}

function inPlace(plan: Plan, old: FileStatus, why: string): Replacement {
  const { target, shown, bytes, options, files } = plan;
  if (options.atomic === "require") {
    throw new SopsError("ERR_WRITE", `${showPath(shown)} cannot be replaced by renaming: ${why}`);
  }
  assertUnchanged(plan);
  writeInPlace({ target, shown, bytes, status: old, why, ...options }, files);
  return { path: target, atomic: false };
}

/** Makes a file that was not there. */
function create(plan: Plan): Replacement {
  const { target, shown, options, files } = plan;
  if (options.identity) throw changedMeanwhile(shown);
  withTemporary(plan, options.newMode ?? 0o666, (temporary) => {
    if (options.identity === null) publish(temporary.path, plan);
    else files.rename(temporary.path, target);
  });
  return { path: target, atomic: true };
}

/** What file systems without hard links answer. */
const NO_HARD_LINKS = ["EPERM", "EACCES", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"] as const;

/** Gives the temporary file its name, unless somebody took it: a link, unlike a rename, overwrites nothing. */
function publish(temporary: string, { target, shown, options, files }: Plan): void {
  const link = (): void => {
    files.link(temporary, target);
  };
  try {
    if (!succeeds(link, ...NO_HARD_LINKS)) {
      // The next best thing: look, then rename.
      if (statusOf(target, files) !== null) throw changedMeanwhile(shown);
      files.rename(temporary, target);
      return;
    }
  } catch (error) {
    throw isErrno(error, "EEXIST") ? changedMeanwhile(shown) : error;
  }
  removeSibling(temporary, files, options.announce);
}

/**
 * Writes a temporary file with everything the target shall have, calls `publish` with it, and flushes the folder.
 * The temporary file is gone afterwards, by its new name or because something failed.
 */
function withTemporary(plan: Plan, mode: number, publish: (temporary: TemporarySibling) => void): void {
  const { target, shown, options, files } = plan;
  // Opened first: what can fail about it shall fail while the old content is in place.
  const folder = openFolder(dirname(target), files);
  try {
    const temporary = createTemporary(target, mode, files);
    try {
      fill(temporary.fd, plan);
      publish(temporary);
    } catch (error) {
      removeSibling(temporary.path, files, options.announce);
      throw error;
    }
    // The new content is in force: too late for an error.
    const flushed = succeeds(() => {
      flushFolder(folder, files);
    });
    if (!flushed) options.announce?.("The folder could not be flushed to the disk.", { file: showPath(shown) });
  } finally {
    closeFolder(folder, files);
  }
}

function fill(fd: number, { bytes, old, options, files }: Plan): void {
  let open = true;
  try {
    writeAll(fd, bytes, files, 0);
    applyPermissions(fd, old, old === null ? options.newMode : Number(old.mode & 0o7777n), files, options.announce);
    files.fsync(fd);
    options.verify?.((meant) => holds(fd, meant, files));
    open = false;
    files.close(fd);
  } finally {
    if (open) closeQuietly(fd, files);
  }
}

/** Compares the file with what was read, through a descriptor of its own: the name may lead elsewhere by now. */
function assertUnchanged({ target, shown, options, files }: Plan): void {
  const { identity } = options;
  if (identity === undefined) return;
  if (identity === null) throw changedMeanwhile(shown);
  const fd = openUnlessGone(target, files);
  if (fd === null) throw changedMeanwhile(shown);
  try {
    if (!isSameFile(identity, fd, files)) throw changedMeanwhile(shown);
  } finally {
    files.close(fd);
  }
}

function openUnlessGone(path: string, files: FileSystem): number | null {
  try {
    return files.open(path, openFlags.readResolved);
  } catch (error) {
    // Gone, or a link, a folder, a pipe in its place.
    if (isErrno(error, "ENOENT", "ELOOP", "ENXIO")) return null;
    throw error;
  }
}

function changedMeanwhile(shown: string): SopsError {
  return new SopsError("ERR_CHANGED_MEANWHILE", `${showPath(shown)} changed while it was being worked on`, {
    hint: "nothing was written: run the command again",
  });
}
