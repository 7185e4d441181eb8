import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { SopsError } from "../errors.ts";

/** Variables that name the account a command runs as. */
export type UserVariables = Readonly<Record<"HOME" | "USER" | "LOGNAME", string>>;

/** What `process` has on systems with accounts of this kind. */
interface AccountChanges {
  initgroups(user: string, extraGroup: number): void;
  setgid(id: number): void;
  setuid(id: number): void;
}

/**
 * Gives this process to another account, groups included, so that everything made from here on is that account's: folders,
 * FIFOs, and the command. Setting the user of the command alone would leave it our supplementary groups.
 *
 * @returns undefined if no name was given
 * @throws {SopsError} ERR_USAGE if there is no such account, we may not become it, or the system has none of this kind
 */
export function becomeUser(name: string | undefined): UserVariables | undefined {
  if (name === undefined || name === "") return undefined;
  // The types of Node 20 leave one of them out.
  const { setuid, setgid, initgroups }: Partial<AccountChanges> = process;
  if (setuid === undefined || setgid === undefined || initgroups === undefined) {
    throw new SopsError("ERR_USAGE", "--user is not supported on this system");
  }
  const [, , uid, gid, , home] = accountLine(name).split(":");
  if (uid === undefined || gid === undefined || home === undefined) throw unknownUser(name);
  try {
    initgroups(name, Number(gid));
    setgid(Number(gid));
    setuid(Number(uid));
  } catch {
    throw new SopsError("ERR_USAGE", `cannot become the user ${name}: operation not permitted`, {
      hint: "only root can run a command as another user",
    });
  }
  return { HOME: home, USER: name, LOGNAME: name };
}

/** The account's line in the form of passwd(5). `getent` knows directory services too; not every system has it. */
function accountLine(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.@-]*\$?$/.test(name)) throw unknownUser(name);
  try {
    return execFileSync("getent", ["passwd", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    const line = passwdLines().find((candidate) => candidate.startsWith(`${name}:`));
    if (line === undefined) throw unknownUser(name);
    return line;
  }
}

function passwdLines(): string[] {
  try {
    return readFileSync("/etc/passwd", "utf8").split("\n");
  } catch {
    return [];
  }
}

function unknownUser(name: string): SopsError {
  return new SopsError("ERR_USAGE", `user: unknown user ${JSON.stringify(name).slice(1, -1)}`);
}
