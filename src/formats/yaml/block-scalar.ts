/** What stands in the header of a block scalar. */
export interface BlockHeader {
  readonly isFolded: boolean;
  /** What becomes of the line breaks at the end: none, one or all are kept. */
  readonly chomping: "strip" | "clip" | "keep";
  /** The indentation digit, or 0 if the content shows it. */
  readonly digit: number;
  /** The offset behind it. */
  readonly end: number;
}

/** The value of a block scalar, and where it ends. */
export interface BlockText {
  readonly value: string;
  /** End of the last line that is part of it, with the line break. */
  readonly end: number;
  /** Start of the first line behind it that is not blank; equal to `end` but for blank lines that mean nothing. */
  readonly next: number;
  /** Column of its lines. */
  readonly indent: number;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const BLANK = 0x20;

/** Reads `|` or `>` with the indentation digit and the chomping indicator, in any order. */
export function readBlockHeader(text: string, start: number): BlockHeader {
  const pattern = /[|>](?:([-+])([1-9])?|([1-9])([-+])?)?/y;
  pattern.lastIndex = start;
  const [all = "", signBefore, digitBehind, digitBefore, signBehind] = pattern.exec(text) ?? [];
  const sign = signBefore ?? signBehind;
  const clipOrKeep = sign === "+" ? "keep" : "clip";
  return {
    isFolded: all.startsWith(">"),
    chomping: sign === "-" ? "strip" : clipOrKeep,
    digit: Number(digitBehind ?? digitBefore ?? 0),
    end: start + all.length,
  };
}

/** Whether a code is one of the line breaks of YAML 1.1. */
export function isLineBreak(code: number): boolean {
  return code === LINE_FEED || code === RETURN || code === 0x85 || code === 0x2028 || code === 0x2029;
}

/** The offset behind a line break; CR LF is one. */
export function behindBreak(text: string, at: number): number {
  return text.charCodeAt(at) === RETURN && text.charCodeAt(at + 1) === LINE_FEED ? at + 2 : at + 1;
}

/** What a line break is in a value: LF, but for the two separators of Unicode, which stay what they are. */
export function breakText(text: string, at: number): string {
  const code = text.charCodeAt(at);
  return code === 0x2028 || code === 0x2029 ? text.charAt(at) : "\n";
}

/**
 * Reads the lines of a block scalar.
 *
 * @param contentStart - start of the line below the header
 * @param parent - column of the innermost block around the scalar, or -1
 * @returns the offset of a tab where indentation must be, if there is one
 */
export function readBlockLines(
  text: string,
  contentStart: number,
  header: BlockHeader,
  parent: number,
): BlockText | number {
  const lines = new BlockLines(text, contentStart, header);
  return lines.read(header.digit > 0 ? Math.max(parent, 0) + header.digit : 0, parent);
}

class BlockLines {
  readonly #text: string;
  readonly #header: BlockHeader;
  /** Start of the current line, and the offset behind its indentation. */
  #lineStart: number;
  #at: number;
  #value = "";
  /** Line breaks of blank lines that were passed. */
  #blankLines = "";

  constructor(text: string, contentStart: number, header: BlockHeader) {
    this.#text = text;
    this.#header = header;
    this.#lineStart = contentStart;
    this.#at = contentStart;
  }

  read(digits: number, parent: number): BlockText | number {
    const text = this.#text;
    const contentStart = this.#lineStart;
    const deepest = this.#passBlankLines(digits === 0 ? Infinity : digits);
    if (deepest < 0) return this.#at;
    const indent = digits === 0 ? Math.max(deepest, parent + 1, 1) : digits;
    let end = contentStart;
    let lineBreak = "";
    let wasIndented = false;
    while (this.#at - this.#lineStart === indent && this.#at < text.length) {
      const isIndented = isBlank(text.charCodeAt(this.#at));
      this.#append(lineBreak, wasIndented || isIndented);
      wasIndented = isIndented;
      lineBreak = this.#readLine();
      end = this.#lineStart;
      if (this.#passBlankLines(indent) < 0) return this.#at;
    }
    if (this.#header.chomping !== "strip") this.#value += lineBreak;
    if (this.#header.chomping === "keep") {
      this.#value += this.#blankLines;
      end = this.#lineStart;
    }
    return { value: this.#value, end, next: this.#lineStart, indent };
  }

  /** Passes blank lines and the indentation of the next one; gives the deepest column met, or -1 at a tab. */
  #passBlankLines(indent: number): number {
    const text = this.#text;
    let deepest = 0;
    for (;;) {
      this.#at = this.#lineStart;
      while (text.charCodeAt(this.#at) === BLANK && this.#at - this.#lineStart < indent) this.#at += 1;
      const column = this.#at - this.#lineStart;
      deepest = Math.max(deepest, column);
      if (text.charCodeAt(this.#at) === TAB && column < indent) return -1;
      if (!isLineBreak(text.charCodeAt(this.#at))) return deepest;
      this.#blankLines += breakText(text, this.#at);
      this.#lineStart = behindBreak(text, this.#at);
    }
  }

  /** Adds the line break that ended the line before, which folding may turn into a blank, and the blank lines. */
  #append(lineBreak: string, keepsBreaks: boolean): void {
    const isFolded = this.#header.isFolded && !keepsBreaks && lineBreak === "\n";
    if (!isFolded) this.#value += lineBreak;
    else if (this.#blankLines === "") this.#value += " ";
    this.#value += this.#blankLines;
    this.#blankLines = "";
  }

  /** Adds the rest of the line; gives its line break, which is empty at the end of the text. */
  #readLine(): string {
    const text = this.#text;
    let end = this.#at;
    while (end < text.length && !isLineBreak(text.charCodeAt(end))) end += 1;
    this.#value += text.slice(this.#at, end);
    this.#lineStart = end < text.length ? behindBreak(text, end) : end;
    this.#at = this.#lineStart;
    return end < text.length ? breakText(text, end) : "";
  }
}

function isBlank(code: number): boolean {
  return code === BLANK || code === TAB;
}
