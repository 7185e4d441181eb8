import type { KeyObject } from "node:crypto";
import { decryptText, encryptBytes, IV_LENGTH, TAG_LENGTH } from "../bytes/aes-gcm.ts";
import { compactBase64, decodeBase64Into, encodeBase64 } from "../bytes/base64.ts";
import { decodeUtf8, encodeUtf8 } from "../bytes/utf8.ts";
import { floatText, parseGoFloat } from "../go/float.ts";
import { isInt64, parseInt64 } from "../go/int.ts";
import { parseRfc3339 } from "../go/time.ts";
import { LONG_VALUE, openLong, sealLong } from "./long-cell.ts";
import { Timestamp, type Leaf, type Scalar, type UnsignedInteger } from "./model.ts";

/** The type field of a cell; `bytes` was written by sops 1.x only and means `str`. */
export type CellType = "str" | "int" | "float" | "bool" | "time" | "comment";

const TYPES: ReadonlyMap<string, CellType> = new Map([
  ["str", "str"],
  ["int", "int"],
  ["float", "float"],
  ["bool", "bool"],
  ["time", "time"],
  ["comment", "comment"],
  ["bytes", "str"],
] as const);

/** How every cell begins. */
export const CELL_START = "ENC[AES256_GCM,data:";

/** The fields of a cell as text; long data may be ASCII bytes. */
interface CellFields {
  readonly data: string | Buffer;
  readonly iv: string;
  readonly tag: string;
  readonly type: string;
}

/** What a cell held. */
export interface OpenedCell {
  readonly type: CellType;
  readonly plain: Buffer;
  /** In base64. */
  readonly iv: string;
}

/** Why a cell does not open; worded without what it holds. */
export type CellFailure =
  "not a cell" | "unknown type" | "bad base64" | "wrong key or altered" | "not readable as its type";

/**
 * Cuts a cell into its fields, without a regular expression: the obvious one takes 31 s on a crafted cell of 27 kB.
 *
 * Like the reference's pattern it ignores what follows the last `]` of the first line (file-format.md 2.1).
 */
function cutCell(text: string): CellFields | undefined {
  if (!text.startsWith(CELL_START)) return undefined;
  const lineEnd = text.indexOf("\n");
  const end = text.lastIndexOf("]", lineEnd < 0 ? text.length : lineEnd);
  const typeAt = text.lastIndexOf(",type:", end);
  const tagAt = text.lastIndexOf(",tag:", typeAt);
  const ivAt = text.lastIndexOf(",iv:", tagAt);
  if (ivAt <= CELL_START.length || tagAt <= ivAt + 4 || typeAt <= tagAt + 5 || end <= typeAt + 6) return undefined;
  return {
    data: text.slice(CELL_START.length, ivAt),
    iv: text.slice(ivAt + 4, tagAt),
    tag: text.slice(tagAt + 5, typeAt),
    type: text.slice(typeAt + 6, end),
  };
}

/** More than the longest IV that opens, with the other fields behind the data. */
const MOST_BEHIND_DATA = 4096;

/** The fields of a cell in bytes: what stands behind the data is cut as text, the data stay where they are. */
function cutBytes(bytes: Buffer): CellFields | undefined {
  const rest = Math.max(CELL_START.length, bytes.length - MOST_BEHIND_DATA);
  const fields = cutCell(bytes.toString("latin1", 0, CELL_START.length) + bytes.toString("latin1", rest));
  if (fields === undefined) return undefined;
  const { length } = fields.data;
  return { ...fields, data: bytes.subarray(CELL_START.length, rest + length) };
}

/** Whether a text has the form of a cell, whoever may open it. */
export function isCell(text: string): boolean {
  return cutCell(text) !== undefined;
}

/** Whether a text has the form of an encrypted comment: in a list the reference stores those as items. */
export function isCommentCell(text: string): boolean {
  return text.startsWith(CELL_START) && cutCell(text)?.type === "comment";
}

/** Writes a cell. `plain` is not empty: the empty string is its own cell. */
export function sealCell(key: KeyObject, iv: Uint8Array, aad: string, plain: Uint8Array, type: CellType): string {
  if (plain.length >= LONG_VALUE) return sealBytes(key, iv, aad, plain, type).toString("latin1");
  const { data, tag } = encryptBytes(key, iv, encodeUtf8(aad), plain);
  return CELL_START + encodeBase64(data) + end(iv, tag, type);
}

/** Writes a cell as the ASCII bytes of its text: of a long one, a string would be a second copy. */
export function sealBytes(key: KeyObject, iv: Uint8Array, aad: string, plain: Uint8Array, type: CellType): Buffer {
  return sealLong(key, iv, encodeUtf8(aad), plain, { start: CELL_START, end: (tag) => end(iv, tag, type) });
}

function end(iv: Uint8Array, tag: Buffer, type: CellType): string {
  return `,iv:${encodeBase64(iv)},tag:${encodeBase64(tag)},type:${type}]`;
}

/** What the IV and the tag of one cell after the other are decoded into; neither is secret. */
const IV = Buffer.alloc(IV_LENGTH);
const TAG = Buffer.alloc(TAG_LENGTH);

/**
 * Opens a cell, or says why it does not open.
 *
 * @param cell - its text, or the ASCII bytes of that
 */
export function openCell(key: KeyObject, cell: string | Buffer, aad: string): OpenedCell | CellFailure {
  const fields = typeof cell === "string" ? cutCell(cell) : cutBytes(cell);
  if (fields === undefined) return "not a cell";
  const type = TYPES.get(fields.type);
  if (type === undefined) return "unknown type";
  const iv = decodeBase64Into(IV, fields.iv);
  const tag = decodeBase64Into(TAG, fields.tag);
  if (iv === undefined || tag === undefined) return "bad base64";
  const plain = openData(key, iv, encodeUtf8(aad), fields.data, tag);
  return typeof plain === "string" ? plain : { type, plain, iv: fields.iv };
}

function openData(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  text: string | Buffer,
  tag: Buffer,
): Buffer | "bad base64" | "wrong key or altered" {
  if (text.length >= LONG_VALUE && !text.includes("\r")) return openLong(key, iv, aad, text, tag);
  const data = compactBase64(typeof text === "string" ? text : text.toString("latin1"));
  return data === undefined ? "bad base64" : (decryptText(key, iv, aad, { data, tag }) ?? "wrong key or altered");
}

/** The type field for a value. */
export function typeOfScalar(value: Scalar): CellType {
  if (typeof value === "string" || value instanceof Uint8Array) return "str";
  if (typeof value === "bigint") return "int";
  if (typeof value === "number") return "float";
  return typeof value === "boolean" ? "bool" : "time";
}

/**
 * The one serialisation of values, for encryption and for the MAC (file-format.md 1.3).
 *
 * @returns undefined for an integer of more than 64 bits
 */
export function scalarToBytes(value: Scalar | UnsignedInteger): Uint8Array | undefined {
  if (typeof value === "string") return encodeUtf8(value);
  if (value instanceof Uint8Array) return value;
  if (typeof value === "bigint") return isInt64(value) ? encodeUtf8(String(value)) : undefined;
  if (typeof value === "number") return encodeUtf8(floatText(value));
  if (typeof value === "boolean") return encodeUtf8(value ? "True" : "False");
  return value instanceof Timestamp ? encodeUtf8(value.text) : undefined;
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/**
 * Reads the plaintext of a cell by its type (file-format.md 1.4). A float keeps its own digits beside its value.
 *
 * @returns undefined if the text is none of that type
 */
export function scalarFromBytes(
  type: Exclude<CellType, "comment">,
  plain: Buffer,
): Pick<Leaf, "value" | "text"> | undefined {
  const text = decodeUtf8(plain);
  if (type === "str") return { value: text ?? new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength) };
  if (text === undefined) return undefined;
  if (type === "float") return floatFromText(text);
  const value = type === "int" ? parseInt64(text) : type === "bool" ? BOOLEANS.get(text) : parseTime(text);
  return value === undefined ? undefined : { value };
}

function floatFromText(text: string): Pick<Leaf, "value" | "text"> | undefined {
  const value = parseGoFloat(text);
  if (value === undefined) return undefined;
  return text === floatText(value) || !isPortableFloat(text) ? { value } : { value, text };
}

function parseTime(text: string): Timestamp | undefined {
  const canonical = parseRfc3339(text);
  return canonical === undefined ? undefined : new Timestamp(canonical);
}

/** Decimal digits, which the reference and every format read as the same float: no underscores, no hexadecimal. */
function isPortableFloat(text: string): boolean {
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text);
}
