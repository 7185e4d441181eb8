import { isUtf8 } from "node:buffer";
import { asBuffer, decodeUtf8, encodeUtf8 } from "../bytes/utf8.ts";
import type { Comment, Entry, Node, Span } from "../document/model.ts";
import { EmitError, FormatError, type Position } from "../errors.ts";

/** The longest text a JavaScript string holds, with room for what is added around a cell: 512 MiB less 1 MiB. */
const MAX_TEXT_BYTES = 511 * 2 ** 20;
const LINE_FEED = 0x0a;

/**
 * The text of a file.
 *
 * @throws {FormatError} if the bytes are not valid UTF-8 (with the line) or too many for one text
 */
export function decodeText(bytes: Uint8Array): string {
  refuseTooLarge(bytes);
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new FormatError("the text is not valid UTF-8", { line: firstInvalidLine(bytes) });
  return text;
}

/**
 * Refuses files that do not fit one JavaScript string.
 *
 * @throws {FormatError}
 */
export function refuseTooLarge(bytes: Uint8Array): void {
  if (bytes.length > MAX_TEXT_BYTES)
    throw new FormatError(`the file has ${String(bytes.length)} bytes; at most 511 MiB can be read as text`);
}

function firstInvalidLine(bytes: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < bytes.length; line += 1) {
    const lineFeed = bytes.indexOf(LINE_FEED, start);
    const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
    if (decodeUtf8(bytes.subarray(start, end)) === undefined) break;
    start = end;
  }
  return line;
}

/** Line and column of an offset into a text; for messages, as it reads the text from its start. */
export function positionAt(text: string, offset: number): Position {
  let line = 1;
  let lineStart = 0;
  for (;;) {
    const lineFeed = text.indexOf("\n", lineStart);
    if (lineFeed < 0 || lineFeed >= offset) return { line, column: offset - lineStart + 1 };
    line += 1;
    lineStart = lineFeed + 1;
  }
}

/** Pieces this long go to bytes on their own: joining them first would hold a large file twice. */
export const LONG_PIECE: number = 2 ** 20;

/** The UTF-8 bytes of texts in a row. */
export function encodePieces(pieces: readonly string[]): Uint8Array {
  if (pieces.every((piece) => piece.length < LONG_PIECE)) return encodeUtf8(pieces.join(""));
  const bytes = Buffer.allocUnsafe(pieces.reduce((total, piece) => total + Buffer.byteLength(piece), 0));
  let offset = 0;
  for (const piece of pieces) offset += bytes.write(piece, offset);
  return bytes;
}

/** The texts between the bytes that are not part of valid UTF-8; Go replaces each such byte by one U+FFFD. */
export function validRuns(bytes: Uint8Array): string[] {
  const buffer = asBuffer(bytes);
  const runs: string[] = [];
  let start = 0;
  for (let at = 0; at < buffer.length;) {
    const length = sequenceLength(buffer[at] ?? 0);
    const isValid = length === 1 || (length > 1 && isUtf8(buffer.subarray(at, at + length)));
    if (!isValid) {
      runs.push(buffer.toString("utf8", start, at));
      start = at + 1;
    }
    at += isValid ? length : 1;
  }
  runs.push(buffer.toString("utf8", start));
  return runs;
}

/** How many bytes a UTF-8 sequence has by its first one; 0 if none begins with it. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc0) return 0;
  return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/**
 * Where a node of a source stands.
 *
 * @throws {EmitError} if it has no place, which a reader never lets happen
 */
export function spanOf(node: Entry | Node | Comment | undefined): Span {
  if (node?.span === undefined) throw new EmitError("a node of the source has no place in its text");
  return node.span;
}
