import { encodeUtf8 } from "../../bytes/utf8.ts";
import type { Comment, Leaf, Mapping, Node, Span } from "../../document/model.ts";
import type { Source } from "../format.ts";
import { collectEdits, splice, type Edit, type Place, type Scribe, type Step } from "../splice.ts";
import { spanOf } from "../text.ts";
import { staleAliases } from "./aliases.ts";
import { leafToQuote } from "./below.ts";
import { collectionText, commentText, flowText, hasValues } from "./emit.ts";
import {
  blockHeader,
  endOf,
  isBlank,
  itemStart,
  lastLeafOf,
  layoutError,
  lineBreakAt,
  rowContentEnd,
  valueStart,
  type Container,
  type Item,
} from "./geometry.ts";
import { restructureFlow } from "./restructure-flow.ts";
import { restructureBlock } from "./restructure.ts";
import { replaceLeaf, type Surroundings } from "./restyle.ts";
import { doubleQuoted, scalarText } from "./scalars.ts";

/** An edit with its order among those that insert at one offset: what lies deeper in the tree goes first. */
interface YamlEdit extends Edit {
  readonly depth: number;
  /** Whether it goes without a word where a larger edit takes its place away. */
  readonly isComment: boolean;
}

const DEFAULT_STEP = 4;

/** The digit of a block scalar's header has no room for more. */
const LARGEST_STEP = 9;

/**
 * Writes the source's text with the changed values, comments, entries and items in place (layout `keep`).
 *
 * A value keeps its quoting where that can hold the new one; what is added stands behind its left neighbour, at its
 * column and in its style; aliases whose anchor's text changed are written out.
 *
 * @throws {EmitError} if the text has no place for a change
 */
export function writeYaml(source: Source, documents: readonly Mapping[]): Uint8Array {
  const { text } = source;
  if (documents.length !== source.documents.length || /\r(?!\n)/.test(text)) throw layoutError();
  const scribe = new YamlScribe(source, documents);
  collectEdits(source.documents, documents, scribe);
  scribe.edits.push(...lastLineEdits(source, scribe.edits));
  const edits = orderEdits(scribe.edits);
  const stale = staleAliases(source, edits);
  for (const { node, place } of stale) scribe.replace(node, node, place);
  const all = stale.length === 0 ? edits : orderEdits(scribe.edits);
  const result = splice(text, withLineBreaksOf(text, all));
  return encodeUtf8(all.length === 0 ? result : withFinalBreaks(result, lastLeafOf(documents.at(-1)), text, all));
}

/**
 * Gives a text that ends in a block scalar the line breaks at its end that belong to the value: what stood behind it and
 * went may have left fewer, or more.
 */
function withFinalBreaks(result: string, last: Leaf | undefined, text: string, edits: readonly Edit[]): string {
  if (last?.span === undefined || typeof last.value !== "string" || !last.value.endsWith("\n")) return result;
  const { start, style } = last.span;
  const isBlock = style === "literal" || style === "folded";
  const edit = edits.find((other) => other.start === start && /^\s*[|>]/.test(other.text));
  const header = edit?.text ?? (isBlock ? text.slice(start, lineBreakAt(text, start)) : "");
  const chomping = /^\s*(?:[!&]\S*[ \t]+)*[|>]\d?([-+]?)/.exec(header)?.[1];
  const body = withoutBreaks(result);
  const isAfterText = body.slice(body.lastIndexOf("\n") + 1).trim() !== ""; // and not after a line of blanks
  const lineBreak = hasCarriageReturns(text) ? "\r\n" : "\n";
  if (chomping === "" && body === result && isAfterText) return result + lineBreak;
  if (chomping !== "+" || !isAfterText) return result;
  const needed = last.value.length - withoutBreaks(last.value).length;
  // A value of line breaks alone stands below the one that ends its header.
  return body + lineBreak.repeat(needed === last.value.length ? needed + 1 : needed);
}

function withoutBreaks(text: string): string {
  let end = text.length;
  while (text.charAt(end - 1) === "\n") end -= text.charAt(end - 2) === "\r" ? 2 : 1;
  return text.slice(0, end);
}

/** Keeps the value of a block scalar that ends the text without a line break, when something comes behind it. */
function lastLineEdits({ text, documents }: Source, edits: readonly YamlEdit[]): YamlEdit[] {
  const last = lastLeafOf(documents.at(-1));
  const style = last?.span?.style;
  if (text.endsWith("\n") || last?.span === undefined || (style !== "literal" && style !== "folded")) return [];
  const { start, end, chomping } = blockHeader(text, last.span.start);
  const isHeaderNew = edits.some((edit) => edit.start <= start && edit.end >= end);
  if (chomping === "-" || isHeaderNew || !edits.some((edit) => edit.start === text.length)) return [];
  const at = chomping === "+" ? text.indexOf("+", start) : end;
  return [{ start: at, end: at + chomping.length, text: "-", depth: Infinity, isComment: false }];
}

/** Sorts edits by place and drops those of comments whose surroundings go. */
function orderEdits(edits: readonly YamlEdit[]): YamlEdit[] {
  const isSorted = edits.every((edit, index) => index === 0 || compareEdits(edits[index - 1] ?? edit, edit) <= 0);
  const sorted = isSorted ? edits : edits.toSorted(compareEdits);
  let covered = 0;
  return sorted.flatMap((edit) => {
    if (edit.isComment && edit.start < covered && edit.end <= covered) return [];
    // What goes at the end of a text without a last line break takes the one before it, which may have gone already.
    // And what is added goes behind the blank lines that a block scalar took in.
    const isMovable = edit.text === "" || edit.start === edit.end;
    const start = isMovable ? Math.max(edit.start, covered) : edit.start;
    const end = Math.max(edit.end, start);
    covered = Math.max(covered, end);
    return [start === edit.start ? edit : { ...edit, start, end }];
  });
}

function compareEdits(a: YamlEdit, b: YamlEdit): number {
  return a.start - b.start || Number(a.start !== a.end) - Number(b.start !== b.end) || b.depth - a.depth;
}

function hasCarriageReturns(text: string): boolean {
  return text.charAt(text.indexOf("\n") - 1) === "\r";
}

function withLineBreaksOf(text: string, edits: readonly Edit[]): readonly Edit[] {
  if (!hasCarriageReturns(text)) return edits;
  return edits.map((edit) => ({ ...edit, text: edit.text.replace(/\r?\n/g, "\r\n") }));
}

class YamlScribe implements Scribe {
  readonly edits: YamlEdit[] = [];
  private readonly text: string;
  private readonly documents: readonly Mapping[];
  private readonly step: number;
  /** What became of the containers of the source, by their span; made when first asked for. */
  private successors: Map<Span, Container> | undefined;

  constructor(source: Source, documents: readonly Mapping[]) {
    this.text = source.text;
    this.documents = documents;
    this.step = stepOf(source.documents);
  }

  scalar(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    if (next.kind === "comment") return this.add(this.commentEdit(old, next, place), place, true);
    if (old.kind !== "leaf" || next.kind !== "leaf") throw layoutError();
    const [first, ...others] = replaceLeaf(this.text, old, next, this.surroundings(place));
    // The lines of a block scalar go before everything else that is inserted below their header.
    for (const edit of others) this.edits.push({ ...edit, depth: Infinity, isComment: false });
    return this.add(first, place);
  }

  replace(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    if (old.kind === "comment" || next.kind === "comment") throw layoutError();
    if (this.surroundings(place).isFlow) return this.add({ ...rangeOf(old), text: flowText(next) }, place);
    const start = valueStart(this.text, old, place.container, place.entry);
    if (next.kind !== "leaf" && hasValues(next)) return this.add(this.collectionEdit(old, next, start, place), place);
    const end = this.endOfOld(old);
    const value = next.kind === "leaf" ? this.leafText(next, place, end) : flowText(next);
    return this.add({ start, end, text: ` ${value}` }, place);
  }

  restructure(container: Container, place: Place | undefined, steps: readonly Step[]): readonly Edit[] {
    const { text, step } = this;
    const isFlow = spanOf(container).style === "flow";
    const start = isFlow || place === undefined ? undefined : valueStart(text, container, place.container, place.entry);
    const comments = (): Comment[] => this.commentsAfter(container);
    const edits = isFlow
      ? restructureFlow(text, container, steps)
      : restructureBlock({ text, container, step, start, comments }, steps);
    const depth = place === undefined ? 0 : depthOf(place) + 1;
    this.edits.push(...edits.map((edit) => ({ ...edit, depth, isComment: false })));
    return edits;
  }

  private add({ start, end, text }: Edit, place: Place, isComment = false): Edit {
    const edit = { start, end, text, depth: depthOf(place) + 1, isComment };
    this.edits.push(edit);
    return edit;
  }

  private surroundings({ container }: Place): Surroundings {
    const { style, indent } = spanOf(container);
    return { column: indent, step: this.step, isFlow: style === "flow" };
  }

  /** The text of a value in place of a collection, or of an alias, that ends at an offset. */
  private leafText(leaf: Leaf, { container }: Place, end: number): string {
    const { indent } = spanOf(container);
    const lineBreak = lineBreakAt(this.text, end);
    const hasComment = !isBlank(this.text, end, lineBreak);
    const isQuoted = hasComment || leafToQuote(this.text, lineBreak, leaf, indent) !== undefined;
    if (isQuoted && typeof leaf.value === "string" && leaf.value.includes("\n")) return doubleQuoted(leaf.value);
    return scalarText(leaf.value, { column: indent, content: indent + this.step });
  }

  private commentEdit(old: Node | Comment, next: Comment, { container }: Place): Edit {
    const { start, end } = spanOf(old);
    const { indent } = spanOf(container);
    const comment = `#${commentText(next.text, indent)}`;
    if (old.kind === "comment") return { start, end, text: comment };
    // The reference stores a comment in a list as an item: dash and cell become the comment.
    const [open, close] = this.bracketsAround(old, container);
    const rest = isBlank(this.text, end, lineBreakAt(this.text, end)) ? "" : `\n${" ".repeat(indent)}`;
    return { start: itemStart(this.text, old, container), end, text: open + comment + close + rest };
  }

  /** What goes before and after a comment in a list of nothing but comments, which needs brackets to be a list. */
  private bracketsAround(old: Node, container: Container): readonly [string, string] {
    const after: readonly Item[] = this.successorOf(container)?.items ?? [];
    if (after.some((item) => item.kind !== "comment")) return ["", ""];
    const lineBreak = `\n${" ".repeat(spanOf(container).indent + 2)}`;
    const isFirst = after[0]?.span === old.span;
    const isLast = after.at(-1)?.span === old.span;
    return [isFirst ? `  [${lineBreak}` : "  ", isLast ? `${lineBreak}]` : ""];
  }

  /** A collection in place of something else: below its key, or behind its dash. */
  private collectionEdit(old: Node, next: Container, start: number, { container, entry }: Place): Edit {
    const { indent } = spanOf(container);
    const column = entry === undefined ? indent + 2 : indent + this.step;
    const end = this.endOfOld(old);
    const lineBreak = lineBreakAt(this.text, end);
    const lines = collectionText(next, column, this.step, leafToQuote(this.text, lineBreak, next, indent));
    const onNextLine = `\n${" ".repeat(column)}${lines}`;
    if (isBlank(this.text, end, lineBreak)) return { start, end, text: entry === undefined ? ` ${lines}` : onNextLine };
    // A comment on the line stays there, and the collection goes below it.
    this.edits.push({ start: lineBreak, end: lineBreak, text: onNextLine, depth: Infinity, isComment: false });
    return { start, end, text: "" };
  }

  /** Where an old value ends: a block collection or a block scalar with the rest of its last line. */
  private endOfOld(old: Node): number {
    const { style, end } = spanOf(old);
    return style === "block" || style === "literal" || style === "folded"
      ? rowContentEnd(this.text, Math.max(end, endOf(old)))
      : end;
  }

  private commentsAfter(container: Container): Comment[] {
    const items: readonly Item[] = this.successorOf(container)?.items ?? [];
    return items.filter((item) => item.kind === "comment");
  }

  private successorOf(container: Container): Container | undefined {
    this.successors ??= containersBySpan(this.documents);
    return this.successors.get(spanOf(container));
  }
}

function containersBySpan(documents: readonly Mapping[]): Map<Span, Container> {
  const bySpan = new Map<Span, Container>();
  const open: Item[] = [...documents];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    if (item.kind === "entry") open.push(item.value);
    if (item.kind !== "mapping" && item.kind !== "sequence") continue;
    if (item.span !== undefined) bySpan.set(item.span, item);
    for (const inner of item.items) open.push(inner);
  }
  return bySpan;
}

function rangeOf(node: Node): { readonly start: number; readonly end: number } {
  const { start, end } = spanOf(node);
  return { start, end };
}

/** How many containers hold the container of a place. */
function depthOf({ parent }: Place): number {
  return parent === undefined ? 0 : depthOf(parent) + 1;
}

/** The blanks per level of the first nested block; an indentless list tells nothing. */
function stepOf(documents: readonly Mapping[]): number {
  for (const { items } of documents) {
    for (const item of items) {
      const span = item.kind === "entry" ? item.value.span : undefined;
      if (span?.style === "block" && span.indent > 0) return Math.min(span.indent, LARGEST_STEP);
    }
  }
  return DEFAULT_STEP;
}
