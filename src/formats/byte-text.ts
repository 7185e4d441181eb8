/**
 * Texts that hold one byte per character, for the line formats: dotenv and INI may hold bytes that are not UTF-8, and
 * these must come back as they were (file-format.md 1.2). Line ends, quotes and delimiters are ASCII, so such a text
 * is cut like any other; what is cut out becomes a string, or stays bytes.
 */

import { asBuffer, decodeUtf8, encodeUtf8 } from "../bytes/utf8.ts";
import { FormatError } from "../errors.ts";
import { positionAt, refuseTooLarge } from "./text.ts";

const ASCII = /^[\0-\x7f]*$/;

/**
 * The bytes of a file, one character each.
 *
 * @throws {FormatError} if they are too many
 */
export function toByteText(bytes: Uint8Array): string {
  refuseTooLarge(bytes);
  return asBuffer(bytes).toString("latin1");
}

/** The bytes of a text that has one character for each. */
export function fromByteText(byteText: string): Uint8Array {
  return Buffer.from(byteText, "latin1");
}

/** What a part of a byte text says: a string, or its bytes if they are not UTF-8. */
export function decodePart(part: string): string | Uint8Array {
  if (ASCII.test(part)) return part;
  const bytes = Buffer.from(part, "latin1");
  return decodeUtf8(bytes) ?? new Uint8Array(bytes);
}

/**
 * Like `decodePart` for keys and comments, which have no bytes in the tree.
 *
 * @param what - what the part is, for the message
 * @throws {FormatError} with the line of `offset` in `byteText` if the part is not UTF-8
 */
export function decodeString(part: string, what: string, byteText: string, offset: number): string {
  const text = decodePart(part);
  if (typeof text === "string") return text;
  throw new FormatError(`${what} is not valid UTF-8`, lineAt(byteText, offset));
}

/** The byte text of a string or of bytes. */
export function encodePart(value: string | Uint8Array): string {
  if (typeof value === "string" && ASCII.test(value)) return value;
  return asBuffer(typeof value === "string" ? encodeUtf8(value) : value).toString("latin1");
}

/** The line of an offset; columns would count bytes. */
export function lineAt(byteText: string, offset: number): { line: number } {
  return { line: positionAt(byteText, offset).line };
}
