/** A scalar that was read: its text, and the offset behind it. */
export interface ScannedText {
  readonly value: string;
  readonly end: number;
}

/** Escapes of one character; those with digits and the escaped line break are handled apart. `\/` is no YAML 1.1. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["0", "\0"],
  ["a", "\x07"],
  ["b", "\b"],
  ["t", "\t"],
  ["\t", "\t"],
  ["n", "\n"],
  ["v", "\v"],
  ["f", "\f"],
  ["r", "\r"],
  ["e", "\x1b"],
  [" ", " "],
  ['"', '"'],
  ["'", "'"],
  ["\\", "\\"],
  ["N", "\x85"],
  ["_", "\xa0"],
  ["L", "\u2028"],
  ["P", "\u2029"],
]);
const DIGITS_OF_ESCAPE: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

/**
 * Reads one escape of a double-quoted scalar, from its backslash on; not the one of a line break.
 *
 * @returns undefined if YAML 1.1 has no such escape, or it names a surrogate or nothing
 */
export function readEscape(text: string, start: number): ScannedText | undefined {
  const letter = text.charAt(start + 1);
  const value = ESCAPES.get(letter);
  if (value !== undefined) return { value, end: start + 2 };
  const length = DIGITS_OF_ESCAPE.get(letter);
  if (length === undefined) return undefined;
  const digits = text.slice(start + 2, start + 2 + length);
  if (digits.length < length || !/^[\da-fA-F]+$/.test(digits)) return undefined;
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return undefined;
  return { value: String.fromCodePoint(code), end: start + 2 + length };
}
