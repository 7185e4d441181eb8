import type { Leaf } from "../../document/model.ts";
import type { Edit } from "../splice.ts";
import { spanOf } from "../text.ts";
import { blockHeader, isBlank, lineBreakAt, skipBlankLines, type BlockHeader } from "./geometry.ts";
import { takesInLines } from "./below.ts";
import { isPlainString, resolvePlain } from "./resolve.ts";
import {
  chooseStyle,
  chomping,
  doubleQuoted,
  isCellText,
  isPlainWord,
  literalLines,
  scalarText,
  styledText,
} from "./scalars.ts";

/** What surrounds a leaf: the column of its container's items, the step of the document, flow or block. */
export interface Surroundings {
  readonly column: number;
  readonly step: number;
  readonly isFlow: boolean;
}

/**
 * Writes a value in the place of an old one, in the old style where that can hold it, else in the one the reference
 * chooses. The comment on the line of a value, or of the header of a block scalar, stays.
 */
export function replaceLeaf(text: string, old: Leaf, next: Leaf, around: Surroundings): [Edit, ...Edit[]] {
  const { style } = spanOf(old);
  if (style === "literal" || style === "folded") return replaceBlockScalar(text, old, next, style, around);
  return replaceOnLine(text, old, next, around);
}

/** The text of a value in the style of the one it replaces, where that is on one line. */
function valueText(next: Leaf, style: string, around: Surroundings): string {
  const { value } = next;
  if (typeof value !== "string") return otherText(next, around);
  if (style === "double") return doubleQuotedForPeople(value);
  if (style === "single" && fitsOnLine(value)) return `'${value.replaceAll("'", "''")}'`;
  if (around.isFlow) return style === "plain" && isFlowWord(value) ? value : doubleQuotedForPeople(value);
  if (fitsPlain(value)) return value;
  return value === "<<" ? '"<<"' : styledText(value, styleFor(value), placeOf(around));
}

function cellText(cell: string, style: string, isFlow: boolean): string {
  if (style === "double" || style === "single") return style === "single" ? `'${cell}'` : `"${cell}"`;
  // The commas and brackets of a plain cell would be those of the flow collection.
  return isFlow ? `"${cell}"` : cell;
}

/** The text of what is no string; a float keeps its digits if they are a float in YAML too. */
function otherText({ value, text }: Leaf, around: Surroundings): string {
  if (text !== undefined && typeof value === "number" && Object.is(resolvePlain(text), value)) return text;
  // The canonical text of this float is an integer to YAML, which has no sign of its own for zero.
  if (Object.is(value, -0)) return "-0.0";
  const canonical = scalarText(value, placeOf(around));
  if (!around.isFlow || !canonical.includes("\n")) return canonical;
  return `!!binary "${canonical.slice(canonical.indexOf("\n")).replace(/\s/g, "")}"`;
}

function placeOf({ column, step }: Surroundings): { readonly column: number; readonly content: number } {
  return { column, content: column + step };
}

/** The reference's choice, but without the escapes it needs for characters that quotes can hold. */
function styleFor(value: string): "plain" | "single" | "double" | "literal" {
  const style = chooseStyle(value);
  return style === "double" && value.includes("\n") && fitsLiteral(value) && !/^[ \t\n]/.test(value)
    ? "literal"
    : style;
}

/** Characters that would end or change a scalar of one line, or that YAML does not allow without an escape. */
const NOT_ON_LINE = /[\0-\x08\n-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;
const NOT_IN_LITERAL = /[\0-\x08\v-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/;

function fitsOnLine(value: string): boolean {
  return !NOT_ON_LINE.test(value);
}

function fitsPlain(value: string): boolean {
  if (isPlainWord(value)) return true;
  if (value === "<<" || !fitsOnLine(value) || /^\t|\t$/.test(value)) return false;
  // The reference quotes for tabs and for what is above U+FFFF; plain scalars can hold both.
  const style = chooseStyle(value.replace(/[\u{10000}-\u{10ffff}]/gu, "x").replace(/\t/g, " "));
  return style === "plain" && isPlainString(value);
}

function isFlowWord(value: string): boolean {
  return /^[\w./-]+$/.test(value) && chooseStyle(value) === "plain";
}

function fitsLiteral(value: string): boolean {
  return !NOT_IN_LITERAL.test(value) && /[^ \t\n]/.test(value) && !/\n[ \t]+$/.test(value);
}

function fitsFolded(value: string): boolean {
  return fitsLiteral(value) && !/^[ \t]/.test(value) && !value.replace(/\n+$/, "").includes("\n");
}

/** Double quotes that keep what is readable, such as emoji, which the reference escapes. */
function doubleQuotedForPeople(value: string): string {
  if (value.startsWith("\ufeff")) return doubleQuoted(value);
  return `"${value.replace(/[^\u{10000}-\u{10ffff}]+/gu, (run) => doubleQuoted(run).slice(1, -1))}"`;
}

/**
 * A blank behind the cell, within its quotes, says that the value stood there without any. Readers ignore what follows a
 * cell's last bracket (file-format.md 2.1), so it costs nothing, and tells `[a, "b"]` or `yes` from what was quoted.
 */
const PLAIN_MARK = ' "';

function isMarked(oldText: string): boolean {
  return oldText.endsWith(`]${PLAIN_MARK}`);
}

function textInPlace(oldText: string, old: Leaf, next: Leaf, around: Surroundings): string {
  const { style } = spanOf(old);
  const { value } = next;
  if (typeof value !== "string") return otherText(next, around);
  if (isCellText(value)) {
    const isPlainAtHeart = isMarked(oldText) || (style === "plain" && needsMark(oldText, old, around));
    return isPlainAtHeart ? `"${value}${PLAIN_MARK}` : cellText(value, style, around.isFlow);
  }
  return isMarked(oldText) && canBePlain(value, around.isFlow) ? value : valueText(next, style, around);
}

/** Whether an unquoted text would come back from an unmarked cell in another way, and from a marked one as it was. */
function needsMark(oldText: string, old: Leaf, around: Surroundings): boolean {
  if (isPlainWord(oldText) && !around.isFlow) return false;
  if (old.value !== oldText || !canBePlain(oldText, around.isFlow)) return false;
  return valueText(old, around.isFlow ? "double" : "plain", around) !== oldText;
}

const STARTS_OTHERWISE = /^(?:[,[\]{}#&*!|>'"%@`]|[-?:](?:[ \t]|$)|---|\.\.\.)/;
const ENDS_OTHERWISE = /:(?:[ \t]|$)|[ \t]#/;
const FLOW_INDICATOR = /[,[\]{}?:]/;

/** Whether a text means itself without quotes. */
function canBePlain(value: string, isFlow: boolean): boolean {
  const isWord = value !== "" && value.trim() === value && fitsOnLine(value) && !value.includes("\t");
  if (!isWord || value === "<<" || STARTS_OTHERWISE.test(value) || ENDS_OTHERWISE.test(value)) return false;
  return isPlainString(value) && !(isFlow && FLOW_INDICATOR.test(value));
}

/** Replaces a scalar that is no block scalar; the lines of a new literal block go below the comment on its line. */
function replaceOnLine(text: string, old: Leaf, next: Leaf, around: Surroundings): [Edit, ...Edit[]] {
  const { start, end } = spanOf(old);
  const inPlace = textInPlace(text.slice(start, end), old, next, around);
  const gap = start === end ? separatorBefore(text, start, around.isFlow) : "";
  // A line may hold a hundred thousand values: its end is looked for only where it matters.
  if (!inPlace.includes("\n")) return [{ start, end, text: gap + inPlace + separatorBehind(text, end, inPlace) }];
  const lineBreak = lineBreakAt(text, end);
  // The blank lines below would become part of a literal block that keeps its last line breaks.
  const chomp = /^\|\d?\+/.test(inPlace) ? "+" : "";
  const losesBreaks = lineBreak === text.length && endsInBreak(next);
  const takesLines = losesBreaks || takesInLines(text, lineBreak, chomp, around.column + around.step);
  const value = takesLines ? quotedText(next, around) : inPlace;
  const firstBreak = value.indexOf("\n");
  if (firstBreak < 0) return [{ start, end, text: gap + value + separatorBehind(text, end, value) }];
  const header = gap + value.slice(0, firstBreak);
  const body = value.slice(firstBreak);
  if (isBlank(text, end, lineBreak)) return [{ start, end: lineBreak, text: header + body }];
  return [
    { start, end, text: header },
    { start: lineBreak, end: lineBreak, text: body },
  ];
}

function quotedText(next: Leaf, around: Surroundings): string {
  return typeof next.value === "string"
    ? doubleQuotedForPeople(next.value)
    : otherText(next, { ...around, isFlow: true });
}

/** What goes before a value where none stood: `k:` has no blank behind it, and `{k}` not even a colon. */
function separatorBefore(text: string, offset: number, isFlow: boolean): string {
  let before = offset - 1;
  while (before >= 0 && /\s/.test(text.charAt(before))) before -= 1;
  if (isFlow && !/[:,[?]/.test(text.charAt(before))) return ": ";
  return before === offset - 1 ? " " : "";
}

/** Behind quotes and the header of a block scalar a comment needs no blank, behind a value without quotes it does. */
function separatorBehind(text: string, end: number, written: string): string {
  return text.charAt(end) === "#" && !/["']$/.test(written) ? " " : "";
}

function endsInBreak({ value }: Leaf): boolean {
  return typeof value === "string" && value.endsWith("\n");
}

function replaceBlockScalar(
  text: string,
  old: Leaf,
  next: Leaf,
  style: string,
  around: Surroundings,
): [Edit, ...Edit[]] {
  const span = spanOf(old);
  const header = blockHeader(text, span.start);
  const { value } = next;
  const bodyEnd = Math.max(span.end, header.bodyStart);
  const isCell = typeof value === "string" && isCellText(value);
  if (isCell) {
    const lineBreak = text.endsWith("\n", bodyEnd) ? "\n" : "";
    const content = span.indent > around.column ? span.indent : around.column + around.step;
    const body = " ".repeat(content) + value + lineBreak;
    return [{ start: header.bodyStart, end: bodyEnd, text: body }];
  }
  const isOpenEnd = bodyEnd === text.length && !text.endsWith("\n");
  // The end of a text without a last line break has no room for those of a value.
  if (typeof value === "string" && fitsLiteral(value) && !(isOpenEnd && endsInBreak(next))) {
    const indicator = style === "folded" && fitsFolded(value) ? ">" : "|";
    return rewriteBlock(text, header, value, { indicator, indent: span.indent, bodyEnd, around });
  }
  const onLine = typeof value === "string" ? doubleQuotedForPeople(value) : otherText(next, around);
  const inPlace = missingIndent(text, span.start, around.column) + onLine + separatorBehind(text, header.end, onLine);
  return [
    { start: span.start, end: header.end, text: inPlace },
    { start: header.bodyStart, end: bodyEnd, text: "" },
  ];
}

/** What a scalar on one line lacks in front of it where a block scalar's header stood at the column of its key. */
function missingIndent(text: string, start: number, column: number): string {
  const lineStart = text.lastIndexOf("\n", start - 1) + 1;
  const isAlone = text.slice(lineStart, start).trim() === "";
  return isAlone ? " ".repeat(Math.max(0, column + 1 - (start - lineStart))) : "";
}

interface BlockLayout {
  readonly indicator: string;
  /** The column of the old content. */
  readonly indent: number;
  readonly bodyEnd: number;
  readonly around: Surroundings;
}

function rewriteBlock(text: string, header: BlockHeader, value: string, layout: BlockLayout): [Edit, ...Edit[]] {
  const { indicator, bodyEnd, around } = layout;
  const needsDigit = header.digit !== "" || /^\n*[ \t]/.test(value);
  const content = contentColumn(layout, needsDigit);
  const digit = needsDigit ? String(content - around.column) : "";
  const blankLines = skipBlankLines(text, bodyEnd);
  const needed = chomping(value);
  const holdsAsIs = header.chomping === "+" && value.endsWith("\n") && blankLines.count === trailingBlankLines(value);
  const chomp = holdsAsIs ? "+" : needed;
  const headerText = indicator + digit + chomp;
  const lines = `${literalLines(value.replace(/\n+$/, ""), content).slice(1)}\n`;
  // With `+` the blank lines that follow belong to the value.
  const end = chomp === "+" ? blankLines.end : bodyEnd;
  const body = chomp === "+" ? lines + "\n".repeat(trailingBlankLines(value)) : lines;
  // A text that ends without a line break goes on without one.
  const isOpenEnd = end === text.length && !text.endsWith("\n");
  const edits: [Edit] = [{ start: header.bodyStart, end, text: isOpenEnd ? body.slice(0, -1) : body }];
  const isSameHeader = text.slice(header.start, header.end) === headerText;
  return isSameHeader ? edits : [{ start: header.start, end: header.end, text: headerText }, ...edits];
}

/** The column of the new content: that of the old, unless there was none or no digit could tell it. */
function contentColumn({ indent, around: { column, step } }: BlockLayout, needsDigit: boolean): number {
  return indent > column && (!needsDigit || indent <= column + 9) ? indent : column + step;
}

function trailingBlankLines(value: string): number {
  return value.length - value.replace(/\n+$/, "").length - 1;
}
