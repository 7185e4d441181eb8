import { encodeUtf8 } from "../bytes/utf8.ts";
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
    const text = decodeText(bytes);
    return { format: "binary", text, documents: [readJson(text)] };
  },
  write(source, documents) {
    // The plain side has no text to keep.
    return source.text === "" ? this.emit(documents, {}) : encodeUtf8(writeJson(source, documents));
  },
  emit: (documents, style) => encodePieces(printJson(onlyOf(documents), canonicalLayout(style), "", "\n")),
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
