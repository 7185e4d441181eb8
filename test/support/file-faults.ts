import { nodeFileSystem, type FileSystem } from "../../src/storage/file-system.ts";

/** Thrown by the call at which the process is "killed", and by every later one: the dead do not clean up. */
export class Killed extends Error {}

/** What happens at the n-th call (counted from 1) of a faulty file system. */
export interface Fault {
  readonly at: number;
  /**
   * An errno name: the call fails with it and does nothing. `kill`: the process ends before the call. `kill-within`:
   * a write stores half of its bytes first.
   */
  readonly with: string;
  /** Whether all later calls fail in the same way; a kill always does. */
  readonly forever?: boolean;
  /** Counts and hits only calls with these names. */
  readonly only?: readonly (keyof FileSystem)[];
}

/** A file system under test. */
export interface FaultyFileSystem {
  readonly files: FileSystem;
  /** The names of the calls made so far. */
  readonly calls: readonly string[];
  /** Whether the fault was met. */
  readonly fired: () => boolean;
}

const SYSTEM_CALLS: Readonly<Partial<Record<keyof FileSystem, string>>> = {
  truncate: "ftruncate",
  chmod: "fchmod",
  chown: "fchown",
  makeFolder: "mkdir",
  list: "scandir",
  removeFolder: "rm",
};

/** The real file system with one fault in it; without a fault, it just counts. */
export function faulty(fault: Fault | null, real: FileSystem = nodeFileSystem): FaultyFileSystem {
  const calls: string[] = [];
  let counted = 0;
  const isHit = (name: keyof FileSystem): boolean => {
    calls.push(name);
    if (fault?.only !== undefined && !fault.only.includes(name)) return false;
    counted += 1;
    return fault !== null && (counted === fault.at || (counted > fault.at && isLasting(fault)));
  };
  const wrap = (name: keyof FileSystem): unknown => {
    return (...parameters: unknown[]): unknown => {
      if (!isHit(name)) return (real[name] as (...all: unknown[]) => unknown)(...parameters);
      if (fault?.with === "kill-within" && counted === fault.at && name === "write") writeHalf(real, parameters);
      throw errorOf(fault as Fault, name);
    };
  };
  const names = Object.keys(real) as (keyof FileSystem)[];
  const files = Object.fromEntries(names.map((name) => [name, wrap(name)])) as unknown as FileSystem;
  return { files, calls, fired: () => fault !== null && counted >= fault.at };
}

/** The real file system, where the n-th call of one name fails, and all after it if `forever`. */
export function failing(name: keyof FileSystem, errno: string, at = 1, forever = false): FileSystem {
  return faulty({ at, with: errno, only: [name], forever }).files;
}

function isLasting(fault: Fault): boolean {
  return fault.forever === true || fault.with.startsWith("kill");
}

function errorOf(fault: Fault, name: keyof FileSystem): Error {
  if (fault.with.startsWith("kill")) return new Killed(`killed at ${name}`);
  return Object.assign(new Error(fault.with), { code: fault.with, syscall: SYSTEM_CALLS[name] ?? name });
}

function writeHalf(real: FileSystem, parameters: readonly unknown[]): void {
  const [fd, bytes, offset, position] = parameters as [number, Uint8Array, number, number | null];
  real.write(fd, bytes.subarray(0, offset + Math.floor((bytes.length - offset) / 2)), offset, position);
}
