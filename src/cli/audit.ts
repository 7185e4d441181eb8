import { statSync } from "node:fs";
import { ConfigError } from "../errors.ts";
import type { CommandName } from "./commands.ts";

/** Where the reference looks for its audit databases; fixed, so that users cannot get around it. */
const AUDIT_FILE = "/etc/sops/audit.yaml";

/** What reads or writes values, and would be an event of the audit. */
const AUDITED: ReadonlySet<CommandName> = new Set<CommandName>([
  "legacy",
  "encrypt",
  "decrypt",
  "edit",
  "set",
  "unset",
  "rotate",
  "exec-env",
  "exec-file",
  "publish",
]);

/**
 * Refuses commands where an administrator wants them written down: there is no audit log here, and to work without one
 * would be to get around it. Asked before the first operation only, so that help and the like need nothing (I-45).
 *
 * @param path - of the file that asks for the audit
 * @throws {ConfigError}
 */
export function refuseUnaudited(command: CommandName, path: string = AUDIT_FILE): void {
  if (!AUDITED.has(command) || !isPresent(path)) return;
  throw new ConfigError(`${path} asks for an audit log, which this program does not keep: nothing was done`, {
    hint: "use sops on this machine, or have the file removed by whoever made it",
  });
}

/** The reference takes a file that it cannot look at for none. */
function isPresent(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
