import type { Comment, Entry, Leaf, Mapping, Span, Style } from "../../document/model.ts";
import { FormatError } from "../../errors.ts";
import { decodePart, decodeString, lineAt } from "../byte-text.ts";
import type { Source } from "../format.ts";
import { splice } from "../splice.ts";
import { IniFault, lineEnd, readKey, readValue, skipSpace, trim, trimEnd, type Range, type RawValue } from "./value.ts";

/** A comment whose lines may stand apart. */
export interface CommentSpan extends Span {
  /** The parts of the text that its lines are, and the places of lines that were taken into a cell. */
  readonly lines: readonly Range[];
  /** Where the comment character of the last of them is, if it stands behind a value or a section name. */
  readonly inlineStart?: number;
  /** Where a line above all of that goes. */
  readonly above: number;
  /** Whether it belongs to a section. */
  readonly isOfSection: boolean;
  /** The place behind a section name that it was moved up from. */
  readonly movedFrom?: Range;
}

/** A section with its comment and header. */
export interface SectionSpan extends Span {
  /** An offset in the line of its header; absent for the section before the first one. */
  readonly header?: number;
}

/** The name of the section before the first header; it is always there. */
export const DEFAULT_SECTION = "DEFAULT";
const METADATA_SECTION = "sops";
const BYTE_ORDER_MARK = "\xef\xbb\xbf"; // one character per byte

/**
 * What replaces the further lines of a comment that became one cell, so that they find their places again: white
 * space, which every reader passes over.
 */
export const PLACEHOLDER = " \t \t";
/** The same for a comment behind a section name, where a cell cannot stand: its `]` would end the name. */
export const MOVED_UP = " \t\t ";
const CELL = /^ENC\[AES256_GCM,.*\]$/;

/** A line of a comment that was met, from its comment character on, or the place of one. */
interface CommentLine extends Range {
  readonly isPlaceholder: boolean;
}

type CommentPlace = Pick<CommentSpan, "above" | "isOfSection" | "movedFrom">;

interface Key {
  readonly entry: Entry;
  /** The key's comment, and one that the reference passes over. */
  readonly comments: readonly Comment[];
  /** Its lines, with those of its comment above. */
  readonly lines: Range;
}

/** The section that is being read. */
interface OpenSection {
  readonly name: string;
  readonly start: number;
  readonly header?: number;
  readonly comment: Comment | undefined;
  /** By name: a later key of the same name takes the place of the earlier one. */
  readonly keys: Map<string, Key>;
}

/**
 * Reads an INI text of one character per byte as the reference does (file-format.md 7.6).
 *
 * What the reference reads and forgets would stay in clear in layout `keep`. Comments at the end of the file, before
 * the metadata, and behind a closing quote therefore are in the tree, with the style `trailing`; other text that it
 * passes over is refused. Of keys that repeat in a section the last one counts, at the place of the first: the text of
 * the source has it there, and the others no more.
 *
 * @throws {FormatError} with a line
 */
export function readIni(text: string): Source {
  const reader = new IniReader(text);
  const document = reader.document();
  const [repeat] = reader.repeats;
  if (repeat === undefined) return { format: "ini", text, documents: [document] };
  return { ...readIni(withoutRepeats(text, reader.repeats)), repeatedKey: lineAt(text, repeat.at) };
}

/** Puts the lines of every repeated key in place of those of the first of its name. */
function withoutRepeats(text: string, repeats: readonly Repeat[]): string {
  const last = new Map(repeats.map(({ first, lines }) => [first, lines]));
  const moved = [...last].map(([first, { start, end }]) => {
    const lines = text.slice(start, end);
    return { ...first, text: lines.endsWith("\n") ? lines : `${lines}\n` };
  });
  const removed = repeats.map(({ lines }) => ({ ...lines, text: "" }));
  return splice(text, [...moved, ...removed]);
}

/** A key that repeats, and the lines of the first one; keys of one name share that object. */
interface Repeat {
  /** Where the key stands. */
  readonly at: number;
  readonly first: Range;
  readonly lines: Range;
}

class IniReader {
  readonly repeats: Repeat[] = [];
  private readonly text: string;
  private at: number;
  private section: OpenSection;
  private readonly sections: Entry[] = [];
  private pending: CommentLine[] = []; // comment lines that belong to what follows
  private isCellPending = false;

  constructor(text: string) {
    this.text = text;
    this.at = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
    this.section = { name: DEFAULT_SECTION, start: this.at, comment: undefined, keys: new Map() };
  }

  document(): Mapping {
    const { text } = this;
    while (this.at < text.length) this.line();
    this.closeSection(text.length, this.takeComment("trailing", { above: text.length, isOfSection: false }));
    return { kind: "mapping", items: this.sections, span: { start: 0, end: text.length, style: "block", indent: 0 } };
  }

  private line(): void {
    const { text } = this;
    const lineStart = this.at;
    const { end, next } = lineEnd(text, lineStart);
    const start = skipSpace(text, lineStart);
    const first = text.charAt(start);
    this.at = next;
    if (start === end) this.passBlank(lineStart, end);
    else if (first === "#" || first === ";") this.passComment(start, end);
    else if (first === "[") this.header(lineStart, start, end);
    else this.key(start, end);
  }

  private passBlank(start: number, end: number): void {
    const placeholder = this.placeholderIn(start, end);
    if (placeholder !== undefined) this.pending.push(placeholder);
  }

  private passComment(start: number, end: number): void {
    if (this.pending.length === 0) {
      const line = this.text.slice(start, trimEnd(this.text, start, end));
      this.isCellPending = CELL.test(line.slice(prefixLength(line)));
    }
    this.pending.push({ start, end, isPlaceholder: false });
  }

  /** The place of a line that was taken into the cell above it, if the white space of a line is one. */
  private placeholderIn(start: number, end: number, mark = PLACEHOLDER): CommentLine | undefined {
    if (!this.isCellPending || this.pending.length === 0) return undefined;
    const at = this.text.slice(start, end).lastIndexOf(mark) + start;
    return at < start ? undefined : { start: at, end: at + mark.length, isPlaceholder: true };
  }

  private header(lineStart: number, start: number, end: number): void {
    const { text } = this;
    const closing = text.slice(start, end).lastIndexOf("]") + start;
    if (closing < start) throw this.error("unclosed section, expected ']' after its name", start);
    if (closing === start + 1) throw this.error("empty section name", start);
    const name = decodeString(text.slice(start + 1, closing), "a section name", text, start);
    const rest = trim(text, { start: closing + 1, end });
    // The comment above the metadata is not theirs: it stood at the end of the file before they came.
    const trailing =
      name === METADATA_SECTION ? this.takeComment("trailing", { above: lineStart, isOfSection: false }) : undefined;
    const sectionStart = this.pending[0] === undefined ? lineStart : startOfLine(text, this.pending[0].start);
    const isAlone = this.pending.length === 1;
    const inline = this.inlineComment(closing + 1, end, rest.start < rest.end ? rest : undefined);
    const movedFrom = isAlone && inline === undefined ? this.placeholderIn(closing + 1, end, MOVED_UP) : undefined;
    const comment = this.takeComment(
      "line",
      { above: lineStart, isOfSection: true, ...optional({ movedFrom }) },
      inline,
    );
    this.closeSection(sectionStart, trailing);
    this.section = { name, start: sectionStart, header: start, comment, keys: new Map() };
  }

  /** The comment behind a value or a section name, or the place of one. */
  private inlineComment(start: number, end: number, comment: Range | undefined): CommentLine | undefined {
    if (comment !== undefined) {
      if (!/[#;]/.test(this.text.charAt(comment.start)))
        throw this.error("unexpected text after a section name", comment.start);
      return { ...comment, isPlaceholder: false };
    }
    return this.placeholderIn(start, end);
  }

  private key(start: number, end: number): void {
    const { text } = this;
    const rawKey = readKey(text, start, end);
    if (rawKey instanceof IniFault) throw this.error(rawKey.message, rawKey.offset);
    if (rawKey.key === "-")
      throw this.error("the key '-' is not supported", start, "give the key a name; sops would turn it into a comment");
    const raw = readValue(text, rawKey.valueStart);
    if (raw instanceof IniFault) throw this.error(raw.message, raw.offset);
    this.at = raw.next;
    const above = this.pending[0]?.start ?? start;
    const comments = this.commentsOf(raw, rawKey.valueStart, startOfLine(text, start));
    const key = decodeString(rawKey.key, "a key", text, start);
    const { value, style } = raw;
    const leaf: Leaf = {
      kind: "leaf",
      value: decodePart(value),
      span: { start: raw.start, end: raw.end, style, indent: 0 },
    };
    const entry: Entry = { kind: "entry", key, value: leaf, span: { start, end: raw.end, style: "entry", indent: 0 } };
    const lines = { start: startOfLine(text, above), end: raw.next };
    const first = this.section.keys.get(key)?.lines;
    if (first !== undefined) this.repeats.push({ at: start, first, lines });
    this.section.keys.set(key, { entry, comments, lines: first ?? lines });
  }

  /** The comment of a key, above it and behind its value, and one behind a quote, which the reference passes over. */
  private commentsOf(raw: RawValue, valueStart: number, lineStart: number): Comment[] {
    const ignored = raw.isCommentIgnored === true ? raw.comment : undefined;
    const read = ignored === undefined ? raw.comment : undefined;
    // An empty value may begin within the mark, as both are white space.
    const rest = raw.start === raw.end ? valueStart : raw.end;
    const inline = this.inlineComment(rest, ignored?.start ?? lineEnd(this.text, raw.end).end, read);
    const place = { above: lineStart, isOfSection: false };
    const comment = this.takeComment("line", place, inline);
    const trailing =
      ignored === undefined ? undefined : this.makeComment([], "trailing", place, { ...ignored, isPlaceholder: false });
    return [comment, trailing].filter((item) => item !== undefined);
  }

  private takeComment(style: Style, place: CommentPlace, inline?: CommentLine): Comment | undefined {
    const lines = this.pending;
    this.pending = [];
    return this.makeComment(lines, style, place, inline);
  }

  /** The text of a comment is its lines, trimmed around, without the comment characters it begins with. */
  private makeComment(
    above: readonly CommentLine[],
    style: Style,
    place: CommentPlace,
    inline?: CommentLine,
  ): Comment | undefined {
    const { text } = this;
    const all = inline === undefined ? above : [...above, inline];
    const [first] = all;
    if (first === undefined) return undefined;
    const last = all.findLastIndex((line) => !line.isPlaceholder);
    const lines = all.map((line, index) => {
      const end = index === last ? trimEnd(text, line.start, line.end) : line.end;
      const start = line === first ? line.start + prefixLength(text.slice(line.start, end)) : line.start;
      return { start, end, isPlaceholder: line.isPlaceholder };
    });
    const parts = lines.filter((line) => !line.isPlaceholder).map(({ start, end }) => text.slice(start, end));
    const span: CommentSpan = {
      start: first.start,
      end: lines.at(-1)?.end ?? first.end,
      style,
      indent: 0,
      lines,
      ...place,
      ...optional({ inlineStart: inline?.start }),
    };
    return {
      kind: "comment",
      text: decodeString(parts.join("\n"), "a comment", text, first.start),
      inline: false,
      span,
    };
  }

  private closeSection(end: number, trailing: Comment | undefined): void {
    const { name, start, header, comment, keys } = this.section;
    const items = [...keys.values()].flatMap(({ entry, comments }) => [entry, ...comments]);
    const all = [comment, ...items, trailing].filter((item) => item !== undefined);
    const span = { start, end, style: "block", indent: 0, ...optional({ header }) } as const;
    const value: Mapping = { kind: "mapping", items: all, span: span satisfies SectionSpan };
    this.sections.push({ kind: "entry", key: name, value, span: { start, end, style: "entry", indent: 0 } });
  }

  private error(message: string, offset: number, hint?: string): FormatError {
    return new FormatError(message, lineAt(this.text, offset), hint === undefined ? {} : { hint });
  }
}

/** Leaves a member out that is undefined. */
function optional<K extends string, V>(member: Readonly<Record<K, V | undefined>>): Partial<Record<K, V>> {
  return Object.values(member).includes(undefined) ? {} : member;
}

/** Length of the comment characters and blanks that a comment begins with; they are all of one kind. */
function prefixLength(comment: string): number {
  return (/^(?:;[; ]*|#[# ]*)/.exec(comment)?.[0] ?? "").length;
}

/** Where the line of an offset begins. */
export function startOfLine(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}
