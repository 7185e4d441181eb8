import { SopsError } from "../../errors.ts";
import { addGroup, deleteGroup, type GroupOptions } from "../../operations/groups.ts";
import { readOperand, withLockOn, writeResult } from "../files.ts";
import { keysFromOptions } from "../key-options.ts";
import { reviewingContext } from "../review.ts";
import type { Session } from "../session.ts";
import { formatChoice, loadSettings, nameFor } from "../settings.ts";

/** `groups add --file FILE` */
export async function addGroupAction(session: Session): Promise<number> {
  if (session.invocation.positionals.length > 0)
    throw new SopsError("ERR_USAGE", "error: no positional arguments allowed");
  const keys = keysFromOptions(session.invocation.values, "");
  return change(session, (bytes, options) => addGroup(bytes, keys, options));
}

/** `groups delete --file FILE INDEX` */
export async function deleteGroupAction(session: Session): Promise<number> {
  const [argument, ...others] = session.invocation.positionals;
  if (argument === undefined || others.length > 0) {
    throw new SopsError("ERR_USAGE", "error: exactly one positional argument (index) required");
  }
  if (!/^\d{1,9}$/.test(argument)) {
    throw new SopsError("ERR_USAGE", "failed to parse [index] argument: a whole number from 0 is expected");
  }
  return change(session, (bytes, options) => deleteGroup(bytes, Number(argument), options));
}

async function change(
  session: Session,
  work: (bytes: Uint8Array, options: GroupOptions) => Promise<Uint8Array>,
): Promise<number> {
  const { values } = session.invocation;
  const file = values.file ?? "";
  if (file === "")
    throw new SopsError("ERR_READ", "Error reading file: no file specified", { hint: "name it with --file" });
  const name = nameFor(session, file);
  const settings = await loadSettings(session, name, "stores");
  const context = reviewingContext(session, settings, file);
  await withLockOn(session, values["in-place"] === true ? file : undefined, async () => {
    const input = readOperand(session, file);
    const shamirThreshold = values["shamir-secret-sharing-threshold"] ?? 0;
    const result = await work(input.bytes, { ...formatChoice(session, settings, name), context, shamirThreshold });
    writeResult(session, input, result, false);
  });
  return 0;
}
