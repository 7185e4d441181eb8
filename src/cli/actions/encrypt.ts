import { SopsError } from "../../errors.ts";
import { encrypt } from "../../operations/encrypt.ts";
import { contextOf } from "../context.ts";
import { isStandardInput, readOperand, refuseConflicts, refuseMissing, withLockOn, writeResult } from "../files.ts";
import { forEachFile } from "../many.ts";
import type { Session } from "../session.ts";
import { formatChoice, loadSettings, nameFor, policyFor } from "../settings.ts";

/** `encrypt [FILE…]` */
export async function encryptAction(session: Session): Promise<number> {
  const context = contextOf(session);
  return forEachFile(session, session.invocation.positionals, async (operand) => {
    refuseConflicts(session, operand);
    requireName(session, operand);
    if (operand !== undefined && !isStandardInput(operand)) refuseMissing(session, operand);
    const name = nameFor(session, operand);
    const settings = await loadSettings(session, name, "rules");
    const policy = await policyFor(session, settings, name);
    await withLockOn(session, session.invocation.values["in-place"] === true ? operand : undefined, async () => {
      const input = readOperand(session, operand);
      const { values } = session.invocation;
      const result = await encrypt(input.bytes, {
        ...formatChoice(session, settings, name),
        policy,
        context,
        strict: values.strict === true,
        // The reference encrypts nothing without a word, and callers of its name rely on getting a file.
        allowUnencrypted: values["allow-unencrypted"] === true,
      });
      writeResult(session, input, result, false);
    });
  });
}

function requireName({ invocation: { values } }: Session, operand: string | undefined): void {
  if (!isStandardInput(operand) || (values["filename-override"] ?? "") !== "") return;
  throw new SopsError("ERR_CONFLICTING_OPTIONS", "Error: must specify --filename-override when reading from stdin", {
    hint: "the name decides about rule and format, such as --filename-override secrets.yaml",
  });
}
