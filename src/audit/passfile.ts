import { statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { decodeUtf8 } from "../bytes/utf8.ts";
import { readInput } from "../storage/read.ts";

/** What a password is for. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * Looks a password up in the file that libpq reads, `~/.pgpass` unless another is named: lines of
 * `host:port:database:user:password`, where `*` fits anything (PostgreSQL, libpq, "The Password File").
 *
 * @returns "" if nothing fits, or if others can read the file
 */
export function passwordFrom(named: string, home: string, login: Login): string {
  const text = readPrivate(named === "" ? join(home, ".pgpass") : named);
  const wanted = [login.host, String(login.port), login.database, login.user];
  for (const line of text.split(/\r?\n/u)) {
    const fields = line.startsWith("#") ? [] : fieldsOf(line);
    const [host, ...others] = fields;
    if (fields.length !== 5 || host === undefined) continue;
    const isHost = ["*", login.host].includes(host) || (host === "localhost" && isAbsolute(login.host));
    if (isHost && others.slice(0, 3).every((field, index) => field === "*" || field === wanted[index + 1]))
      return fields[4] ?? "";
  }
  return "";
}

/** Splits at colons; a backslash takes the next character as it is. */
function fieldsOf(line: string): string[] {
  const fields = [""];
  for (const [token] of line.matchAll(/\\.|[^\\]/gsu)) {
    if (token === ":") fields.push("");
    else fields.push((fields.pop() ?? "") + (token.length > 1 && token.startsWith("\\") ? token.slice(1) : token));
  }
  return fields;
}

function readPrivate(path: string): string {
  try {
    const isPrivate = process.platform === "win32" || (statSync(path).mode & 0o077) === 0;
    return isPrivate ? (decodeUtf8(readInput(path).bytes) ?? "") : "";
  } catch {
    return ""; // Most accounts have none.
  }
}
