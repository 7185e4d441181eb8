import { statSync } from "node:fs";
import type { AuditLog } from "../audit/log.ts";
import type { Host } from "../host.ts";
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
 * Opens the audit log where an administrator asks for one. Help and the like, and commands of which it would say nothing,
 * need no database; the others do before they look at anything (I-45).
 *
 * @param path - of the file that asks for the audit
 * @throws what `openAuditLog` throws: nothing is done that cannot be written down
 */
export async function auditFor(
  command: CommandName,
  host: Host,
  path: string = AUDIT_FILE,
): Promise<AuditLog | undefined> {
  if (!AUDITED.has(command) || !mayBePresent(path)) return undefined;
  const { openAuditLog } = await import("../audit/log.ts");
  return openAuditLog(path, host);
}

/** What cannot be looked at is for its reader to judge. */
function mayBePresent(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return true;
  }
}
