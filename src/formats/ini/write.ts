import type { Comment, Entry, Mapping, Node, Span } from "../../document/model.ts";
import { EmitError } from "../../errors.ts";
import { encodePart } from "../byte-text.ts";
import type { Source } from "../format.ts";
import { editLines } from "../lines.ts";
import { collectEdits, splice, type Edit, type Item, type Place, type Scribe, type Step } from "../splice.ts";
import { spanOf } from "../text.ts";
import { commentLine, isMarked, printKey, printSection, scalarOf } from "./emit.ts";
import { MOVED_UP, PLACEHOLDER, startOfLine, type CommentSpan, type SectionSpan } from "./read.ts";
import { fitValue, lineEnd, trimEnd, type ValueStyle } from "./value.ts";

/**
 * Writes the source's text with the changed values and comments in place.
 *
 * @param text - the source's text with its last line closed
 * @throws {EmitError} if the tree is no INI, or a value cannot be written so that it is read back
 */
export function writeIni(text: string, source: Source, documents: readonly Mapping[]): string {
  const scribe = new IniScribe(text);
  const edits = collectEdits(source.documents, documents, scribe);
  return splice(text, [...edits, ...scribe.further]);
}

class IniScribe implements Scribe {
  /** Edits beyond the one that a changed comment answers with: its other lines. */
  readonly further: Edit[] = [];
  private readonly text: string;
  private readonly newline: string;

  constructor(text: string) {
    this.text = text;
    this.newline = /^[^\n]*\r\n/.test(text) ? "\r\n" : "\n";
  }

  scalar(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    if (next.kind === "comment") return this.comment(spanOf(old) as CommentSpan, next.text);
    return this.value(spanOf(old), next, place);
  }

  replace(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    if (old.kind === "leaf") return this.value(spanOf(old), next, place);
    // Nothing but another section can stand for a section, and printing says so.
    const { start, end } = spanOf(old);
    const printed = this.section({ kind: "entry", key: place.entry?.key ?? "", value: next as Node });
    return this.isLast(end)
      ? { start, end: this.text.length, text: printed }
      : { start, end, text: printed + this.newline };
  }

  restructure(container: Mapping, place: Place | undefined, steps: readonly Step[]): readonly Edit[] {
    return place === undefined ? this.sections(container, steps) : this.keys(container, steps);
  }

  private value(old: Span, next: Node | Comment, place: Place): Edit {
    const { start, end } = old;
    const key = place.entry?.key ?? "";
    const rest = this.text.slice(end, lineEnd(this.text, end).end);
    const text = fitValue(scalarOf(next, key), this.text.slice(start, end), old.style as ValueStyle, rest);
    if (text === undefined) throw unwritable(key);
    return { start, end, text };
  }

  /**
   * Puts the lines of a comment on the places of its lines. One line on several places (a cell) leaves marks on the
   * others; lines that have no place go under the last one that stands alone.
   */
  private comment(span: CommentSpan, text: string): Edit {
    const lines = encodePart(text).split("\n");
    const isInHeader = span.isOfSection && span.inlineStart !== undefined && span.lines.length === 1;
    // Behind a section name, the last `]` of the line ends the name.
    if (isInHeader && text.includes("]")) return this.moveUp(span, span.inlineStart, lines);
    if (span.movedFrom !== undefined && lines.length === 1 && !text.includes("]")) return this.moveBack(span, lines);
    const places = span.lines;
    const alone = span.inlineStart === undefined ? places.length : places.length - 1;
    const surplus = lines.splice(alone, lines.length - places.length).map(commentLine);
    if (surplus.length > 0) this.further.push(this.insertLines(this.endOfComment(span, alone), surplus));
    const [first, ...others] = places.map(({ start, end }, index): Edit => {
      const line = lines[index];
      if (line === undefined) return { start, end, text: PLACEHOLDER };
      // The comment characters in front of the first place stay where they are.
      if (index === 0)
        return { start, end, text: surplus.length > 0 && alone === 0 ? line.replace(/^[#;] */, "") : line };
      return { start, end, text: isMarked(line) ? line : commentLine(line) };
    });
    for (const edit of others) this.further.push(edit);
    return first ?? { start: span.start, end: span.start, text: "" };
  }

  private moveUp(
    { above, start, end, lines }: CommentSpan,
    inlineStart: number,
    [first = "", ...rest]: string[],
  ): Edit {
    const prefix = this.text.slice(start, lines[0]?.start ?? start);
    this.further.push({ start: inlineStart, end, text: MOVED_UP });
    return this.insertLines(above, [prefix + first, ...rest.map(commentLine)]);
  }

  private moveBack({ start, end, lines, movedFrom = { start, end } }: CommentSpan, [line = ""]: string[]): Edit {
    const prefix = this.text.slice(start, lines[0]?.start ?? start);
    this.further.push({ start: startOfLine(this.text, start), end: lineEnd(this.text, end).next, text: "" });
    return { start: movedFrom.start, end: movedFrom.end, text: prefix + line };
  }

  private endOfComment(span: CommentSpan, alone: number): number {
    const last = span.lines[alone - 1];
    return last === undefined ? span.above : lineEnd(this.text, last.end).next;
  }

  private insertLines(offset: number, lines: readonly string[]): Edit {
    return { start: offset, end: offset, text: lines.map((line) => line + this.newline).join("") };
  }

  private sections(root: Mapping, steps: readonly Step[]): Edit[] {
    const { text } = this;
    const spanAt = (index: number): Span => spanOf(root.items[index]);
    const endOf = (index: number): number => (this.isLast(spanAt(index).end) ? text.length : spanAt(index).end);
    return editLines(steps, {
      start: 0,
      end: text.length,
      after: endOf,
      remove: (index) => {
        const { start } = spanAt(index);
        const end = endOf(index);
        return [{ start: end === text.length ? this.withoutBlankLine(start) : start, end, text: "" }];
      },
      print: (item, isLast) => {
        const section = this.section(item);
        if (!isLast) return section + this.newline;
        return text === "" ? section : this.newline + section;
      },
    });
  }

  /** Whether a section that ends here is the last; its end may not count the line break that closes the text. */
  private isLast(end: number): boolean {
    return end >= this.text.length - 1;
  }

  /** The last section takes the blank line before it along, which is how it was added. */
  private withoutBlankLine(start: number): number {
    const blank = /(?<=^|\n)\r?\n$/.exec(this.text.slice(Math.max(0, start - 3), start));
    return start - (blank?.[0].length ?? 0);
  }

  private section(item: Item): string {
    if (item.kind === "entry") return printSection(item, this.newline);
    throw new EmitError("a comment outside of a section cannot be added to an INI file");
  }

  private keys(section: Mapping, steps: readonly Step[]): Edit[] {
    const { text } = this;
    const entries = section.items.filter((item) => item.kind === "entry");
    const removed = new Set(steps.flatMap((step) => (step.kind === "remove" ? [step.index] : [])));
    const { start, header } = spanOf(section) as SectionSpan;
    const body = header === undefined ? start : lineEnd(text, header).next;
    const after = (item: Item | undefined): number =>
      item?.kind === "entry" ? lineEnd(text, spanOf(item).end).next : body;
    return editLines(steps, {
      start: body,
      end: entries.reduce((end, item) => Math.max(end, after(item)), body),
      after: (index) => after(section.items[index]),
      remove: (index) => this.removeItem(section, index, removed),
      print: (item) => this.line(item, entries),
    });
  }

  /** A comment that is kept outlives the key it stands behind, as in the reference, and belongs to the next one. */
  private removeItem(section: Mapping, index: number, removed: ReadonlySet<number>): Edit[] {
    const { text } = this;
    const item = section.items[index];
    const span = spanOf(item);
    if (item?.kind === "entry") {
      const start = startOfLine(text, span.start);
      const inline = inlineStartsBehind(section, index)[0];
      return [{ start, end: inline ?? lineEnd(text, span.end).next, text: "" }];
    }
    const { lines, inlineStart } = span as CommentSpan;
    const alone = inlineStart === undefined ? lines : lines.slice(0, -1);
    const edits = alone.map(({ start, end }) => ({
      start: startOfLine(text, start),
      end: lineEnd(text, end).next,
      text: "",
    }));
    if (inlineStart === undefined) return edits;
    const { end, next } = lineEnd(text, inlineStart);
    const entryIndex = section.items.findLastIndex((other, at) => at < index && other.kind === "entry");
    if (removed.has(entryIndex)) return [...edits, { start: inlineStart, end: next, text: "" }];
    const from = startOfLine(text, inlineStart);
    return [...edits, { start: trimEnd(text, from, inlineStart), end: trimEnd(text, from, end), text: "" }];
  }

  /** A new line in the layout of its neighbours: delimiter, blanks around it, alignment and indentation. */
  private line(item: Item, entries: readonly Entry[]): string {
    if (item.kind === "comment")
      return encodePart(item.text).split("\n").map(commentLine).join(this.newline) + this.newline;
    if (item.kind !== "entry") throw new EmitError("cannot use a value without a name in INI file");
    const key = printKey(item.key);
    const value = fitValue(scalarOf(item.value, item.key), "", "plain", "");
    if (value === undefined) throw unwritable(item.key);
    const { indent, before, column, after } = this.delimiterOf(entries);
    const aligned = key.length < column ? key.padEnd(column) : key + before;
    return `${indent}${aligned}${after}${value}${this.newline}`;
  }

  /** `column` is where the delimiter of all entries stands, or 0; `after` begins with the delimiter. */
  private delimiterOf(entries: readonly Entry[]): { indent: string; before: string; column: number; after: string } {
    const { text } = this;
    const heads = entries.map((item) => {
      const { start } = spanOf(item);
      const head = text.slice(start, spanOf(item.value).start);
      const [, before = "", after = "="] = /([ \t]*)([=:][ \t]*)$/.exec(head) ?? [];
      return { indent: text.slice(startOfLine(text, start), start), before, after, column: head.length - after.length };
    });
    const last = heads.at(-1) ?? { indent: "", before: " ", after: "= ", column: 0 };
    const before = heads.reduce(
      (least, head) => (head.before.length < least.length ? head.before : least),
      last.before,
    );
    const isAligned = before !== "" && heads.length > 1 && heads.every(({ column }) => column === last.column);
    return { ...last, before, column: isAligned ? last.column : 0 };
  }
}

/** Where comments begin that stand on the last line of an entry: those that follow it in the tree. */
function inlineStartsBehind(section: Mapping, index: number): number[] {
  const rest = section.items.slice(index + 1, index + 3);
  const end = rest.findIndex((item) => item.kind === "entry");
  return rest
    .slice(0, end < 0 ? rest.length : end)
    .flatMap((item) => (spanOf(item) as CommentSpan).inlineStart ?? [])
    .sort((a, b) => a - b);
}

function unwritable(key: string): EmitError {
  return new EmitError(`a value cannot be written so that INI reads it back; offending key ${key}`, {
    hint: "choose another format with --output-type",
  });
}
