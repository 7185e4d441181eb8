import type { Comment, Entry, Leaf, Mapping, Node, Sequence } from "../../document/model.ts";
import { EmitError } from "../../errors.ts";
import { spanOf } from "../text.ts";

/** Anything a mapping or a sequence lists. */
export type Item = Entry | Node | Comment;

export type Container = Mapping | Sequence;

/** The header of a block scalar: `|` or `>`, a digit, a chomping indicator; then blanks and perhaps a comment. */
export interface BlockHeader {
  /** Offset of `|` or `>`. */
  readonly start: number;
  /** Offset behind the indicators. */
  readonly end: number;
  readonly digit: string;
  readonly chomping: string;
  /** Offset of the first line of the content. */
  readonly bodyStart: number;
}

/** The error for a change that has no place in the text. */
export function layoutError(): EmitError {
  return new EmitError("the layout of the file cannot be kept", { hint: "use --layout reference" });
}

export function lineStart(text: string, offset: number): number {
  const start = offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
  return start === 0 && text.startsWith("\ufeff") ? 1 : start;
}

/** Offset of the line break that ends the line (of its CR, if it has one), or the end of the text. */
export function lineBreakAt(text: string, offset: number): number {
  const lineFeed = text.indexOf("\n", offset);
  if (lineFeed < 0) return text.length;
  return lineFeed > offset && text.charAt(lineFeed - 1) === "\r" ? lineFeed - 1 : lineFeed;
}

/** Offset behind the line on which something ends; a block scalar ends behind its last line break already. */
export function rowEnd(text: string, end: number): number {
  if (end > 0 && text.charAt(end - 1) === "\n") return end;
  const lineFeed = text.indexOf("\n", end);
  return lineFeed < 0 ? text.length : lineFeed + 1;
}

/** Offset of the end of the row that `rowEnd` gives, without its line break. */
export function rowContentEnd(text: string, end: number): number {
  if (end > 0 && text.charAt(end - 1) === "\n") return lineBreakAt(text, lineStart(text, end - 1));
  return lineBreakAt(text, end);
}

/** Whether there is nothing but blanks between two offsets. */
export function isBlank(text: string, start: number, end: number): boolean {
  return text.slice(start, end).trim() === "";
}

/** Offset behind the blank lines that start at the start of a line, and their number. */
export function skipBlankLines(text: string, offset: number): { readonly end: number; readonly count: number } {
  const blankLine = /[ \t]*\r?\n/y;
  let end = offset;
  let count = 0;
  for (blankLine.lastIndex = offset; blankLine.test(text); end = blankLine.lastIndex) count += 1;
  return { end, count };
}

/** Where an item ends, comments at the end of its collections included. */
export function endOf(item: Item): number {
  if (item.kind === "entry") return Math.max(item.span?.end ?? 0, endOf(item.value));
  const end = item.span?.end ?? 0;
  if (item.kind === "leaf" || item.kind === "comment" || item.span?.style === "alias") return end;
  const last = item.items.at(-1);
  return last === undefined ? end : Math.max(end, endOf(last));
}

/** The leaf on the last line of an item, if that is a leaf. */
export function lastLeafOf(item: Item | undefined): Leaf | undefined {
  if (item === undefined || item.kind === "comment") return undefined;
  if (item.kind === "leaf") return item;
  return lastLeafOf(item.kind === "entry" ? item.value : item.items.at(-1));
}

/**
 * Where an item of a block collection starts: its dash, its key or the `?` before that, or the `#` of a comment.
 *
 * @throws {EmitError} if it is not found at the collection's column
 */
export function itemStart(text: string, item: Item, container: Container): number {
  const { start } = spanOf(item);
  if (item.kind === "comment") return start;
  const { indent } = spanOf(container);
  let position = lineStart(text, start) + indent;
  if (item.kind === "entry") return Math.min(position, start);
  // The content of an item may stand on a later line than its dash.
  while (text.charAt(position) !== "-") {
    const line = position - indent;
    if (line <= 1) throw layoutError();
    position = lineStart(text, line - 1) + indent;
  }
  return position;
}

/**
 * The offset behind the colon of an entry in a block mapping.
 *
 * @throws {EmitError} if the key is a block scalar, in which a colon means nothing
 */
export function afterColon(text: string, { span }: Entry): number {
  const start = span?.start ?? 0;
  const key = /(?:[!&]\S*\s+)*(?:"(?:[^"\\]|\\[^])*"|'(?:[^']|'')*')?/y;
  key.lastIndex = start;
  const keyEnd = start + (key.exec(text)?.[0].length ?? 0);
  if (/[|>]/.test(text.charAt(keyEnd))) throw layoutError();
  const colon = /:(?=\s|$)/g;
  colon.lastIndex = keyEnd;
  if (colon.exec(text) === null) throw layoutError();
  return colon.lastIndex;
}

/** Where the value of an entry or of an item starts, before the blanks that separate it. */
export function valueStart(text: string, node: Node, container: Container, entry: Entry | undefined): number {
  return entry === undefined ? itemStart(text, node, container) + 1 : afterColon(text, entry);
}

/** Reads the header of a block scalar, which a tag or an anchor may precede. */
export function blockHeader(text: string, start: number): BlockHeader {
  const pattern = /((?:[!&]\S*[ \t]+)*)[|>](?:([-+])([1-9])|([1-9])?([-+])?)/y;
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (match === null) throw layoutError();
  const end = start + match[0].length;
  return {
    start: start + (match[1] ?? "").length,
    end,
    digit: match[3] ?? match[4] ?? "",
    chomping: match[2] ?? match[5] ?? "",
    bodyStart: rowEnd(text, end),
  };
}

/** Whether the document that holds an offset has started with a `---` line before it. */
export function hasDocumentStart(text: string, offset: number): boolean {
  return /^(?:\ufeff)?---(?:\s|$)/m.test(text.slice(documentStart(text, offset), offset));
}

function documentStart(text: string, offset: number): number {
  const before = text.slice(0, offset);
  const marker = Math.max(before.lastIndexOf("\n---"), before.lastIndexOf("\n..."));
  return marker < 0 ? 0 : marker + 1;
}
