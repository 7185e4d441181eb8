import { accessSync, constants, mkdirSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import type { Host } from "../host.ts";

/**
 * A folder of the user's own for what usually stands beside a file; it need not be there.
 *
 * @returns undefined if there is no home
 */
export function stateFolder({ env, platform }: Pick<Host, "env" | "platform">): string | undefined {
  const base = platform === "win32" ? env["LOCALAPPDATA"] : (env["XDG_STATE_HOME"] ?? underHome(env["HOME"]));
  return base === undefined || !isAbsolute(base) ? undefined : join(base, "leafcrypt");
}

/**
 * The folder of `stateFolder` where the file's own folder takes nothing: for its lock, and the copy of its old content
 * while it is written in place. Made when it is first needed, for its owner alone.
 *
 * @param path - absolute, links followed
 * @returns undefined if the file's own folder will do, or there is no home
 */
export function stateFolderFor(path: string, host: Pick<Host, "env" | "platform">): string | undefined {
  const folder = stateFolder(host);
  if (folder === undefined || isWritable(dirname(path))) return undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch {
    return undefined; // Whatever needs it says what is missing.
  }
}

function underHome(home: string | undefined): string | undefined {
  return home === undefined || home === "" ? undefined : join(home, ".local", "state");
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
