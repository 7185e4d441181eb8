import { SopsError, type ErrorCode } from "../errors.ts";
import { errnoOf } from "./file-system.ts";

/** Tells the user something that does not stop the operation; `Host.warn` is one. */
export type Announce = (message: string, fields?: Readonly<Record<string, string>>) => void;

/** The C library's words for what users meet, as Go programs print them. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EAGAIN: "resource temporarily unavailable",
  EBADF: "bad file descriptor",
  EBUSY: "device or resource busy",
  EDQUOT: "disk quota exceeded",
  EEXIST: "file exists",
  EFBIG: "file too large",
  EINVAL: "invalid argument",
  EIO: "input/output error",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  EMFILE: "too many open files",
  EMLINK: "too many links",
  ENAMETOOLONG: "file name too long",
  ENFILE: "too many open files in system",
  ENODEV: "no such device",
  ENOENT: "no such file or directory",
  ENOMEM: "cannot allocate memory",
  ENOSPC: "no space left on device",
  ENOTDIR: "not a directory",
  ENXIO: "no such device or address",
  EPERM: "operation not permitted",
  EPIPE: "broken pipe",
  EROFS: "read-only file system",
  ESTALE: "stale file handle",
  ETXTBSY: "text file busy",
  EXDEV: "invalid cross-device link",
};

/** A path as messages show it: control characters escaped, so that a file name cannot steer a terminal. */
export function showPath(path: string): string {
  return path.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (character) =>
    character === "\n" ? "\\n" : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The reason of a failed system call in words; an errno without words is shown by its name. */
export function reasonOf(error: unknown): string {
  const name = errnoOf(error) ?? "unknown";
  return REASONS[name] ?? name;
}

/** Calls that look a file up; Go performs one `open` where we need several. */
const LOOKUPS: ReadonlySet<string> = new Set(["open", "stat", "lstat", "readlink", "fstat", "scandir"]);

/** Whether the call that failed was looking for the file, or opening it, rather than changing it. */
export function isLookup(error: unknown): boolean {
  return LOOKUPS.has((error as NodeJS.ErrnoException).syscall ?? "");
}

/** A failed system call in the shape `open /path/file: permission denied`. */
export function describeFailure(error: unknown, path: string): string {
  const call = isLookup(error) ? "open" : ((error as NodeJS.ErrnoException).syscall ?? "use");
  return `${call} ${showPath(path)}: ${reasonOf(error)}`;
}

/**
 * Runs `action` and turns a failed system call into a SopsError; whatever else is thrown passes unchanged.
 *
 * @param prefix - what to say before `open /path: reason`, once the error is known
 */
export function explaining<T>(code: ErrorCode, prefix: (error: unknown) => string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    throw new SopsError(code, `${prefix(error)}: ${describeFailure(error, path)}`, { cause: error });
  }
}
