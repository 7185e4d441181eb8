import { execFileSync } from "node:child_process";
import { SopsError } from "../errors.ts";

/** The account that a command runs as. */
export interface UserIdentity {
  readonly uid: number;
  readonly gid: number;
  readonly variables: { readonly HOME: string; readonly USER: string; readonly LOGNAME: string };
}

/**
 * Looks an account up.
 *
 * @returns undefined if no name was given
 * @throws {SopsError} ERR_USAGE if there is no such account, or the system has none of this kind
 */
export function userIdentity(name: string | undefined): UserIdentity | undefined {
  if (name === undefined || name === "") return undefined;
  if (process.platform === "win32") throw new SopsError("ERR_USAGE", "--user is not supported on Windows");
  const [, , uid, gid, , home] = accountLine(name).split(":");
  if (uid === undefined || gid === undefined || home === undefined) throw unknownUser(name);
  return { uid: Number(uid), gid: Number(gid), variables: { HOME: home, USER: name, LOGNAME: name } };
}

function accountLine(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/.test(name)) throw unknownUser(name);
  try {
    return execFileSync("getent", ["passwd", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    throw unknownUser(name);
  }
}

function unknownUser(name: string): SopsError {
  return new SopsError("ERR_USAGE", `user: unknown user ${name}`);
}
