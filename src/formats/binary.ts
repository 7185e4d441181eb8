import { garbageCounter } from "../bytes/garbage.ts";
import { asBuffer, decodeUtf8, encodeUtf8 } from "../bytes/utf8.ts";
import { CELL_START } from "../document/cell.ts";
import { LONG_VALUE } from "../document/long-cell.ts";
import { entry, findEntry, leaf, mapping, type Mapping } from "../document/model.ts";
import { EmitError, FormatError } from "../errors.ts";
import type { Format, Source } from "./format.ts";
import { canonicalLayout, printJson } from "./json/emit.ts";
import { readJson } from "./json/read.ts";
import { writeJson } from "./json/write.ts";
import { decodeText, encodePieces } from "./text.ts";

/** The key of the only value. */
const DATA = "data";

/** Base64 makes four characters of three bytes, and a cell must fit one JavaScript string of 512 MiB. */
const MAX_PLAIN_MIB = 380;

/**
 * The encrypted side of a binary file: JSON with the cell under `data` and the metadata under `sops` (file-format.md
 * 7.4). The plain side, which is any bytes, has its own pair of functions below, as bytes do not tell which side they
 * are.
 */
export const binary: Format = {
  name: "binary",
  metadataPlace: "entry",
  read(bytes) {
    const cell = longCellIn(asBuffer(bytes));
    if (cell !== undefined) return readAround(asBuffer(bytes), cell);
    const text = decodeText(bytes);
    return { format: "binary", text, documents: [readJson(text)] };
  },
  write(source, documents) {
    // The plain side has no text to keep.
    if (source.text === "") return this.emit(documents, {});
    const before = { ...source, documents: source.documents.map(withoutCell) };
    return aroundCell(onlyOf(documents), (document) => encodeUtf8(writeJson(before, [document])));
  },
  emit(documents, style) {
    return aroundCell(onlyOf(documents), (document) =>
      encodePieces(printJson(document, canonicalLayout(style), "", "\n")),
    );
  },
  emitValue() {
    throw new EmitError("Binary files are not structured and extracting a single value is not possible");
  },
};

/**
 * The tree of any bytes: one entry `data` that holds them as they are.
 *
 * @throws {FormatError} above 380 MiB
 */
export function readBinaryPlain(bytes: Uint8Array): Source {
  if (bytes.length > MAX_PLAIN_MIB * 2 ** 20)
    throw new FormatError(
      `the file has ${String(bytes.length)} bytes; at most ${String(MAX_PLAIN_MIB)} MiB fit one encrypted value`,
      undefined,
      { hint: "encrypt the file with age itself, and its key with leafcrypt" },
    );
  return { format: "binary", text: "", documents: [mapping([entry(DATA, leaf(bytes))])] };
}

/**
 * The bytes under `data`, with nothing added.
 *
 * @throws {EmitError} if there is not exactly one document with a string there
 */
export function emitBinaryPlain(documents: readonly Mapping[]): Uint8Array {
  const data = findEntry(onlyOf(documents), DATA)?.value;
  if (data === undefined) throw notBinary("no binary data found in tree");
  const value = data.kind === "leaf" ? data.value : undefined;
  if (value instanceof Uint8Array) return value;
  if (typeof value !== "string") throw notBinary("'data' key in tree does not have a string value");
  return encodeUtf8(value);
}

/** The same trees with text that is UTF-8 as text, which other formats tell from bytes. */
export function binaryAsText(documents: readonly Mapping[]): readonly Mapping[] {
  return documents.map((document) => {
    const data = findEntry(document, DATA)?.value;
    const value = data?.kind === "leaf" ? data.value : undefined;
    const text = value instanceof Uint8Array ? decodeUtf8(value) : undefined;
    return text === undefined ? document : withData(document, text);
  });
}

/** Where the characters of a cell stand that is too long to be read as text with the rest of the file. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** How every writer begins a binary file, up to a value. */
const BEFORE_DATA = /^\s*\{\s*"data"\s*:\s*"$/;
const MOST_BEFORE_DATA = 64;
const QUOTE = 0x22;

function longCellIn(bytes: Buffer): Range | undefined {
  const start = bytes.indexOf(CELL_START);
  if (start < 0 || start > MOST_BEFORE_DATA || !BEFORE_DATA.test(bytes.toString("latin1", 0, start))) return undefined;
  const end = bytes.indexOf(QUOTE, start);
  return end - start >= LONG_VALUE && isCellText(bytes.subarray(start, end)) ? { start, end } : undefined;
}

/** Reads what stands around a cell as JSON, and the cell as the bytes it is. */
function readAround(bytes: Buffer, { start, end }: Range): Source {
  const text = decodeText(Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]));
  return { format: "binary", text, documents: [withData(readJson(text), bytes.subarray(start, end))] };
}

function longCellOf(document: Mapping): Buffer | undefined {
  const [first] = document.items;
  const value = first?.kind === "entry" && first.key === DATA && first.value.kind === "leaf" ? first.value.value : null;
  if (!(value instanceof Uint8Array) || value.length < LONG_VALUE) return undefined;
  const bytes = asBuffer(value);
  return bytes.indexOf(CELL_START) === 0 && isCellText(bytes) ? bytes : undefined;
}

/** Prints a document; a long cell is left out meanwhile, and put into the first pair of quotes with nothing in it. */
function aroundCell(document: Mapping, print: (document: Mapping) => Uint8Array): Uint8Array {
  const cell = longCellOf(document);
  if (cell === undefined) return print(document);
  const frame = print(withoutCell(document));
  const at = asBuffer(frame).indexOf('""') + 1;
  return Buffer.concat([frame.subarray(0, at), cell, frame.subarray(at)]);
}

function withoutCell(document: Mapping): Mapping {
  return longCellOf(document) === undefined ? document : withData(document, "");
}

const PIECE = 2 ** 16;

/** Whether all characters are such as a cell has, none of which JSON escapes. */
function isCellText(bytes: Buffer): boolean {
  const discard = garbageCounter();
  for (let start = 0; start < bytes.length; start += PIECE) {
    if (/[^\w+/=:,[\]]/.test(bytes.toString("latin1", start, start + PIECE))) return false;
    discard(PIECE);
  }
  return true;
}

function withData(document: Mapping, value: string | Uint8Array): Mapping {
  const items = document.items.map((item) =>
    item.kind === "entry" && item.key === DATA ? { ...item, value: { ...item.value, ...leaf(value) } } : item,
  );
  return { ...document, items };
}

function onlyOf(documents: readonly Mapping[]): Mapping {
  const [only, ...others] = documents;
  if (only === undefined || others.length > 0) throw notBinary("there must be exactly one tree branch");
  return only;
}

function notBinary(reason: string): EmitError {
  return new EmitError(
    `error emitting binary store: ${reason}\n\n` +
      "This is likely not an encrypted binary file? If not, use --output-type to select the correct output type.",
  );
}
