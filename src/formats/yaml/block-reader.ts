import type { Mapping } from "../../document/model.ts";
import { TreeBuilder } from "./builder.ts";
import { readBlockHeader, readBlockLines } from "./block-scalar.ts";
import { readEscape, type ScannedText } from "./quoted.ts";
import { resolvePlain } from "./resolve.ts";

/** A simple key may be 1,024 characters long; no key near that is worth a second rule. */
const LONGEST_KEY = 1000;

const TAB = 0x09;
const RETURN = 0x0d;
const BLANK = 0x20;
const DOUBLE_QUOTE = 0x22;
const HASH = 0x23;
const SINGLE_QUOTE = 0x27;
const DASH = 0x2d;
const DOT = 0x2e;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const PIPE = 0x7c;

/** By character: whether it begins something that is no plain scalar, or perhaps none. */
const IS_INDICATOR = new Uint8Array(128);
for (const character of "\t?:,[]{}#&*!|>'\"%@`") IS_INDICATOR[character.charCodeAt(0)] = 1;

/**
 * Reads block YAML in one pass: mappings and sequences by indentation, scalars of one line, literal blocks, `{}` and
 * `[]`, comments, several documents. That is what SOPS files and most manifests consist of.
 *
 * @param text - without the characters that `hasUnusualCharacters` finds, but for a byte order mark before `start`
 * @returns undefined if there is anything else in the text, or an error: the general reader then says what it means
 * @throws {FormatError} for what only the tree shows, such as a key that is there twice
 */
export function readBlockYaml(text: string, start: number): readonly Mapping[] | undefined {
  return new BlockReader(text, start).read();
}

/** Its methods return false where the text holds something that is not for this reader. */
class BlockReader {
  readonly #text: string;
  readonly #builder: TreeBuilder;
  readonly #hasReturns: boolean;
  /** The line that is read: its start, the end of its content, and the start of the next one. */
  #lineStart: number;
  #lineEnd = 0;
  #nextLine: number;
  /** Whether a blank line stands directly above the line that is read. */
  #blank = false;
  /** Whether the last document ended with `...`, so that only `---` may start another. */
  #ended = false;
  /** The first `: `, `#`, tab and backslash at or behind the offset last asked for; offsets only grow. */
  #colon = -1;
  #hash = -1;
  #tab = -1;
  #backslash = -1;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#builder = new TreeBuilder(text);
    this.#hasReturns = text.includes("\r");
    this.#lineStart = start;
    this.#nextLine = start;
  }

  read(): readonly Mapping[] | undefined {
    if (this.#text.length === 0) return [];
    while (this.#nextLine < this.#text.length) {
      this.#advance();
      if (!this.#readLine()) return undefined;
    }
    this.#builder.endDocument(this.#blank);
    const documents = this.#builder.finish();
    return documents.length === 0 ? undefined : documents;
  }

  /** Goes to the next line; the last one need not end with a line break. */
  #advance(): void {
    const text = this.#text;
    this.#lineStart = this.#nextLine;
    const lineFeed = text.indexOf("\n", this.#lineStart);
    this.#lineEnd = lineFeed < 0 ? text.length : lineFeed;
    this.#nextLine = lineFeed < 0 ? text.length : lineFeed + 1;
    if (this.#hasReturns && lineFeed > this.#lineStart && text.charCodeAt(lineFeed - 1) === RETURN) this.#lineEnd -= 1;
  }

  #readLine(): boolean {
    const text = this.#text;
    const start = this.#skipBlanks(this.#lineStart);
    if (start >= this.#lineEnd) {
      this.#blank = true;
      return true;
    }
    const blank = this.#blank;
    this.#blank = false;
    const code = text.charCodeAt(start);
    const column = start - this.#lineStart;
    if (code === HASH) {
      this.#builder.comment(start, this.#lineEnd, column, blank);
      return true;
    }
    if (column === 0 && (code === DASH || code === DOT) && this.#isMarker(start)) return this.#readMarker(start, blank);
    if (!this.#builder.isDocumentOpen) {
      if (this.#ended) return false;
      this.#builder.startDocument(start);
    }
    this.#builder.settle(column, blank);
    return this.#readContent(start);
  }

  #isMarker(start: number): boolean {
    const isMarker = this.#text.startsWith("---", start) || this.#text.startsWith("...", start);
    return isMarker && (this.#isSpace(start + 3) || this.#text.charCodeAt(start + 3) === TAB);
  }

  #readMarker(start: number, blank: boolean): boolean {
    const isStart = this.#text.charCodeAt(start) === DASH;
    const rest = this.#skipBlanks(start + 3);
    const hasComment = rest < this.#lineEnd;
    if (hasComment && this.#text.charCodeAt(rest) !== HASH) return false;
    if (!isStart && !this.#builder.isDocumentOpen) return false;
    this.#builder.endDocument(blank);
    if (isStart) this.#builder.startDocument(start + 3);
    this.#ended = !isStart;
    if (hasComment) this.#builder.comment(rest, this.#lineEnd, rest - this.#lineStart, false);
    return true;
  }

  /** Reads what may stand at the start of a line: dashes, then an entry, or behind a dash a value. */
  #readContent(start: number): boolean {
    const text = this.#text;
    let at = start;
    while (text.charCodeAt(at) === DASH && this.#isSpace(at + 1)) {
      if (!this.#readDash(at)) return false;
      const next = this.#skipBlanks(at + 1);
      if (next >= this.#lineEnd) return true;
      if (text.charCodeAt(next) === HASH) {
        this.#builder.comment(next, this.#lineEnd, next - this.#lineStart, false);
        return true;
      }
      at = next;
    }
    return this.#readEntryOrItem(at, at > start);
  }

  #readDash(at: number): boolean {
    const column = at - this.#lineStart;
    const top = this.#builder.top;
    if (top?.isOpen === true && (column > top.column || (top.kind === "mapping" && column === top.column))) {
      this.#builder.open("sequence", "block", column, at);
    } else if (top?.kind !== "sequence" || top.column !== column) return false;
    this.#builder.item(at + 1);
    return true;
  }

  #readEntryOrItem(start: number, isItem: boolean): boolean {
    const text = this.#text;
    const code = text.charCodeAt(start);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) return this.#readQuotedStart(start, isItem);
    const colon = code < 128 && IS_INDICATOR[code] === 1 ? -1 : this.#findColon(start);
    if (colon < 0) return isItem && this.#readValue(start);
    let end = colon;
    while (text.charCodeAt(end - 1) === BLANK) end -= 1;
    const key = text.slice(start, end);
    if (key === "<<" || this.#hasTab(start, colon)) return false;
    return this.#beginEntry(key, typeof resolvePlain(key) === "string", start, colon) && this.#readRest(colon + 1);
  }

  /** Reads a quoted text that may be a key. */
  #readQuotedStart(start: number, isItem: boolean): boolean {
    const quoted = this.#readQuoted(start);
    if (quoted === undefined) return false;
    const next = this.#skipBlanks(quoted.end);
    if (next < this.#lineEnd && this.#text.charCodeAt(next) === COLON && this.#isSpace(next + 1)) {
      return this.#beginEntry(quoted.value, true, start, next) && this.#readRest(next + 1);
    }
    return isItem && this.#addScalar(quoted.value, start, quoted.end, this.#styleAt(start));
  }

  #beginEntry(text: string, isString: boolean, start: number, colon: number): boolean {
    if (colon - start > LONGEST_KEY) return false;
    const builder = this.#builder;
    const column = start - this.#lineStart;
    const top = builder.top;
    if (top === undefined) {
      if (builder.hasRoot) return false;
      builder.open("mapping", "block", column, start);
    } else if (column > top.column) {
      if (!top.isOpen) return false;
      builder.open("mapping", "block", column, start);
    } else if (column < top.column || (top.kind === "sequence" && !top.isIndentless)) return false;
    else if (top.kind === "sequence") builder.close();
    builder.key({ text, isString, isMerge: false, start, column }, colon + 1);
    return true;
  }

  /** Reads what follows a colon on its line. */
  #readRest(at: number): boolean {
    const start = this.#skipBlanks(at);
    if (start >= this.#lineEnd) return true;
    if (this.#text.charCodeAt(start) !== HASH) return this.#readValue(start);
    this.#builder.commentOfKey(start, this.#lineEnd, start - this.#lineStart);
    return true;
  }

  #readValue(start: number): boolean {
    const code = this.#text.charCodeAt(start);
    if (code < 128 && IS_INDICATOR[code] === 1) return this.#readIndicated(start, code);
    if (code === DASH && this.#isSpace(start + 1)) return false;
    const comment = this.#findComment(start);
    let end = comment;
    while (this.#text.charCodeAt(end - 1) === BLANK) end -= 1;
    if (this.#colonFrom(start) < end || this.#text.charCodeAt(end - 1) === COLON || this.#hasTab(start, comment)) {
      return false;
    }
    const text = this.#text.slice(start, end);
    this.#builder.leaf({ value: resolvePlain(text), text, start, end, style: "plain" });
    return this.#finishLine(comment);
  }

  #readIndicated(start: number, code: number): boolean {
    if (code === PIPE) return this.#readLiteral(start);
    if (code === DOUBLE_QUOTE || code === SINGLE_QUOTE) {
      const quoted = this.#readQuoted(start);
      return quoted !== undefined && this.#addScalar(quoted.value, start, quoted.end, this.#styleAt(start));
    }
    const kind = EMPTY_COLLECTIONS.get(this.#text.slice(start, start + 2));
    if (kind === undefined || start + 2 > this.#lineEnd) return false;
    this.#builder.open(kind, "flow", this.#builder.top?.column ?? 0, start);
    this.#builder.close(start + 2);
    return this.#finishLine(start + 2);
  }

  #addScalar(value: string, start: number, end: number, style: "single" | "double"): boolean {
    this.#builder.leaf({ value, text: value, start, end, style });
    return this.#finishLine(end);
  }

  /** Only a comment may follow a value on its line. */
  #finishLine(end: number): boolean {
    const rest = this.#skipBlanks(end);
    if (rest >= this.#lineEnd) return true;
    if (this.#text.charCodeAt(rest) !== HASH) return false;
    this.#builder.commentOfValue(rest, this.#lineEnd, rest - this.#lineStart);
    return true;
  }

  #styleAt(start: number): "single" | "double" {
    return this.#text.charCodeAt(start) === DOUBLE_QUOTE ? "double" : "single";
  }

  /** A quoted text that ends on this line. */
  #readQuoted(start: number): ScannedText | undefined {
    const text = this.#text;
    const isDouble = text.charCodeAt(start) === DOUBLE_QUOTE;
    const end = text.indexOf(isDouble ? '"' : "'", start + 1);
    if (end < 0 || end >= this.#lineEnd || this.#hasTab(start, end)) return undefined;
    if (isDouble ? this.#backslashFrom(start) < end : text.charCodeAt(end + 1) === SINGLE_QUOTE) {
      return isDouble ? readDoubleLine(text, start, this.#lineEnd) : readSingleLine(text, start, this.#lineEnd);
    }
    return { value: text.slice(start + 1, end), end: end + 1 };
  }

  #readLiteral(start: number): boolean {
    const header = readBlockHeader(this.#text, start);
    const literal = readBlockLines(this.#text, this.#nextLine, header, this.#builder.top?.column ?? -1);
    if (typeof literal === "number") return false;
    const { value, end, indent, next } = literal;
    this.#builder.leaf({ value, text: value, start, end, style: "literal", indent });
    if (!this.#finishLine(header.end)) return false;
    this.#blank = next > end;
    this.#nextLine = next;
    return true;
  }

  /** The colon that ends a plain key which starts here, or -1. */
  #findColon(start: number): number {
    const first = this.#colonFrom(start);
    const last = this.#lineEnd - 1;
    let colon = -1;
    if (first < last) colon = first;
    else if (this.#text.charCodeAt(last) === COLON) colon = last;
    return colon > 0 && this.#hashFrom(start) < colon && this.#findComment(start) < colon ? -1 : colon;
  }

  /** Where the comment starts that ends a plain scalar, or the end of the line. */
  #findComment(start: number): number {
    let hash = this.#hashFrom(start);
    while (hash < this.#lineEnd) {
      if (this.#text.charCodeAt(hash - 1) === BLANK) return hash;
      hash = this.#hashFrom(hash + 1);
    }
    return this.#lineEnd;
  }

  #skipBlanks(start: number): number {
    let at = start;
    while (this.#text.charCodeAt(at) === BLANK) at += 1;
    return at;
  }

  /** Whether a blank or the end of the line is there. */
  #isSpace(at: number): boolean {
    return at >= this.#lineEnd || this.#text.charCodeAt(at) === BLANK;
  }

  #hasTab(start: number, end: number): boolean {
    if (this.#tab < start) this.#tab = this.#indexOf("\t", start);
    return this.#tab < end;
  }

  #colonFrom(start: number): number {
    if (this.#colon < start) this.#colon = this.#indexOf(": ", start);
    return this.#colon;
  }

  #hashFrom(start: number): number {
    if (this.#hash < start) this.#hash = this.#indexOf("#", start);
    return this.#hash;
  }

  #backslashFrom(start: number): number {
    if (this.#backslash < start) this.#backslash = this.#indexOf("\\", start);
    return this.#backslash;
  }

  #indexOf(search: string, start: number): number {
    const index = this.#text.indexOf(search, start);
    return index < 0 ? this.#text.length : index;
  }
}

const EMPTY_COLLECTIONS: ReadonlyMap<string, "mapping" | "sequence"> = new Map([
  ["{}", "mapping"],
  ["[]", "sequence"],
] as const);

/** Reads a single-quoted text with quotes in it, up to the end of the line. */
function readSingleLine(text: string, start: number, lineEnd: number): ScannedText | undefined {
  for (let end = text.indexOf("'", start + 1); end >= 0 && end < lineEnd; end = text.indexOf("'", end + 2)) {
    if (text.charCodeAt(end + 1) !== SINGLE_QUOTE) {
      return { value: text.slice(start + 1, end).replaceAll("''", "'"), end: end + 1 };
    }
  }
  return undefined;
}

/** Reads a double-quoted text with escapes in it, up to the end of the line. */
function readDoubleLine(text: string, start: number, lineEnd: number): ScannedText | undefined {
  let value = "";
  let from = start + 1;
  for (let at = from; at < lineEnd;) {
    const code = text.charCodeAt(at);
    if (code === DOUBLE_QUOTE) return { value: value + text.slice(from, at), end: at + 1 };
    if (code !== BACKSLASH) {
      at += 1;
      continue;
    }
    const escape = readEscape(text, at);
    if (escape === undefined) return undefined;
    value += text.slice(from, at) + escape.value;
    from = escape.end;
    at = escape.end;
  }
  return undefined;
}
