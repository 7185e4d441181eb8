import { asBuffer } from "../bytes/utf8.ts";
import { Timestamp, UnsignedInteger, type Scalar } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import type { Format } from "../formats/format.ts";
import { flatFloatText } from "../go/float.ts";
import { withoutFraction } from "../go/time.ts";
import type { Context } from "./context.ts";
import { loadFile, openFile } from "./encrypted-file.ts";

/**
 * A file's top-level values as environment variables, for `exec-env` (cli-behaviour.md 2.10).
 *
 * @throws {SopsError} ERR_EMIT for a list or mapping, or a name or value that no environment can hold
 */
export async function environmentOf(
  bytes: Uint8Array,
  format: Format,
  options: { readonly context: Context; readonly ignoreMac: boolean },
): Promise<[name: string, value: string][]> {
  const file = loadFile(bytes, format, options.context);
  const opened = await openFile(file, options.context, options);
  opened.keyBytes.fill(0);
  const items = opened.plain[0]?.items ?? [];
  return items.flatMap((item): [string, string][] => {
    if (item.kind === "comment") return [];
    const { key, value } = item;
    if (value.kind !== "leaf") throw unfit(key, "cannot use complex value in environment; offending key");
    if (key === "" || key.includes("=")) throw unfit(key, "the name cannot be that of a variable:");
    const text = value.value === null ? "" : textOf(value.value);
    if (text.includes("\0") || key.includes("\0")) throw unfit(key, "an environment cannot hold a NUL:");
    return [[key, text]];
  });
}

function unfit(key: string, reason: string): SopsError {
  return new SopsError("ERR_USAGE", `${reason} ${key}`);
}

function textOf(value: Scalar | UnsignedInteger): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return flatFloatText(value);
  if (value instanceof UnsignedInteger) return value.text;
  if (value instanceof Timestamp) return withoutFraction(value.text);
  return value instanceof Uint8Array ? asBuffer(value).toString("latin1") : String(value);
}
