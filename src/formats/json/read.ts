import { FormatError } from "../../errors.ts";
import { floatText } from "../../go/float.ts";
import { isInt64 } from "../../go/int.ts";
import type { Entry, Leaf, Mapping, Node, Sequence, Style } from "../../document/model.ts";
import { positionAt } from "../text.ts";

/** How deep objects and lists may nest; far beyond any file, far within the stack. */
const MAX_DEPTH = 2_000;
/** The longest decimal text that can be a 64-bit integer, `-9223372036854775808`. */
const MAX_INT64_LENGTH = 20;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BLANK = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const LITERAL = /true\b|false\b|null\b/y;
const OTHER_VALUE = /true\b|false\b|null\b|["\-\d]/y;
const HEX4 = /[\da-fA-F]{4}/y;

const literals: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/**
 * Reads a JSON text whose top level is an object, keeping the order of keys and every digit (file-format.md 7.3).
 *
 * Stricter than the reference where it loses data: nothing may follow the object, no key may repeat in one object,
 * and lone surrogate escapes are refused. A second root key `sops` is let through, as the metadata have their own
 * message for it. Spans: `indent` is always 0; the layout of new items is taken from their neighbours.
 *
 * @throws {FormatError} with line and column
 */
export function readJson(text: string): Mapping {
  return new JsonReader(text).document();
}

class JsonReader {
  private readonly text: string;
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): Mapping {
    if (this.text.charCodeAt(0) === 0xfeff)
      throw this.error("JSON must not start with a byte order mark", 0, "save the file as UTF-8 without one");
    this.skipSpace();
    if (this.peek() !== OPEN_BRACE) throw this.notAnObject();
    const root = this.object();
    this.skipSpace();
    if (this.at < this.text.length) throw this.error("unexpected text after the top-level object");
    return root;
  }

  private notAnObject(): FormatError {
    if (this.at === this.text.length) return this.error("the text is empty (EOF), expected an object");
    const only = "SOPS only supports JSON files with a top-level object (starting with '{'), not";
    if (this.peek() === OPEN_BRACKET)
      return this.error(`${only} arrays or other types`, this.at, 'wrap it in an object, such as {"data": [...]}');
    return this.match(OTHER_VALUE) === undefined
      ? this.error("invalid JSON, expected '{'")
      : this.error(`${only} other JSON types`);
  }

  private value(): Node {
    switch (this.peek()) {
      case QUOTE: {
        const start = this.at;
        return this.leaf(this.string(), start, "double");
      }
      case OPEN_BRACE:
        return this.object();
      case OPEN_BRACKET:
        return this.array();
      default:
        return this.numberOrLiteral();
    }
  }

  private object(): Mapping {
    const start = this.open();
    const items: Entry[] = [];
    if (this.peek() !== CLOSE_BRACE) {
      do {
        this.skipSpace();
        items.push(this.entry());
        this.skipSpace();
      } while (this.separator(CLOSE_BRACE, "expected ',' or '}' after a value of an object"));
    }
    return { kind: "mapping", items, span: this.close(start) };
  }

  private entry(): Entry {
    const start = this.at;
    if (this.peek() !== QUOTE) throw this.error("expected a key in double quotes");
    const key = this.string();
    this.skipSpace();
    if (this.peek() !== COLON) throw this.error("expected ':' after a key");
    this.at += 1;
    this.skipSpace();
    const value = this.value();
    return { kind: "entry", key, value, span: { start, end: this.at, style: "entry", indent: 0 } };
  }

  private array(): Sequence {
    const start = this.open();
    const items: Node[] = [];
    if (this.peek() !== CLOSE_BRACKET) {
      do {
        this.skipSpace();
        items.push(this.value());
        this.skipSpace();
      } while (this.separator(CLOSE_BRACKET, "expected ',' or ']' after an item of a list"));
    }
    return { kind: "sequence", items, span: this.close(start) };
  }

  private open(): number {
    const start = this.at;
    if (this.depth === MAX_DEPTH) throw this.error(`objects and lists are nested more than ${String(MAX_DEPTH)} deep`);
    this.depth += 1;
    this.at += 1;
    this.skipSpace();
    return start;
  }

  private close(start: number): { start: number; end: number; style: Style; indent: number } {
    this.depth -= 1;
    this.at += 1;
    return { start, end: this.at, style: "flow", indent: 0 };
  }

  /** Whether a comma follows, which it passes; the closing bracket is left to `close`. */
  private separator(closing: number, expected: string): boolean {
    const code = this.peek();
    if (code === closing) return false;
    if (code !== COMMA) throw this.error(expected);
    this.at += 1;
    return true;
  }

  private numberOrLiteral(): Leaf {
    const start = this.at;
    const word = this.match(LITERAL);
    if (word !== undefined) {
      this.at += word.length;
      return this.leaf(literals[word] ?? null, start, "plain");
    }
    NUMBER.lastIndex = start;
    const number = NUMBER.exec(this.text);
    if (number === null) throw this.error("expected a value");
    const [digits, fraction, exponent] = number;
    this.at += digits.length;
    if (fraction === undefined && exponent === undefined && digits.length <= MAX_INT64_LENGTH) {
      const integer = BigInt(digits);
      if (isInt64(integer)) return this.leaf(integer, start, "plain");
    }
    const float = Number(digits);
    if (!Number.isFinite(float)) throw this.error("a number is too large for a 64-bit float", start);
    const leaf = this.leaf(float, start, "plain");
    return digits === floatText(float) ? leaf : { ...leaf, text: digits };
  }

  private leaf(value: Leaf["value"], start: number, style: Style): Leaf {
    return { kind: "leaf", value, span: { start, end: this.at, style, indent: 0 } };
  }

  /** Reads a string in quotes; most have no escapes and are one slice. */
  private string(): string {
    const start = this.at;
    let from = start + 1;
    let result = "";
    for (;;) {
      const end = this.endOfPlainText(from);
      const code = this.text.charCodeAt(end);
      result = from === start + 1 ? this.text.slice(from, end) : result + this.text.slice(from, end);
      if (code === QUOTE) {
        this.at = end + 1;
        return result;
      }
      if (code !== BACKSLASH)
        throw end >= this.text.length
          ? this.error("a string is not closed", start)
          : this.error("a control character in a string must be escaped", end);
      result += this.escape(end);
      from = this.at;
    }
  }

  private endOfPlainText(from: number): number {
    const text = this.text;
    let at = from;
    let code = text.charCodeAt(at);
    while (code >= BLANK && code !== QUOTE && code !== BACKSLASH) {
      at += 1;
      code = text.charCodeAt(at);
    }
    return at;
  }

  /** Reads the escape at an offset and passes it. */
  private escape(start: number): string {
    const letter = this.text.charAt(start + 1);
    if (letter === "u") return this.unicodeEscape(start);
    const character = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (character === undefined) throw this.error("invalid escape in a string", start);
    this.at = start + 2;
    return character;
  }

  private unicodeEscape(start: number): string {
    const first = this.hexUnit(start);
    this.at = start + 6;
    if (first < 0xd800 || first > 0xdfff) return String.fromCharCode(first);
    const second = this.text.startsWith("\\u", this.at) ? this.hexUnit(this.at) : 0;
    // The reference writes U+FFFD in its place, and the value would be lost.
    if (first > 0xdbff || second < 0xdc00 || second > 0xdfff)
      throw this.error("an escape is half of a surrogate pair, which is no character", start);
    this.at += 6;
    return String.fromCharCode(first, second);
  }

  private hexUnit(start: number): number {
    HEX4.lastIndex = start + 2;
    const digits = HEX4.exec(this.text);
    if (digits === null) throw this.error("invalid escape in a string", start);
    return Number.parseInt(digits[0], 16);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  /** The code unit at the current offset; NaN at the end. */
  private peek(): number {
    return this.text.charCodeAt(this.at);
  }

  private skipSpace(): void {
    const text = this.text;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code !== BLANK && code !== LINE_FEED && code !== TAB && code !== CARRIAGE_RETURN) return;
      this.at += 1;
    }
  }

  private error(message: string, offset = this.at, hint?: string): FormatError {
    const reason = offset >= this.text.length && offset > 0 ? `${message}, but the text ends` : message;
    return new FormatError(reason, positionAt(this.text, offset), hint === undefined ? {} : { hint });
  }
}
