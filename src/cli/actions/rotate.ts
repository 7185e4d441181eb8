import { rotate } from "../../operations/rotate.ts";
import {
  readOperand,
  refuseChangeOfMissing,
  refuseConflicts,
  requireOperand,
  withLockOn,
  writeResult,
} from "../files.ts";
import { keysFromOptions } from "../key-options.ts";
import { forEachFile } from "../many.ts";
import { reviewingContext } from "../review.ts";
import type { Session } from "../session.ts";
import { formatChoice, nameFor, settingsReader } from "../settings.ts";

/** `rotate FILE…` */
export async function rotateAction(session: Session): Promise<number> {
  const { values, positionals } = session.invocation;
  requireOperand(positionals[0]);
  const add = keysFromOptions(values, "add-");
  const remove = keysFromOptions(values, "rm-");
  const settingsOf = settingsReader(session, "stores");
  return forEachFile(session, positionals, async (operand, turn) => {
    refuseConflicts(session, operand);
    if (add.length + remove.length > 0) refuseChangeOfMissing(session, requireOperand(operand));
    const name = nameFor(session, operand);
    const settings = await settingsOf(name);
    const context = reviewingContext(session, settings, operand);
    await withLockOn(session, operand, async () => {
      const input = readOperand(session, operand);
      const options = { context, ignoreMac: values["ignore-mac"] === true, add, remove, group: values.group ?? 0 };
      const result = await rotate(input.bytes, { ...formatChoice(session, settings, name), ...options });
      await turn();
      writeResult(session, input, result, false);
    });
  });
}
