import type { Style } from "../../document/model.ts";
import { FormatError } from "../../errors.ts";
import { positionAt } from "../text.ts";
import { behindBreak, isLineBreak, readBlockHeader, readBlockLines } from "./block-scalar.ts";
import {
  isBlankOrTab,
  isMarkerAt,
  isSpaceAt,
  readPlain,
  readQuoted,
  type FlowScalar,
  type ScalarProblem,
} from "./flow-scalar.ts";
import { readAnchorName, readTag, type TagText } from "./properties.ts";

export type TokenKind =
  | "streamEnd"
  | "directive"
  | "documentStart"
  | "documentEnd"
  | "blockSequenceStart"
  | "blockMappingStart"
  | "blockEnd"
  | "flowSequenceStart"
  | "flowSequenceEnd"
  | "flowMappingStart"
  | "flowMappingEnd"
  | "comma"
  | "dash"
  | "key"
  | "value"
  | "alias"
  | "anchor"
  | "tag"
  | "scalar"
  | "comment"
  | "nothing";

/** A piece of a YAML text. Tokens of no length say where block collections start and end, and what is a key. */
export interface Token {
  kind: TokenKind;
  readonly start: number;
  readonly end: number;
  /** Column of its start; at the end of a block, that of what ends it, or -1 at the end of a document. */
  readonly column: number;
  /** Whether content of the same line stands before it. */
  readonly isBehind: boolean;
  /** Whether a blank line stands between it and what comes before it. */
  readonly afterBlank: boolean;
  /** The value of a scalar, the name of an anchor or alias, the text of a directive. */
  readonly text: string;
  readonly style: Style;
  /** Column of the lines of a block scalar. */
  readonly indent: number | undefined;
  readonly tag: TagText | undefined;
  /** Of a key or a colon: whether the key has a `?`. */
  readonly isExplicit: boolean;
  /** Of a key without `?`: whether a block mapping starts with it. */
  opensMapping: boolean;
}

type TokenDetails = Partial<Pick<Token, "text" | "style" | "indent" | "tag" | "isExplicit">>;

const NO_DETAILS: TokenDetails = {};

/** A place where a key may have started that has no `?`: it did if a colon follows on the same line. */
interface SimpleKey {
  readonly token: Token;
  readonly isRequired: boolean;
  readonly line: number;
}

/** Longest key without a `?`. */
const LONGEST_SIMPLE_KEY = 1024;

const TAB = 0x09;
const BLANK = 0x20;

const FLOW_STARTS: ReadonlyMap<string, TokenKind> = new Map([
  ["[", "flowSequenceStart"],
  ["{", "flowMappingStart"],
] as const);
const FLOW_ENDS: ReadonlyMap<string, TokenKind> = new Map([
  ["]", "flowSequenceEnd"],
  ["}", "flowMappingEnd"],
] as const);

/** Characters that no plain scalar starts with, whatever follows. */
const INDICATORS = ",[]{}#&*!|>'\"%@`";

/**
 * Cuts a YAML 1.1 text into tokens, in one pass and on demand. What is a key without `?` shows only at its colon, so a
 * token is given out once that is decided: at the end of its line at the latest.
 *
 * @see https://yaml.org/spec/1.1/ and file-format.md 7.2.1 for what the reference makes of it
 */
export class Scanner {
  readonly #text: string;
  #at: number;
  #line = 1;
  #lineStart: number;
  /** The line on which the last token or comment ended; 0 before the first. */
  #lastLine = 0;
  #queue: Token[] = [];
  #head = 0;
  /** Columns of the open blocks, with that of the innermost in `indent`; -1 outside. */
  readonly #indents: number[] = [];
  #indent = -1;
  #canStartKey = true;
  /** For the block context, and for each open flow collection. */
  readonly #simpleKeys: (SimpleKey | undefined)[] = [undefined];

  /** @param start - offset of the first character, behind a byte order mark */
  constructor(text: string, start: number) {
    this.#text = text;
    this.#at = start;
    this.#lineStart = start;
  }

  /**
   * The next token; behind the end of the text there are only ends.
   *
   * @throws {FormatError}
   */
  next(): Token {
    for (;;) {
      const token = this.#queue[this.#head];
      if (token === undefined) {
        this.#queue = [];
        this.#head = 0;
        this.#scan();
      } else if (token.kind !== "nothing") {
        this.#head += 1;
        return token;
      } else if (this.#isUndecided(token)) this.#scan();
      else this.#head += 1;
    }
  }

  get #isInFlow(): boolean {
    return this.#simpleKeys.length > 1;
  }

  /** Whether a key may yet start at a token; that is over at the end of its line. */
  #isUndecided(token: Token): boolean {
    const key = this.#simpleKeys.find((candidate) => candidate?.token === token);
    if (key === undefined) return false;
    const isStale = this.#isStale(key);
    if (isStale) this.#refuseRequired(key);
    return !isStale;
  }

  #isStale(key: SimpleKey): boolean {
    return key.line < this.#line || this.#at - key.token.start > LONGEST_SIMPLE_KEY;
  }

  #scan(): void {
    this.#skipToContent();
    const text = this.#text;
    const at = this.#at;
    const column = at - this.#lineStart;
    const isAtEnd = at >= text.length;
    const isMarker = column === 0 && isMarkerAt(text, at);
    if (isAtEnd || isMarker || (column === 0 && text.charAt(at) === "%")) {
      this.#endBlocks(-1);
      this.#dropSimpleKey();
      this.#canStartKey = false;
      if (isAtEnd) this.#push("streamEnd", at);
      else if (isMarker) this.#push(text.charAt(at) === "-" ? "documentStart" : "documentEnd", at + 3);
      else this.#scanDirective();
      return;
    }
    this.#endBlocks(column);
    this.#scanContent(text.charAt(at));
  }

  #scanContent(character: string): void {
    const flowStart = FLOW_STARTS.get(character);
    if (flowStart !== undefined) {
      this.#noteSimpleKey();
      this.#push(flowStart, this.#at + 1);
      this.#simpleKeys.push(undefined);
      this.#canStartKey = true;
      return;
    }
    const flowEnd = FLOW_ENDS.get(character);
    if (flowEnd !== undefined) {
      this.#dropSimpleKey();
      if (this.#isInFlow) this.#simpleKeys.pop();
      this.#canStartKey = false;
      this.#push(flowEnd, this.#at + 1);
      return;
    }
    const isIndicator = isSpaceAt(this.#text, this.#at + 1) || this.#isInFlow;
    if (character === ",") this.#scanComma();
    else if (character === "-" && isSpaceAt(this.#text, this.#at + 1)) this.#scanDash();
    else if (character === "?" && isIndicator) this.#scanExplicitKey();
    else if (character === ":" && isIndicator) this.#scanColon();
    else this.#scanNodePart(character);
  }

  /** Reads an anchor, an alias, a tag or a scalar: what a key may start with. */
  #scanNodePart(character: string): void {
    if ((character === "|" || character === ">") && !this.#isInFlow) {
      this.#dropSimpleKey();
      this.#canStartKey = true;
      this.#scanBlockScalar();
      return;
    }
    const isQuote = character === "'" || character === '"';
    const isProperty = character === "&" || character === "*" || character === "!";
    const code = character.charCodeAt(0);
    if (!isQuote && !isProperty && (INDICATORS.includes(character) || code === TAB)) {
      throw this.#error("a character that cannot start anything here", this.#at);
    }
    this.#noteSimpleKey();
    this.#canStartKey = false;
    if (isQuote) this.#pushScalar(readQuoted(this.#text, this.#at), character === "'" ? "single" : "double");
    else if (character === "!") this.#scanTag();
    else if (isProperty) this.#scanAnchor(character === "&" ? "anchor" : "alias");
    else this.#pushScalar(readPlain(this.#text, this.#at, this.#indent + 1, this.#isInFlow), "plain");
  }

  #scanComma(): void {
    this.#dropSimpleKey();
    this.#canStartKey = true;
    this.#push("comma", this.#at + 1);
  }

  #scanDash(): void {
    if (!this.#isInFlow) {
      if (!this.#canStartKey) throw this.#error("a list item is not allowed here", this.#at);
      this.#startBlock("blockSequenceStart");
    }
    this.#dropSimpleKey();
    this.#canStartKey = true;
    this.#push("dash", this.#at + 1);
  }

  #scanExplicitKey(): void {
    if (!this.#isInFlow) {
      if (!this.#canStartKey) throw this.#error("a key is not allowed here", this.#at);
      this.#startBlock("blockMappingStart");
    }
    this.#dropSimpleKey();
    this.#canStartKey = !this.#isInFlow;
    this.#push("key", this.#at + 1, { isExplicit: true });
  }

  #scanColon(): void {
    const key = this.#simpleKeys.at(-1);
    if (key !== undefined && !this.#isStale(key)) {
      key.token.kind = "key";
      key.token.opensMapping = this.#openBlock(key.token.column);
      this.#simpleKeys[this.#simpleKeys.length - 1] = undefined;
      this.#canStartKey = false;
      this.#push("value", this.#at + 1);
      return;
    }
    this.#dropSimpleKey();
    if (!this.#isInFlow) {
      if (!this.#canStartKey) throw this.#error("a mapping is not allowed here", this.#at);
      this.#startBlock("blockMappingStart");
    }
    this.#canStartKey = !this.#isInFlow;
    this.#push("value", this.#at + 1, { isExplicit: true });
  }

  #scanTag(): void {
    const found = readTag(this.#text, this.#at);
    if (found === undefined) throw this.#error("a malformed tag", this.#at);
    this.#push("tag", found.end, { tag: found.tag });
  }

  #scanAnchor(kind: "anchor" | "alias"): void {
    const name = readAnchorName(this.#text, this.#at + 1);
    if (name === "") throw this.#error("a name of letters, digits, `_` and `-` was expected", this.#at);
    this.#push(kind, this.#at + 1 + name.length, { text: name });
  }

  #scanDirective(): void {
    let end = this.#at;
    while (end < this.#text.length && !isLineBreak(this.#text.charCodeAt(end))) end += 1;
    const comment = this.#text.slice(this.#at, end).search(/[ \t]#/);
    if (comment >= 0) end = this.#at + comment;
    this.#push("directive", end, { text: this.#text.slice(this.#at, end) });
  }

  #pushScalar(scalar: FlowScalar | ScalarProblem, style: Style): void {
    if ("problem" in scalar) throw this.#error(scalar.problem, scalar.at);
    this.#push("scalar", scalar.end, { text: scalar.value, style });
    const line = this.#line;
    this.#moveTo(scalar.next);
    if (style === "plain" && this.#line > line) this.#canStartKey = true;
  }

  #scanBlockScalar(): void {
    const text = this.#text;
    const header = readBlockHeader(text, this.#at);
    let comment = header.end;
    while (isBlankOrTab(text.charCodeAt(comment))) comment += 1;
    let lineEnd = comment;
    if (text.charAt(comment) === "#") lineEnd = endOfLine(text, comment);
    if (lineEnd < text.length && !isLineBreak(text.charCodeAt(lineEnd))) {
      throw this.#error("a block scalar has at most a digit from 1 to 9, a sign and a comment behind it", this.#at);
    }
    const contentStart = lineEnd < text.length ? behindBreak(text, lineEnd) : lineEnd;
    const block = readBlockLines(text, contentStart, header, this.#indent);
    if (typeof block === "number") throw this.#error("a tab in the indentation of a block scalar", block);
    const { value, end, next, indent } = block;
    const column = comment - this.#lineStart;
    this.#push("scalar", end, { text: value, style: header.isFolded ? "folded" : "literal", indent });
    if (lineEnd > comment) this.#queue.push(headerComment(comment, lineEnd, column));
    // It ends behind a line break, unless the text ends first.
    if (this.#at === this.#lineStart) this.#lastLine -= 1;
    this.#moveTo(next);
  }

  /** Passes blanks, line breaks and comments. */
  #skipToContent(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === BLANK || (code === TAB && (this.#isInFlow || !this.#canStartKey))) this.#at += 1;
      else if (isLineBreak(code)) {
        this.#moveTo(behindBreak(text, this.#at));
        if (!this.#isInFlow) this.#canStartKey = true;
      } else if (text.charAt(this.#at) === "#") this.#push("comment", endOfLine(text, this.#at));
      else return;
    }
  }

  /** Adds a token that reaches from the current offset to `end`, and goes there. */
  #push(kind: TokenKind, end: number, details: TokenDetails = NO_DETAILS): void {
    this.#pushToken(kind, end, this.#at - this.#lineStart, details);
    this.#moveTo(end);
    this.#lastLine = this.#line;
  }

  /** Adds a token without length at the current offset, which does not count as content. */
  #pushMark(kind: TokenKind, column: number): Token {
    return this.#pushToken(kind, this.#at, column, NO_DETAILS);
  }

  #pushToken(kind: TokenKind, end: number, column: number, details: TokenDetails): Token {
    const { text = "", style = "plain", indent, tag, isExplicit = false } = details;
    const lineDistance = this.#line - this.#lastLine;
    const isBehind = lineDistance === 0;
    const afterBlank = lineDistance > 1;
    const opensMapping = false;
    const start = this.#at;
    const token = {
      kind,
      start,
      end,
      column,
      isBehind,
      afterBlank,
      text,
      style,
      indent,
      tag,
      isExplicit,
      opensMapping,
    };
    this.#queue.push(token);
    return token;
  }

  /** Goes to an offset, and counts the lines on the way. */
  #moveTo(offset: number): void {
    while (this.#at < offset) {
      const isBreak = isLineBreak(this.#text.charCodeAt(this.#at));
      this.#at = isBreak ? behindBreak(this.#text, this.#at) : this.#at + 1;
      if (!isBreak) continue;
      this.#line += 1;
      this.#lineStart = this.#at;
    }
  }

  #startBlock(kind: "blockSequenceStart" | "blockMappingStart"): void {
    const column = this.#at - this.#lineStart;
    if (this.#openBlock(column)) this.#pushMark(kind, column);
  }

  /** Opens a block at a column, unless it is open. */
  #openBlock(column: number): boolean {
    if (this.#isInFlow || this.#indent >= column) return false;
    this.#indents.push(this.#indent);
    this.#indent = column;
    return true;
  }

  /** Ends the blocks whose column is greater. */
  #endBlocks(column: number): void {
    if (this.#isInFlow) {
      if (column < 0) throw this.#error("a flow collection that does not end", this.#at);
      return;
    }
    while (this.#indent > column) {
      this.#pushMark("blockEnd", column);
      this.#indent = this.#indents.pop() ?? -1;
    }
  }

  /** Notes that a key may start here. */
  #noteSimpleKey(): void {
    if (!this.#canStartKey) return;
    const column = this.#at - this.#lineStart;
    const isRequired = !this.#isInFlow && this.#indent === column;
    this.#dropSimpleKey();
    const token = this.#pushMark("nothing", column);
    this.#simpleKeys[this.#simpleKeys.length - 1] = { token, isRequired, line: this.#line };
  }

  #dropSimpleKey(): void {
    this.#refuseRequired(this.#simpleKeys.at(-1));
    this.#simpleKeys[this.#simpleKeys.length - 1] = undefined;
  }

  /** At the column of a block mapping there can be nothing but a key. */
  #refuseRequired(key: SimpleKey | undefined): void {
    if (key?.isRequired === true) throw this.#error("a key without its colon", key.token.start);
  }

  #error(message: string, offset: number): FormatError {
    return new FormatError(message, positionAt(this.#text, offset));
  }
}

function endOfLine(text: string, start: number): number {
  let end = start;
  while (end < text.length && !isLineBreak(text.charCodeAt(end))) end += 1;
  return end;
}

/** The comment behind the header of a block scalar, which comes after the token of the scalar. */
function headerComment(start: number, end: number, column: number): Token {
  return {
    ...{ kind: "comment", start, end, column, isBehind: true, afterBlank: false, text: "", style: "plain" },
    ...{ indent: undefined, tag: undefined, isExplicit: false, opensMapping: false },
  };
}
