import { behindBreak, breakText, isLineBreak } from "./block-scalar.ts";
import { readEscape } from "./quoted.ts";

/** A plain or quoted scalar of any number of lines. */
export interface FlowScalar {
  readonly value: string;
  /** The offset behind its last character. */
  readonly end: number;
  /** The offset behind the blanks and line breaks that were read after a plain scalar. */
  readonly next: number;
}

/** Why a scalar cannot be read, and where. */
export interface ScalarProblem {
  readonly problem: string;
  readonly at: number;
}

const TAB = 0x09;
const BLANK = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** What ends a plain scalar in a flow collection. */
const FLOW_INDICATORS = new Set(Buffer.from(",?[]{}"));

/** Whether a code is a blank or a tab. */
export function isBlankOrTab(code: number): boolean {
  return code === BLANK || code === TAB;
}

/** Whether blank space of any kind, or the end of the text, is at an offset. */
export function isSpaceAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return Number.isNaN(code) || isBlankOrTab(code) || isLineBreak(code);
}

/** Whether a `---` or `...` stands at an offset, which is the start of a line. */
export function isMarkerAt(text: string, at: number): boolean {
  return (text.startsWith("---", at) || text.startsWith("...", at)) && isSpaceAt(text, at + 3);
}

/** Blank space that was passed between two pieces of a scalar. */
interface Gap {
  /** The offset behind it. */
  readonly end: number;
  /** Start of the line it ends on, or -1 if it holds no line break. */
  readonly lineStart: number;
  /** What becomes of it in the value. */
  readonly text: string;
}

/** Folds blank space: a line break is a blank, of several all but the first stay. */
function readGap(text: string, start: number, isEscaped = false): Gap {
  let at = start;
  let lineStart = -1;
  let first = "";
  let others = "";
  for (let code = text.charCodeAt(at); isBlankOrTab(code) || isLineBreak(code); code = text.charCodeAt(at)) {
    if (isBlankOrTab(code)) {
      at += 1;
      continue;
    }
    if (lineStart < 0 && !isEscaped) first = breakText(text, at);
    else if (lineStart >= 0) others += breakText(text, at);
    at = behindBreak(text, at);
    lineStart = at;
  }
  if (lineStart < 0) return { end: at, lineStart, text: text.slice(start, at) };
  if (isEscaped) return { end: at, lineStart, text: others };
  const isFolded = first === "\n";
  return { end: at, lineStart, text: isFolded ? others || " " : first + others };
}

/**
 * Reads a plain scalar.
 *
 * @param indent - least column at which it may go on in block context
 */
export function readPlain(text: string, start: number, indent: number, isInFlow: boolean): FlowScalar | ScalarProblem {
  let end = plainPieceEnd(text, start, isInFlow);
  let value = text.slice(start, end);
  for (;;) {
    const gap = readGap(text, end);
    const isAtStart = gap.lineStart === gap.end;
    if (gap.lineStart >= 0) {
      const tab = findTabInIndent(text, end, indent);
      if (tab >= 0) return { problem: "a tab in the indentation", at: tab };
    }
    const isLess = gap.lineStart >= 0 && !isInFlow && gap.end - gap.lineStart < indent;
    if (isLess || gap.end === end || text.charCodeAt(gap.end) === HASH || (isAtStart && isMarkerAt(text, gap.end))) {
      return { value, end, next: gap.end };
    }
    const pieceEnd = plainPieceEnd(text, gap.end, isInFlow);
    if (pieceEnd === gap.end) return { value, end, next: gap.end };
    value += gap.text + text.slice(gap.end, pieceEnd);
    end = pieceEnd;
  }
}

/** The end of a piece of a plain scalar that has no blank space in it. */
function plainPieceEnd(text: string, start: number, isInFlow: boolean): number {
  let at = start;
  for (; !isSpaceAt(text, at); at += 1) {
    const code = text.charCodeAt(at);
    if (code === COLON && isSpaceAt(text, at + 1)) break;
    if (isInFlow && FLOW_INDICATORS.has(code)) break;
  }
  return at;
}

/** A tab before the least column on one of the lines of blank space behind an offset, or -1. */
function findTabInIndent(text: string, start: number, indent: number): number {
  let lineStart = -1;
  for (let at = start; isSpaceAt(text, at) && at < text.length;) {
    const code = text.charCodeAt(at);
    if (code === TAB && lineStart >= 0 && at - lineStart < indent) return at;
    at = isLineBreak(code) ? behindBreak(text, at) : at + 1;
    if (isLineBreak(code)) lineStart = at;
  }
  return -1;
}

/** Reads a quoted scalar, from its quote on. */
export function readQuoted(text: string, start: number): FlowScalar | ScalarProblem {
  const quote = text.charCodeAt(start);
  const isDouble = quote === DOUBLE_QUOTE;
  let value = "";
  let at = start + 1;
  for (;;) {
    const from = at;
    while (at < text.length && !isSpecial(text.charCodeAt(at), isDouble)) at += 1;
    value += text.slice(from, at);
    if (at >= text.length) return { problem: "a quoted text that does not end", at: start };
    const code = text.charCodeAt(at);
    if (code === quote) {
      if (isDouble || text.charCodeAt(at + 1) !== SINGLE_QUOTE) return { value, end: at + 1, next: at + 1 };
      value += "'";
      at += 2;
    } else if (code === BACKSLASH && !isLineBreak(text.charCodeAt(at + 1))) {
      const escape = readEscape(text, at);
      if (escape === undefined) return { problem: "an escape that YAML 1.1 does not have", at };
      value += escape.value;
      at = escape.end;
    } else {
      const gap = code === BACKSLASH ? readGap(text, at + 1, true) : readGap(text, at);
      if (gap.lineStart === gap.end && isMarkerAt(text, gap.end)) {
        return { problem: "a document marker within a quoted text", at: gap.end };
      }
      value += gap.text;
      at = gap.end;
    }
  }
}

function isSpecial(code: number, isDouble: boolean): boolean {
  if (isDouble ? code === DOUBLE_QUOTE || code === BACKSLASH : code === SINGLE_QUOTE) return true;
  return isBlankOrTab(code) || isLineBreak(code);
}
