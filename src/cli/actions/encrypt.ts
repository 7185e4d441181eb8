import { SopsError } from "../../errors.ts";
import { encrypt } from "../../operations/encrypt.ts";
import { contextOf } from "../context.ts";
import { isStandardInput, readOperand, refuseConflicts, refuseMissing, withLockOn, writeResult } from "../files.ts";
import { forEachFile } from "../many.ts";
import type { Session } from "../session.ts";
import { formatChoice, nameFor, policyFor, settingsReader } from "../settings.ts";

/** `encrypt [FILE…]` */
export async function encryptAction(session: Session): Promise<number> {
  const settingsOf = settingsReader(session, "rules");
  return forEachFile(session, session.invocation.positionals, async (operand, turn) => {
    refuseConflicts(session, operand);
    requireName(session, operand);
    if (operand !== undefined && !isStandardInput(operand)) refuseMissing(session, operand);
    const name = nameFor(session, operand);
    const settings = await settingsOf(name);
    const policy = await policyFor(session, settings, name);
    await withLockOn(session, session.invocation.values["in-place"] === true ? operand : undefined, async () => {
      const input = readOperand(session, operand);
      const { values } = session.invocation;
      const result = await encrypt(input.bytes, {
        ...formatChoice(session, settings, name),
        policy,
        context: contextOf(session, operand),
        strict: values.strict === true,
        allowUnencrypted: values["allow-unencrypted"] === true,
      });
      await turn();
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
