import { SopsError } from "../errors.ts";
import { replaceFile, type Verify } from "./atomic.ts";
import { explaining, isLookup, type Announce } from "./failures.ts";
import { isErrno, nodeFileSystem, openFlags, succeeds, writeAll, type FileSystem } from "./file-system.ts";

/** Names that stand for a descriptor we hold already, with its number. */
const DESCRIPTOR_NAMES =
  /^\/(?:dev\/(?:(?<word>stdout|stderr)|fd\/(?<device>\d{1,9}))|proc\/self\/fd\/(?<proc>\d{1,9}))$/;

const STANDARD_DESCRIPTORS: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 };

/** How an output file is made. */
export interface OutputOptions {
  /** Whether `bytes` hold plaintext: a file that was not there is then made readable to its owner alone. */
  readonly secret: boolean;
  readonly announce?: Announce;
  /** As for `replaceFile`; not called for what cannot be replaced. */
  readonly verify?: Verify;
  /** As for `replaceFile`. */
  readonly readOnly?: "refuse" | "kernel" | "force";
  /** As for `replaceFile`. */
  readonly recoveryFolder?: string;
}

/**
 * Writes `bytes` to the file that the user named for the result, the way `replaceFile` does; an old file keeps its mode.
 * Pipes, terminals and devices, which cannot be replaced, are written to.
 *
 * @throws {SopsError} ERR_WRITE; the old content, if any, is in place then
 */
export function createOutput(
  path: string,
  bytes: Uint8Array,
  options: OutputOptions,
  files: FileSystem = nodeFileSystem,
): void {
  const { secret, ...rest } = options;
  const descriptor = descriptorOf(path);
  if (descriptor !== null) {
    // Opening the name anew would start at the beginning of a file that a shell opened to append.
    explaining("ERR_WRITE", couldNotWrite, path, () => {
      writeAll(descriptor, bytes, files);
    });
  } else if (isSpecial(path, files)) {
    explaining("ERR_WRITE", couldNotWrite, path, () => {
      writeSpecial(path, bytes, files);
    });
  } else {
    replaceFile(path, bytes, { ...rest, ...(secret ? { newMode: 0o600 } : {}), role: "output file" }, files);
  }
}

/**
 * Writes all of `bytes` to standard output before it returns: a process may end right after it.
 *
 * @throws {SopsError} ERR_WRITE if they cannot all be written; `isClosedPipe` tells a reader that had enough from a
 *   disk that is full
 */
export function writeStdout(bytes: Uint8Array, files: FileSystem = nodeFileSystem): void {
  explaining(
    "ERR_WRITE",
    () => "Could not write to standard output",
    "/dev/stdout",
    () => {
      writeAll(1, bytes, files);
    },
  );
}

/** Whether writing failed because whoever reads the pipe has gone, which is no reason for a message. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof SopsError && error.code === "ERR_WRITE" && isErrno(error.cause, "EPIPE");
}

function couldNotWrite(error: unknown): string {
  return isLookup(error) ? "Could not open output file for writing" : "Could not write output file";
}

function descriptorOf(path: string): number | null {
  const { word, device, proc } = DESCRIPTOR_NAMES.exec(path)?.groups ?? {};
  if (word !== undefined) return STANDARD_DESCRIPTORS[word] ?? null;
  const digits = device ?? proc;
  return digits === undefined ? null : Number(digits);
}

/** Whether the name leads to something else than a file or a folder; what cannot be looked at is left to `replaceFile`. */
function isSpecial(path: string, files: FileSystem): boolean {
  let special = false;
  succeeds(() => {
    const status = files.stat(path);
    special = !status.isFile() && !status.isDirectory();
  });
  return special;
}

function writeSpecial(path: string, bytes: Uint8Array, files: FileSystem): void {
  const fd = files.open(path, openFlags.write);
  try {
    writeAll(fd, bytes, files);
  } finally {
    files.close(fd);
  }
}
