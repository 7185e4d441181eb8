/** Values and keys of INI on the level of characters, in a text of one character per byte. */

import type { Style } from "../../document/model.ts";

/** A part of a text; offsets, end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/**
 * How a value is written: `literal` stands in backquotes or three double quotes, `folded` goes over several lines by
 * backslashes at their ends.
 */
export type ValueStyle = Extract<Style, "plain" | "single" | "double" | "literal" | "folded">;

/** A value as it stands in a text. */
export interface RawValue extends Range {
  /** What it says, as byte text. */
  readonly value: string;
  readonly style: ValueStyle;
  /** The comment after it, without the blanks around it. */
  readonly comment?: Range;
  /** Whether the comment is one that the reference passes over: after a quote that closes on the same line. */
  readonly isCommentIgnored?: boolean;
  /** Where the next line begins. */
  readonly next: number;
}

/** What cannot be read, and where. */
export class IniFault {
  readonly message: string;
  readonly offset: number;

  constructor(message: string, offset: number) {
    this.message = message;
    this.offset = offset;
  }
}

/** A key as it stands in a text: what it says, and where its value may begin. */
export interface RawKey {
  readonly key: string;
  readonly valueStart: number;
}

const DELIMITER = /[=:]/g;
const COMMENT = /[#;]/;
/** Unicode white space within a line, as UTF-8 read one byte per character. */
const SPACE =
  "(?:[\\t\\v\\f\\r ]|\\xc2[\\x85\\xa0]|\\xe1\\x9a\\x80|\\xe2\\x80[\\x80-\\x8a\\xa8\\xa9\\xaf]|\\xe2\\x81\\x9f|\\xe3\\x80\\x80)";
const LEADING_SPACE = new RegExp(`${SPACE}*`, "y");
const ONE_SPACE_AT_END = new RegExp(`${SPACE}$`);

/** A part without the white space around it. */
export function trim(text: string, { start, end }: Range): Range {
  const from = Math.min(skipSpace(text, start), end);
  return { start: from, end: trimEnd(text, from, end) };
}

/** The offset of the first character that is not white space. */
export function skipSpace(text: string, start: number): number {
  if (isVisibleAscii(text.charCodeAt(start))) return start;
  LEADING_SPACE.lastIndex = start;
  LEADING_SPACE.test(text);
  return LEADING_SPACE.lastIndex;
}

/** The end of a part without the white space at its end. */
export function trimEnd(text: string, start: number, end: number): number {
  let at = end;
  for (;;) {
    if (at <= start || isVisibleAscii(text.charCodeAt(at - 1))) return at;
    // A space has at most three bytes.
    const space = ONE_SPACE_AT_END.exec(text.slice(Math.max(start, at - 3), at));
    if (space === null) return at;
    at -= space[0].length;
  }
}

/** Most lines begin and end with such a character, and no search for white space is needed. */
function isVisibleAscii(code: number): boolean {
  return code > 0x20 && code < 0x80;
}

/** The end of the line at an offset, and the beginning of the next. */
export function lineEnd(text: string, offset: number): { readonly end: number; readonly next: number } {
  const lineFeed = text.indexOf("\n", offset);
  return lineFeed < 0 ? { end: text.length, next: text.length } : { end: lineFeed, next: lineFeed + 1 };
}

/** Reads the key of a line that begins (after blanks) at `start`. */
export function readKey(text: string, start: number, end: number): RawKey | IniFault {
  const line = text.slice(start, end);
  const quote = /^(?:"""(?=[^]{4})|["`])/.exec(line)?.[0] ?? "";
  const closing = quote === "" ? 0 : line.indexOf(quote, quote.length);
  if (closing < 0) return new IniFault("the quotes around a key are not closed", start);
  DELIMITER.lastIndex = quote === "" ? 0 : closing + quote.length;
  const delimiter = DELIMITER.exec(line)?.index;
  if (delimiter === undefined)
    return new IniFault("key-value delimiter not found, expected '=' or ':' after a key", start);
  const range = quote === "" ? { start: 0, end: delimiter } : { start: quote.length, end: closing };
  const trimmed = trim(line, range);
  const key = line.slice(trimmed.start, trimmed.end);
  return key === "" ? new IniFault("empty key name", start) : { key, valueStart: start + delimiter + 1 };
}

/** Reads the value whose line goes on at `start`, behind the delimiter. */
export function readValue(text: string, start: number): RawValue | IniFault {
  const line = lineEnd(text, start);
  const first = Math.min(skipSpace(text, start), line.end);
  // The line break counts for the length of a line that starts with three quotes.
  const isTriple = text.startsWith('"""', first) && first + 3 < line.next;
  if (isTriple || text[first] === "`") return readQuoted(text, first, isTriple ? '"""' : "`");
  const { end } = trim(text, { start: first, end: line.end });
  if (end > first && text[end - 1] === "\\") return readContinued(text, first, end - 1, line.next);
  return readBare(text, start, { start: first, end }, line.next);
}

function readBare(text: string, start: number, line: Range, next: number): RawValue {
  const commentAt = text.slice(line.start, line.end).search(COMMENT);
  const commentStart = commentAt < 0 ? line.end : line.start + commentAt;
  const end = trimEnd(text, line.start, commentStart);
  const comment = commentAt < 0 ? {} : { comment: { start: commentStart, end: line.end } };
  if (end === line.start) {
    // An empty value begins behind one blank, where there is one.
    const at = Math.min(text[start] === " " || text[start] === "\t" ? start + 1 : start, line.start);
    return { start: at, end: at, value: "", style: "plain", ...comment, next };
  }
  const value = text.slice(line.start, end);
  const quote = value.charAt(0);
  const isQuoted = (quote === '"' || quote === "'") && value.length > 1 && value.indexOf(quote, 1) === value.length - 1;
  const style = isQuoted ? (quote === '"' ? "double" : "single") : "plain";
  return { start: line.start, end, value: isQuoted ? value.slice(1, -1) : value, style, ...comment, next };
}

function readQuoted(text: string, start: number, quote: string): RawValue | IniFault {
  const inside = start + quote.length;
  let line = lineEnd(text, inside);
  let closing = text.slice(inside, line.end).lastIndexOf(quote);
  const isMultiline = closing < 0;
  closing += inside;
  while (closing < inside) {
    const lineStart = line.next;
    if (lineStart >= text.length) return new IniFault("the quotes around a value are not closed", start);
    line = lineEnd(text, lineStart);
    const at = text.slice(lineStart, line.end).lastIndexOf(quote);
    if (at >= 0) closing = lineStart + at;
  }
  const end = closing + quote.length;
  const rest = trim(text, { start: end, end: line.end });
  if (rest.start < rest.end && !COMMENT.test(text.charAt(rest.start)))
    return new IniFault("unexpected text after the quote that closes a value", rest.start);
  const comment = rest.start < rest.end ? { comment: rest, isCommentIgnored: !isMultiline } : {};
  return { start, end, value: text.slice(inside, closing), style: "literal", ...comment, next: line.next };
}

function readContinued(text: string, start: number, backslash: number, nextLine: number): RawValue {
  const parts = [text.slice(start, backslash)];
  let end = backslash + 1;
  let next = nextLine;
  while (next < text.length) {
    const line = lineEnd(text, next);
    const part = trim(text, { start: next, end: line.end });
    next = line.next;
    if (part.start === part.end) break;
    end = part.end;
    const isContinued = text[part.end - 1] === "\\";
    parts.push(text.slice(part.start, isContinued ? part.end - 1 : part.end));
    if (!isContinued) break;
  }
  return { start, end, value: parts.join(""), style: "folded", next };
}

const QUOTES: Readonly<Record<string, string>> = { single: "'", double: '"' };
/** Values that stand without quotes, and in any: cells, words, numbers. */
const SAFE = /^[\w[\]](?:[\w[\],:=+/. -]*[\w[\]=])?$/;

/**
 * The text of a value the way the reference writes it (file-format.md 7.6). A few values do not come back from it:
 * those that end in a backslash or stand in quotes themselves.
 */
export function canonicalValue(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  if (COMMENT.test(value)) return `\`${value}\``;
  const { start, end } = trim(value, { start: 0, end: value.length });
  return start > 0 || end < value.length ? `"${value}"` : value;
}

/**
 * The text of a value in a place, in the quotes that stand there, or else in those that give the value back.
 *
 * @param old - the text of the value there
 * @param rest - what follows in its line
 * @returns undefined if no way of writing gives the value back
 */
export function fitValue(value: string, old: string, style: ValueStyle, rest: string): string | undefined {
  const quote = style === "literal" ? (old.startsWith("`") ? "`" : '"""') : (QUOTES[style] ?? "");
  const sameStyle = quote + value + quote;
  if (SAFE.test(value)) return sameStyle;
  const candidates = [
    sameStyle,
    canonicalValue(value),
    value,
    `"${value}"`,
    `'${value}'`,
    `\`${value}\``,
    `"""${value}"""`,
  ];
  return candidates.find((candidate) => readsBack(candidate, value, rest));
}

function readsBack(candidate: string, value: string, rest: string): boolean {
  const read = readValue(`${candidate}${rest}\n`, 0);
  return !(read instanceof IniFault) && read.value === value && read.end === candidate.length;
}
