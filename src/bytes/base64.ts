import { asBuffer } from "./utf8.ts";

/**
 * Decodes standard base64 as the wire format has it: padded, no blanks, CR and LF skipped.
 *
 * `Buffer.from(text, "base64")` takes anything: the URL alphabet, blanks, missing padding, and of characters beyond
 * U+00FF the lower half.
 *
 * @returns undefined if the text is not base64
 * @see file-format.md 2.1
 */
export function decodeBase64(text: string): Buffer | undefined {
  const compact = compactBase64(text);
  return compact === undefined ? undefined : decodeCompact(compact);
}

/** Decodes like `decodeBase64`, into `target` where the bytes fill it: a Buffer for each part of each cell takes longer. */
export function decodeBase64Into(target: Buffer, text: string): Buffer | undefined {
  const compact = compactBase64(text);
  if (compact === undefined) return undefined;
  if (decodedLength(compact) !== target.length) return decodeCompact(compact);
  target.write(compact, "base64");
  return target;
}

function decodeCompact(text: string): Buffer {
  // eslint-disable-next-line no-restricted-syntax -- the one place: nothing but base64 comes here
  return Buffer.from(text, "base64");
}

/**
 * A base64 text without its line breaks, for functions that decode by themselves.
 *
 * @returns undefined if the text is not base64
 */
export function compactBase64(text: string): string | undefined {
  const compact = text.includes("\r") || text.includes("\n") ? text.replace(/[\r\n]/g, "") : text;
  return compact.length % 4 === 0 && isBase64Text(compact) ? compact : undefined;
}

/** How many bytes a base64 text without line breaks stands for. */
export function decodedLength(text: string): number {
  return (text.length / 4) * 3 - paddingOf(text);
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

function paddingOf(text: string): number {
  return text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
}

function isBase64Text(text: string): boolean {
  const end = text.length - paddingOf(text);
  for (let index = 0; index < end; index += 1) {
    if (IN_ALPHABET[text.charCodeAt(index)] !== 1) return false;
  }
  return true;
}
