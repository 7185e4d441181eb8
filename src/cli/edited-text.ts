import { statSync } from "node:fs";
import { join } from "node:path";
import { readInput } from "../storage/read.ts";

/**
 * Reads what an editor left in the place of the file it was given.
 *
 * @returns undefined if there is no file any more
 * @throws {SopsError} ERR_READ, ERR_LIMIT if it cannot be read, or is too large to be encrypted
 */
export function readEdited(path: string): Uint8Array | undefined {
  return timeOf(path) === undefined ? undefined : readInput(path).bytes;
}

/** Where nano and Emacs put a text that was not saved when they are ended from outside. */
const EMERGENCY_NAMES: readonly ((name: string) => string)[] = [(name) => `${name}.save`, (name) => `#${name}#`];

/** Reads the newest text that an editor left in a folder, be it under the name of its emergency file. */
export function readNewest(folder: string, name: string): Uint8Array | undefined {
  const paths = [name, ...EMERGENCY_NAMES.map((nameOf) => nameOf(name))].map((file) => join(folder, file));
  const times = paths.map((path) => timeOf(path) ?? -1n);
  const newest = paths.reduce((best, _path, index) => ((times[index] ?? 0n) > (times[best] ?? 0n) ? index : best), 0);
  return readEdited(paths[newest] ?? "");
}

/** When a regular file was changed, in nanoseconds; whatever else has its name would make us wait, or is no text. */
function timeOf(path: string): bigint | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false });
  return status?.isFile() === true ? status.mtimeNs : undefined;
}
