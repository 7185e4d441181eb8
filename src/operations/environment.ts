import { Timestamp, UnsignedInteger, type Mapping, type Scalar } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import type { Format } from "../formats/format.ts";
import { flatFloatText } from "../go/float.ts";
import { withoutFraction } from "../go/time.ts";
import type { Context } from "./context.ts";
import { loadFile, openFile } from "./encrypted-file.ts";

/** One variable. */
export interface EnvironmentEntry {
  readonly name: string;
  readonly value: string;
  /** Whether the file's MAC covers it: not so for a clear value under `mac_only_encrypted`. */
  readonly isAuthenticated: boolean;
}

/**
 * The top-level values of a file's first document as environment variables, for `exec-env` (cli-behaviour.md 2.10). A
 * null is an empty text (I-48).
 *
 * @throws {SopsError} ERR_USAGE for a list or mapping, or a name or value that no environment can hold
 */
export async function environmentOf(
  bytes: Uint8Array,
  format: Format,
  options: { readonly context: Context; readonly ignoreMac: boolean },
): Promise<EnvironmentEntry[]> {
  const file = loadFile(bytes, format, options.context);
  const opened = await openFile(file, options.context, options);
  opened.keyBytes.fill(0);
  const [encrypted] = file.documents;
  const [plain] = opened.plain;
  if (encrypted === undefined || plain === undefined) return [];
  return entriesOf(plain, file.metadata.macOnlyEncrypted ? clearKeys(encrypted, plain) : new Set());
}

function entriesOf(document: Mapping, clear: ReadonlySet<number>): EnvironmentEntry[] {
  return document.items.flatMap((item, index): EnvironmentEntry[] => {
    if (item.kind === "comment") return [];
    const { key, value } = item;
    if (value.kind !== "leaf") throw unfit(key, "cannot use complex value in environment; offending key");
    if (key.includes("=")) throw unfit(key, "cannot use keys with '=' in environment; offending key");
    if (key === "") throw unfit('""', "cannot use an empty key in environment; offending key");
    if (value.value instanceof Uint8Array) throw noText(key);
    const text = value.value === null ? "" : textOf(value.value);
    if (text.includes("\0") || key.includes("\0")) throw unfit(key, "an environment cannot hold a NUL; offending key");
    return [{ name: key, value: text, isAuthenticated: !clear.has(index) }];
  });
}

/** Indexes of the entries that were not decrypted: the very same nodes before and after. */
function clearKeys(encrypted: Mapping, plain: Mapping): Set<number> {
  const indexes = new Set<number>();
  plain.items.forEach((item, index) => {
    const before = encrypted.items[index];
    if (item.kind === "entry" && before?.kind === "entry" && item.value === before.value) indexes.add(index);
  });
  return indexes;
}

function unfit(key: string, reason: string): SopsError {
  return new SopsError("ERR_USAGE", `${reason} ${key}`);
}

/** Node passes variables on as UTF-8 only: other bytes would arrive as two each. */
function noText(key: string): SopsError {
  return new SopsError("ERR_USAGE", `cannot use a value that is no UTF-8 text in environment; offending key ${key}`, {
    hint: "exec-file passes on any bytes",
  });
}

function textOf(value: Exclude<Scalar, Uint8Array> | UnsignedInteger): string {
  if (typeof value === "string") return value;
  if (typeof value === "number") return flatFloatText(value);
  if (value instanceof UnsignedInteger) return value.text;
  return value instanceof Timestamp ? withoutFraction(value.text) : String(value);
}
