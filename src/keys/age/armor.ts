import { KeyError } from "../../errors.ts";
import { asBuffer } from "../../bytes/utf8.ts";
import { decodeBase64, encodeBase64 } from "../../bytes/base64.ts";

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS = 64;

/** Writes an age file as the text that metadata holds: 64 columns of standard base64 and a final newline. */
export function armor(file: Uint8Array): string {
  const lines = encodeBase64(file).match(/.{1,64}/g) ?? [];
  return [BEGIN, ...lines, END, ""].join("\n");
}

/** Whether a text claims to be armored, whatever stands around it. */
export function isArmored(text: string): boolean {
  return text.trimStart().startsWith(BEGIN);
}

/**
 * Reads an armored age file. White space around it, CRLF and a missing final newline are taken; everything inside is
 * strict: full lines of 64 columns, then one of 1 to 64, padded canonical base64.
 *
 * @throws {KeyError} that says "invalid armor" and why
 * @see file-format.md 6.4
 */
export function dearmor(text: string): Buffer {
  const lines = text.trim().replaceAll("\r\n", "\n").split("\n");
  if (lines[0] !== BEGIN) throw invalidArmor("invalid first line");
  if (lines.at(-1) !== END) throw invalidArmor("the last line is not the end marker");
  const body = lines.slice(1, -1);
  const isFull = body.every((line, index) =>
    index === body.length - 1 ? line.length > 0 && line.length <= COLUMNS : line.length === COLUMNS,
  );
  if (!isFull) throw invalidArmor("a line of another length than 64 columns");
  const encoded = body.join("");
  const file = encoded.includes("\r") ? undefined : decodeBase64(encoded);
  if (file === undefined || encodeBase64(file) !== encoded) throw invalidArmor("not canonical base64");
  return asBuffer(file);
}

function invalidArmor(reason: string): KeyError {
  return new KeyError(`invalid armor: ${reason}`);
}
