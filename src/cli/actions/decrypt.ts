import { parseTreePath } from "../../document/path.ts";
import { decrypt } from "../../operations/decrypt.ts";
import { contextOf } from "../context.ts";
import { isStandardInput, readOperand, refuseConflicts, refuseMissing, withLockOn, writeResult } from "../files.ts";
import { forEachFile } from "../many.ts";
import type { Session } from "../session.ts";
import { formatChoice, nameFor, settingsReader } from "../settings.ts";

/** `decrypt [FILE…]` */
export async function decryptAction(session: Session): Promise<number> {
  const { values, positionals } = session.invocation;
  const extract = values.extract === undefined ? undefined : parseTreePath(values.extract, "ERR_EXTRACT_PATH");
  const settingsOf = settingsReader(session, "stores");
  return forEachFile(session, positionals, async (operand, turn) => {
    refuseConflicts(session, operand);
    if (operand !== undefined && !isStandardInput(operand)) refuseMissing(session, operand);
    const name = nameFor(session, operand);
    const settings = await settingsOf(name);
    await withLockOn(session, values["in-place"] === true ? operand : undefined, async () => {
      const input = readOperand(session, operand);
      const result = await decrypt(input.bytes, {
        ...formatChoice(session, settings, name),
        context: contextOf(session, operand),
        ignoreMac: values["ignore-mac"] === true,
        ...(extract === undefined || extract.length === 0 ? {} : { extract }),
        ...(values.document === undefined ? {} : { document: values.document }),
      });
      await turn();
      writeResult(session, input, result, true);
    });
  });
}
