import { parseTreePath, type TreePath } from "../../document/path.ts";
import type { Node } from "../../document/model.ts";
import { FormatError, SopsError } from "../../errors.ts";
import { json } from "../../formats/json.ts";
import type { Source } from "../../formats/format.ts";
import { set, unset, type SetOptions } from "../../operations/set.ts";
import { readInput } from "../../storage/read.ts";
import { readOperand, requireOperand, withLockOn, writeInPlace } from "../files.ts";
import { forEachFile } from "../many.ts";
import { reviewingContext } from "../review.ts";
import type { Session } from "../session.ts";
import { formatChoice, nameFor, settingsReader } from "../settings.ts";

/** `set FILE… PATH VALUE` */
export async function setAction(session: Session): Promise<number> {
  const { values, positionals } = session.invocation;
  if (values["value-file"] === true && values["value-stdin"] === true) {
    throw new SopsError("ERR_USAGE", "Error: cannot use both --value-file and --value-stdin");
  }
  const behind = values["value-stdin"] === true ? 1 : 2;
  if (!isCount(session, behind + 1)) {
    throw new SopsError(
      "ERR_NO_FILE",
      `Error: no file specified, or index and value are missing. Need precisely ${String(behind + 1)} positional arguments.`,
      { hint: `set FILE '["key"]' VALUE` },
    );
  }
  const [path = "", argument] = positionals.slice(-behind);
  const treePath = parsePath(path, "set");
  const value = parseValue(valueText(session, argument), session);
  const status = await change(session, positionals.slice(0, -behind), (bytes, options) =>
    set(bytes, treePath, value, options),
  );
  if (values["value-stdin"] !== true && values["value-file"] !== true) adviseAgainstArgument(session);
  return status;
}

/** To somebody who types: a script either knows what it does, or has nobody who would read this. */
function adviseAgainstArgument(session: Session): void {
  if (!session.dialect.namesItself || !session.terminal.stderrIsTerminal) return;
  session.log(
    "warning",
    "The value is in your shell's history now; --value-stdin and --value-file keep one out of it.",
  );
}

/** `unset FILE… PATH` */
export async function unsetAction(session: Session): Promise<number> {
  const { positionals } = session.invocation;
  if (!isCount(session, 2)) {
    throw new SopsError("ERR_NO_FILE", "Error: no file specified, or index is missing", {
      hint: `two arguments are needed: unset FILE '["key"]'`,
    });
  }
  const treePath = parsePath(positionals.at(-1) ?? "", "unset");
  return change(session, positionals.slice(0, -1), (bytes, options) => unset(bytes, treePath, options));
}

/** `--set 'PATH VALUE' FILE` of the older style. */
export async function legacySetAction(session: Session): Promise<number> {
  const file = requireOperand(session.invocation.positionals[0]);
  const expression = session.invocation.values.set ?? "";
  const end = expression.indexOf("] ");
  if (end < 0) {
    throw new SopsError("ERR_PATH", "Invalid --set format", {
      hint: `write a path, a blank and a JSON value: '["key"] "value"'`,
    });
  }
  const treePath = parsePath(expression.slice(0, end + 1), "set");
  const value = parseValue(expression.slice(end + 2), session);
  return change(session, [file], (bytes, options) => set(bytes, treePath, value, options));
}

/** Whether there are as many words as one FILE needs, or more where several are taken. */
function isCount({ dialect, invocation: { positionals } }: Session, count: number): boolean {
  return positionals.length === count || (dialect.takesSeveralFiles && positionals.length > count);
}

function parsePath(text: string, command: "set" | "unset"): TreePath {
  try {
    return parseTreePath(text, "ERR_PATH");
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    throw new SopsError("ERR_PATH", `Invalid ${command} index format: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function valueText(session: Session, argument: string | undefined): string {
  const { values } = session.invocation;
  if (values["value-stdin"] === true) return Buffer.from(session.terminal.readInput()).toString("utf8");
  if (values["value-file"] !== true) return argument ?? "";
  try {
    return Buffer.from(readInput(argument ?? "").bytes).toString("utf8");
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    throw new SopsError("ERR_USAGE", `Error: cannot read the value file: ${error.message}`);
  }
}

/**
 * Reads a JSON value by the rules of JSON files. The reference makes a float of a number that stands alone, whatever it
 * looks like (cli-behaviour.md 2.6); here an integer stays one (I-30).
 */
function parseValue(text: string, { dialect }: Session): Node {
  const message = dialect.namesItself ? "the value is no JSON" : "Value for --set is not valid JSON";
  const wrapped = `{"value":${text}\n}`;
  let source: Source;
  try {
    source = json.read(Buffer.from(wrapped));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new SopsError("ERR_SET_VALUE", message, {
      hint: `text needs quotes inside those of the shell: '"text"'`,
    });
  }
  const [item, ...others] = source.documents[0]?.items ?? [];
  if (item?.kind !== "entry" || others.length > 0) throw new SopsError("ERR_SET_VALUE", message);
  return withoutSpans(item.value);
}

function withoutSpans(node: Node): Node {
  if (node.kind === "leaf")
    return { kind: "leaf", value: node.value, ...(node.text === undefined ? {} : { text: node.text }) };
  if (node.kind === "sequence") {
    return { kind: "sequence", items: node.items.map((item) => (item.kind === "comment" ? item : withoutSpans(item))) };
  }
  return {
    kind: "mapping",
    items: node.items.map((item) =>
      item.kind === "comment" ? item : { kind: "entry", key: item.key, value: withoutSpans(item.value) },
    ),
  };
}

async function change(
  session: Session,
  files: readonly string[],
  edit: (bytes: Uint8Array, options: SetOptions) => Promise<Uint8Array | undefined>,
): Promise<number> {
  const { values } = session.invocation;
  const settingsOf = settingsReader(session, "stores");
  return forEachFile(session, files, async (file, turn) => {
    const name = nameFor(session, file);
    const settings = await settingsOf(name);
    const context = reviewingContext(session, settings, file);
    await withLockOn(session, file, async () => {
      const input = readOperand(session, file);
      const result = await edit(input.bytes, {
        ...formatChoice(session, settings, name),
        context,
        ignoreMac: values["ignore-mac"] === true,
        idempotent: values.idempotent === true,
        ...(values.document === undefined ? {} : { document: values.document }),
      });
      await turn();
      if (result !== undefined) writeInPlace(session, input, result);
    });
  });
}
