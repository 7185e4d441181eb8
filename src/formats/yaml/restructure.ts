import type { Comment } from "../../document/model.ts";
import type { Edit, Item, Step } from "../splice.ts";
import { spanOf } from "../text.ts";
import { leafToQuote } from "./below.ts";
import { commentText, itemText } from "./emit.ts";
import {
  blockHeader,
  endOf,
  hasDocumentStart,
  isBlank,
  itemStart,
  lastLeafOf,
  lineBreakAt,
  lineStart,
  rowContentEnd,
  rowEnd,
  skipBlankLines,
  type Container,
} from "./geometry.ts";

/** What is known about a block collection whose items change. */
export interface BlockContext {
  readonly text: string;
  readonly container: Container;
  /** Blanks per level of what is added. */
  readonly step: number;
  /** Where the collection starts if it is not the root of a document: behind the colon or the dash before it. */
  readonly start: number | undefined;
  /** The comments that stay if everything else goes, as they are in the result. */
  readonly comments: () => readonly Comment[];
}

/** Items added and removed between two that stay. */
interface Gap {
  readonly left: Item | undefined;
  readonly right: Item | undefined;
  readonly removed: Item[];
  readonly added: Item[];
}

/**
 * The edits for items that a block collection gains or loses. A removed item goes with its lines; one that is added
 * stands on lines of its own behind its left neighbour.
 */
export function restructureBlock(context: BlockContext, steps: readonly Step[]): Edit[] {
  if (becomesEmpty(context.container, steps)) return emptyBlock(context, steps);
  const edits = gapsOf(context.container, steps).flatMap((gap) => fillGap(context, gap));
  return mergeRemovals(edits);
}

function becomesEmpty({ items }: Container, steps: readonly Step[]): boolean {
  return steps.every((step) => {
    if (step.kind === "add") return step.item.kind === "comment";
    return step.kind === "remove" || items[step.index]?.kind === "comment";
  });
}

function gapsOf({ items }: Container, steps: readonly Step[]): Gap[] {
  const gaps: Gap[] = [];
  let left: Item | undefined;
  let removed: Item[] = [];
  let added: Item[] = [];
  const close = (right: Item | undefined): void => {
    if (removed.length + added.length > 0) gaps.push({ left, right, removed, added });
    [removed, added] = [[], []];
  };
  for (const step of steps) {
    if (step.kind === "add") {
      added.push(step.item);
      continue;
    }
    const item = items[step.index];
    if (item === undefined) continue;
    if (step.kind === "remove") {
      removed.push(item);
    } else if (!isInline(item)) {
      // An inline comment stands behind the item it comes before, so it is no neighbour.
      close(item);
      left = item;
    }
  }
  close(undefined);
  return gaps;
}

function isInline(item: Item): boolean {
  return item.kind === "comment" && item.span?.style === "inline";
}

function fillGap(context: BlockContext, gap: Gap): Edit[] {
  const values = gap.removed.filter((item) => item.kind !== "comment");
  const [first] = values;
  const removals = gap.removed.map((item) => removeItem(context, item, gap.right));
  if (gap.added.length === 0) return removals;
  if (first === undefined) return [...removals, insertItems(context, gap)];
  // The removed make room for the added, with the blank lines between them.
  const start = itemStart(context.text, first, context.container);
  const end = rowContentEnd(context.text, endOf(values.at(-1) ?? first));
  const comments = removals.filter((_, index) => gap.removed[index]?.kind === "comment");
  return [{ start, end, text: linesOf(context, gap.added, end) }, ...comments];
}

/** The lines of added items above a line break: the first without indentation, none with a line break at its end. */
function linesOf({ text, container, step }: BlockContext, added: readonly Item[], lineBreak: number): string {
  const { indent } = spanOf(container);
  const last = added.at(-1);
  const quoted = last === undefined ? undefined : leafToQuote(text, lineBreak, last, indent);
  return added.map((item) => itemText(item, indent, step, quoted)).join(`\n${" ".repeat(indent)}`);
}

function removeItem(context: BlockContext, item: Item, right: Item | undefined): Edit {
  const { text, container } = context;
  const start = itemStart(text, item, container);
  const line = lineStart(text, start);
  if (item.kind === "comment") return removeComment(text, start, spanOf(item).end);
  const previous = itemBefore(container, item);
  const lines = rowEnd(text, keptBlankLinesEnd(text, item));
  const { end, text: indentation } = withoutTail(text, lines, previous, spanOf(container).indent);
  if (isBlank(text, line, start)) {
    const last = lastLineStart(text, line, end);
    if (last === line) return { start: line, end, text: indentation };
    // The last line break of a block scalar is part of it, and stays.
    return { start: Math.max(last, previous === undefined ? 0 : endOf(previous)), end, text: "" };
  }
  // The first item of a collection that starts behind a dash: the next one moves up.
  return { start, end: right === undefined ? end : itemStart(text, right, container), text: "" };
}

/** The item on the lines before another; comments on its own lines, which come before it too, are none. */
function itemBefore({ items }: Container, item: Item): Item | undefined {
  const all: readonly Item[] = items;
  const { start } = spanOf(item);
  return all.slice(0, all.indexOf(item)).findLast((other) => spanOf(other).start < start);
}

/** Where a removal ends, and the indentation of the comment that follows if that was too deep. */
interface Tail {
  readonly end: number;
  readonly text: string;
}

/**
 * Where the lines of a removed item end, with what would become part of the block scalar above: blank lines if it keeps
 * its last line breaks, blanks at the end of the text that reach its column, and those before a comment that does.
 */
function withoutTail(text: string, end: number, previous: Item | undefined, column: number): Tail {
  const span = lastLeafOf(previous)?.span;
  if (span?.style !== "literal" && span?.style !== "folded") return { end, text: "" };
  const blankEnd = skipBlankLines(text, end).end;
  const tailEnd = isBlank(text, blankEnd, text.length) ? text.length : blankEnd;
  if (blockHeader(text, span.start).chomping === "+") return { end: tailEnd, text: "" };
  const comment = /[ \t]*(?=#)/y;
  comment.lastIndex = blankEnd;
  const blanks = comment.exec(text)?.[0] ?? "";
  if (blanks.length >= span.indent && blanks !== "") return { end: comment.lastIndex, text: " ".repeat(column) };
  const isPart = text
    .slice(end, tailEnd)
    .split("\n")
    .some((line) => line.length > span.indent);
  return { end: isPart ? tailEnd : end, text: "" };
}

function removeComment(text: string, start: number, end: number): Edit {
  const line = lineStart(text, start);
  if (isBlank(text, line, start)) {
    const next = rowEnd(text, end);
    return { start: lastLineStart(text, line, next), end: next, text: "" };
  }
  const before = text.slice(line, start);
  return { start: line + before.trimEnd().length, end, text: "" };
}

/** Without a line break at the end of the text, the one before the last line goes with that line. */
function lastLineStart(text: string, line: number, end: number): number {
  return end === text.length && !text.endsWith("\n") && line > 0
    ? lineBreakAt(text, line - 1 - crBefore(text, line))
    : line;
}

/** Offset of the line break before the start of a line; 0 at the start of the text. */
function lineBreakBefore(text: string, line: number): number {
  return line === 0 ? 0 : line - 1 - crBefore(text, line);
}

function crBefore(text: string, line: number): number {
  return text.charAt(line - 2) === "\r" ? 1 : 0;
}

/** Where an item ends, with the blank lines that a block scalar at its end keeps. */
function keptBlankLinesEnd(text: string, item: Item): number {
  const end = endOf(item);
  const last = lastLeafOf(item);
  if (last?.span?.style !== "literal" && last?.span?.style !== "folded") return end;
  return blockHeader(text, last.span.start).chomping === "+" ? skipBlankLines(text, end).end : end;
}

function insertItems(context: BlockContext, gap: Gap): Edit {
  const { text, container } = context;
  const indentation = " ".repeat(spanOf(container).indent);
  const left = neighbour(context, gap.left);
  if (left === undefined) return insertFirst(context, gap);
  const position = rowEnd(text, keptBlankLinesEnd(text, left));
  if (position === text.length && !text.endsWith("\n")) {
    return { start: position, end: position, text: `\n${indentation}${linesOf(context, gap.added, position)}` };
  }
  const lines = linesOf(context, gap.added, lineBreakBefore(text, position));
  return { start: position, end: position, text: `${indentation}${lines}\n` };
}

/** The item behind which to insert: not a comment that stands outside of the document's own lines. */
function neighbour({ text, container }: BlockContext, left: Item | undefined): Item | undefined {
  if (left?.kind !== "comment") return left;
  const others = container.items.filter((item) => item.kind !== "comment");
  const last = others.at(-1);
  if (last === undefined) return spanOf(container).start > spanOf(left).start ? undefined : left;
  const between = text.slice(endOf(last), spanOf(left).start);
  return /^\.\.\.(?:\s|$)/m.test(between) ? last : left;
}

function insertFirst(context: BlockContext, { right, added }: Gap): Edit {
  const { text, container } = context;
  const { start: root, indent } = spanOf(container);
  const first = container.items.find((item) => item.kind !== "comment") ?? right;
  if (first === undefined || first.kind === "comment") {
    const isLineStart = lineStart(text, root) === root;
    // A text that ends without a line break goes on without one, and so is itself again when the lines go.
    const isOpenEnd = root === text.length && !isLineStart;
    const lines = linesOf(context, added, isLineStart ? lineBreakBefore(text, root) : root);
    return { start: root, end: root, text: `${isLineStart ? "" : "\n"}${lines}${isOpenEnd ? "" : "\n"}` };
  }
  const start = itemStart(text, first, container);
  const lines = linesOf(context, added, lineBreakBefore(text, lineStart(text, start)));
  return { start, end: start, text: `${lines}\n${" ".repeat(indent)}` };
}

/** Every value goes: what is left is `{}` or `[]`, with the comments inside. */
function emptyBlock(context: BlockContext, steps: readonly Step[]): Edit[] {
  const { text, container, start } = context;
  const values = container.items.filter((item) => item.kind !== "comment");
  const [first] = values;
  const empty = container.kind === "mapping" ? "{}" : "[]";
  if (first === undefined) return gapsOf(container, steps).flatMap((gap) => fillGap(context, gap));
  if (start !== undefined) {
    const comments = context.comments().filter((item) => !isInline(item));
    return [{ start, end: rowContentEnd(text, endOf(container)), text: ` ${emptyWithComments(context, comments)}` }];
  }
  const removals = steps.flatMap((step) => {
    const item = step.kind === "remove" ? container.items[step.index] : undefined;
    return item === undefined ? [] : [removeItem(context, item, undefined)];
  });
  const position = itemStart(text, first, container);
  if (hasDocumentStart(text, position)) return mergeRemovals(removals);
  const others = removals.filter((edit) => edit.start > position || edit.end <= position);
  return mergeRemovals([{ start: position, end: rowContentEnd(text, endOf(first)), text: empty }, ...others]);
}

/** An empty collection in flow style; comments in it need lines of their own. */
function emptyWithComments({ container }: BlockContext, comments: readonly Comment[]): string {
  const [open, close] = container.kind === "mapping" ? ["{", "}"] : ["[", "]"];
  if (comments.length === 0) return open + close;
  const indentation = `\n${" ".repeat(spanOf(container).indent + 2)}`;
  const lines = comments.map(({ text }) => `${indentation}#${commentText(text, indentation.length - 1)}`);
  return `${open}${lines.join("")}${indentation}${close}`;
}

/** Joins edits that overlap or adjoin; at most one of them has text. */
function mergeRemovals(edits: readonly Edit[]): Edit[] {
  const merged: Edit[] = [];
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    const last = merged.at(-1);
    if (last !== undefined && edit.start < last.end) {
      merged[merged.length - 1] = {
        start: last.start,
        end: Math.max(last.end, edit.end),
        text: last.text + edit.text,
      };
    } else {
      merged.push(edit);
    }
  }
  return merged;
}
