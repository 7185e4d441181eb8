import { asBuffer } from "./utf8.ts";

/**
 * Decodes standard base64 as the wire format has it: padded, no blanks, CR and LF skipped.
 *
 * `Buffer.from(text, "base64")` takes anything (URL alphabet, blanks, missing padding); here the length of what it
 * returns, and for the odd text a second look at the alphabet, tell whether the text was base64.
 *
 * @returns undefined if the text is not base64
 * @see file-format.md 2.1
 */
export function decodeBase64(text: string): Buffer | undefined {
  const compact = text.includes("\r") || text.includes("\n") ? text.replace(/[\r\n]/g, "") : text;
  if (compact.length % 4 !== 0 || !isBase64Text(compact)) return undefined;
  return Buffer.from(compact, "base64");
}

/** Encodes as standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("base64");
}

const IN_ALPHABET = alphabetTable();

function alphabetTable(): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
    table[character.charCodeAt(0)] = 1;
  }
  return table;
}

function isBase64Text(text: string): boolean {
  let end = text.length;
  if (text.endsWith("==")) end -= 2;
  else if (text.endsWith("=")) end -= 1;
  for (let index = 0; index < end; index += 1) {
    if (IN_ALPHABET[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}
