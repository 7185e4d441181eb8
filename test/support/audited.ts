import { spawnSync } from "node:child_process";
import type { RunOptions, RunResult, Sandbox } from "./sandbox.ts";

/** As root alone, or as root of a user namespace of one's own. */
const UNSHARE = process.getuid?.() === 0 ? ["unshare", "-m"] : ["unshare", "-rm"];

/** Shows only the processes of the namespace another /etc/sops; where there is none, a layer above /etc brings one. */
const SCRIPT = `
mount -t tmpfs none /etc/sops 2>/dev/null || {
  mount -t tmpfs none /mnt && mkdir /mnt/u /mnt/w &&
  mount -t overlay overlay -o lowerdir=/etc,upperdir=/mnt/u,workdir=/mnt/w /etc && mkdir /etc/sops
} && cp "$AUDIT_CONFIG" /etc/sops/audit.yaml && unset AUDIT_CONFIG && exec "$@"`;

/** Whether the fixed path can be given to one process alone. */
export const canAudit: boolean =
  process.platform === "linux" && spawnSync("unshare", [...UNSHARE.slice(1), "true"]).status === 0;

/** Runs a command in a mount namespace of its own where /etc/sops/audit.yaml says this. */
export function runAudited(
  box: Sandbox,
  config: string,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  box.write("../audit.yaml", config);
  const env = { ...options.env, AUDIT_CONFIG: "../audit.yaml" };
  return box.start([...UNSHARE, "sh", "-c", SCRIPT, "sh", ...argv], { ...options, env });
}

/** A configuration that names databases by their connection strings. */
export function auditConfig(...strings: readonly string[]): string {
  const list = strings.map((text) => `    - connection_string: ${JSON.stringify(text)}\n`);
  return `backends:\n  postgres:\n${list.join("")}`;
}
