import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const ROOT: string = fileURLToPath(new URL("../../../", import.meta.url));

const INSTALLED = ["bin", "py/bin"].map((folder) => join(ROOT, ".cache/test-servers", folder));

/** Debian and Ubuntu keep PostgreSQL's server off PATH, a folder for each version. */
const POSTGRES = "/usr/lib/postgresql";
const POSTGRES_FOLDERS = existsSync(POSTGRES) ? readdirSync(POSTGRES).map((name) => join(POSTGRES, name, "bin")) : [];

/** The path of a program that `scripts/test-servers` installed, else of one of the system; null when there is none. */
export function findProgram(name: string): string | null {
  return (
    [...INSTALLED, ...(process.env["PATH"] ?? "").split(delimiter), ...POSTGRES_FOLDERS]
      .map((folder) => join(folder, name))
      .find(isExecutable) ?? null
  );
}

/** Like `findProgram`, on PATH alone: what the system brings, such as Debian's age. */
export function findSystemProgram(name: string): string | null {
  return (
    (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find(isExecutable) ?? null
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return existsSync(path);
  } catch {
    return false;
  }
}

/**
 * The names in `LEAFCRYPT_REQUIRED_SERVERS`, separated by blanks. What is named there and missing makes the run fail;
 * what is not named is skipped with a reason.
 */
const REQUIRED: ReadonlySet<string> = new Set((process.env["LEAFCRYPT_REQUIRED_SERVERS"] ?? "").split(/[\s,]+/));

/** Why the tests of a counterpart are skipped; null when its programs are all here. @throws if it is required */
export function missingReason(name: string, programs: readonly string[]): string | null {
  const missing = programs.filter((program) => findProgram(program) === null);
  if (missing.length === 0) return null;
  const reason = `${missing.join(", ")} not installed`;
  if (REQUIRED.has(name)) throw new Error(`${name} is required: ${reason}; run scripts/test-servers`);
  return reason;
}
