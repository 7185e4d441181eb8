import { chmodSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder for one test, removed after it. */
export interface Scratch {
  readonly path: string;
  /** The path of a name in it. */
  at(name: string): string;
  /** Makes or overwrites a file, with these permission bits whatever the umask, and returns its path. */
  put(name: string, text: string, mode?: number): string;
  text(name: string): string;
  /** Permission bits. */
  mode(name: string): number;
  /** All names, sorted. */
  names(): string[];
}

/** Makes a scratch folder, by default in the system's temporary folder. */
export function scratch(base: string = tmpdir()): Scratch {
  const path = mkdtempSync(join(base, "leafcrypt-test-"));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return scratchAt(path);
}

/** The same view of a folder that somebody else made and removes. */
export function scratchAt(path: string): Scratch {
  const at = (name: string): string => join(path, name);
  return {
    path,
    at,
    put(name, text, mode = 0o644) {
      writeFileSync(at(name), text);
      chmodSync(at(name), mode);
      return at(name);
    },
    text: (name) => readFileSync(at(name), "utf8"),
    mode: (name) => lstatSync(at(name)).mode & 0o7777,
    names: () => readdirSync(path).sort(),
  };
}
