import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";

/**
 * The name of the account this process runs as, as the reference finds it: first by its number in passwd(5), which no
 * variable changes, then from the directory services of the system, and last, where an account has no name, from `USER`.
 *
 * @throws {SopsError} ERR_AUDIT if there is no name
 */
export function accountName(env: Host["env"], passwd = "/etc/passwd"): string {
  const id = process.getuid?.();
  const name = (id === undefined ? undefined : nameIn(passwd, String(id))) ?? nameOfSystem() ?? env["USER"] ?? "";
  if (name !== "") return name;
  throw new SopsError("ERR_AUDIT", "the account of this process has no name to write into the audit log");
}

function nameIn(passwd: string, id: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(passwd, "utf8");
  } catch {
    return undefined; // Systems without such a file have services instead.
  }
  const fields = text.split("\n").map((line) => line.split(":"));
  return fields.find(([name, , uid]) => name !== "" && uid === id)?.[0];
}

function nameOfSystem(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined; // No service knows the number.
  }
}
