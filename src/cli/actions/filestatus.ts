import { SopsError } from "../../errors.ts";
import { fileStatus, isRotationDue, type FileStatus } from "../../operations/status.ts";
import type { Context } from "../../operations/context.ts";
import { contextOf } from "../context.ts";
import { readOperand, requireOperand } from "../files.ts";
import { forEachFile } from "../many.ts";
import type { Session } from "../session.ts";
import { inputFormat, nameFor } from "../settings.ts";

/** `filestatus FILE…`: a line of JSON for each, which names the file where there are several. */
export async function fileStatusAction(session: Session): Promise<number> {
  const { positionals } = session.invocation;
  requireOperand(positionals[0]);
  return forEachFile(session, positionals, async (operand, turn) => {
    const status = statusOf(session, requireOperand(operand), contextOf(session, operand));
    const line = session.dialect.takesSeveralFiles && positionals.length > 1 ? { file: operand, ...status } : status;
    await turn();
    session.terminal.print(`${JSON.stringify(line)}\n`);
  });
}

function statusOf(session: Session, operand: string, context: Context): object {
  try {
    const input = readOperand(session, operand);
    return describe(fileStatus(input.bytes, inputFormat(session, nameFor(session, operand)), context), session);
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

/** The reference tells one member; ours adds what scripts ask for, after it (I-49, I-56). */
function describe({ isEncrypted, metadata }: FileStatus, { dialect, host }: Session): object {
  if (dialect.name === "sops" || metadata === undefined) return { encrypted: isEncrypted };
  const keys = metadata.groups.map((group) =>
    group.map(({ key, createdAt }) => ({
      type: key.type,
      id: key.id,
      ...(createdAt === undefined ? {} : dates(createdAt, host.now())),
    })),
  );
  const { version, lastModified, shamirThreshold } = metadata;
  return {
    encrypted: isEncrypted,
    version,
    lastmodified: lastModified,
    shamir_threshold: shamirThreshold,
    key_groups: keys,
  };
}
