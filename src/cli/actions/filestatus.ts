import { SopsError } from "../../errors.ts";
import { fileStatus, isRotationDue, type FileStatus } from "../../operations/status.ts";
import { contextOf } from "../context.ts";
import { readOperand, requireOperand } from "../files.ts";
import type { Session } from "../session.ts";
import { inputFormat, nameFor } from "../settings.ts";

/** `filestatus FILE` */
export function fileStatusAction(session: Session): number {
  const operand = requireOperand(session.invocation.positionals[0]);
  try {
    const input = readOperand(session, operand);
    const status = fileStatus(input.bytes, inputFormat(session, nameFor(session, operand)), contextOf(session));
    session.terminal.print(`${describe(status, session)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    throw new SopsError("ERR_LOAD", `cannot check file status: cannot load encrypted file: ${error.message}`, {
      cause: error,
    });
  }
}

function dates(createdAt: string, now: Date): object {
  return { created_at: createdAt, rotation_due: isRotationDue(createdAt, now) };
}

/** The reference prints one member; ours adds what scripts ask for, after it (I-49, I-56). */
function describe({ isEncrypted, metadata }: FileStatus, { dialect, host }: Session): string {
  if (dialect.name === "sops" || metadata === undefined) return JSON.stringify({ encrypted: isEncrypted });
  const keys = metadata.groups.map((group) =>
    group.map(({ key, createdAt }) => ({
      type: key.type,
      id: key.id,
      ...(createdAt === undefined ? {} : dates(createdAt, host.now())),
    })),
  );
  const { version, lastModified, shamirThreshold } = metadata;
  return JSON.stringify({
    encrypted: isEncrypted,
    version,
    lastmodified: lastModified,
    shamir_threshold: shamirThreshold,
    key_groups: keys,
  });
}
