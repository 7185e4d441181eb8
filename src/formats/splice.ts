import { SopsError } from "../errors.ts";
import {
  Timestamp,
  type Comment,
  type Entry,
  type Mapping,
  type Node,
  type Sequence,
  type Span,
} from "../document/model.ts";

/** Replaces the text between two offsets, end exclusive; equal offsets insert. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Anything that a container lists. */
export type Item = Entry | Node | Comment;

/** Where a node stands: the container it is an item of, as in the source, and its entry if that is a mapping. */
export interface Place {
  readonly container: Mapping | Sequence;
  readonly entry: Entry | undefined;
  /** The place of the container itself; undefined for the root of a document. */
  readonly parent: Place | undefined;
}

/** What becomes of one container's items, in the order of the result. `index` counts the items of the source. */
export type Step =
  | { readonly kind: "keep"; readonly index: number }
  | { readonly kind: "remove"; readonly index: number }
  | { readonly kind: "add"; readonly item: Item };

/** What a format knows about its text, for `collectEdits`. All nodes called `old` are of the source and have spans. */
export interface Scribe {
  /** One leaf or comment in place of another. */
  scalar(old: Node | Comment, next: Node | Comment, place: Place): Edit;
  /** A value of another kind (or another container) in place of an old one. */
  replace(old: Node | Comment, next: Node | Comment, place: Place): Edit;
  /** Items added to, or removed from, a container; edits inside items that are kept are not its business. */
  restructure(container: Mapping | Sequence, place: Place | undefined, steps: readonly Step[]): readonly Edit[];
}

/** Finds what differs between a source's trees and an edited copy of them, and lets the scribe word it. */
export function collectEdits(before: readonly Mapping[], after: readonly Mapping[], scribe: Scribe): Edit[] {
  const edits: Edit[] = [];
  before.forEach((document, index) => {
    const next = after[index];
    if (next !== undefined) compareContainers(document, next, undefined, scribe, edits);
  });
  return edits;
}

function compareContainers(
  old: Mapping | Sequence,
  next: Mapping | Sequence,
  parent: Place | undefined,
  scribe: Scribe,
  edits: Edit[],
): void {
  if (old === next) return;
  const oldItems: readonly Item[] = old.items;
  const nextItems: readonly Item[] = next.items;
  const pairs = hasSameItems(oldItems, nextItems) ? undefined : pairItems(oldItems, nextItems);
  if (pairs !== undefined) {
    // One by one: a call with hundreds of thousands of arguments overflows the stack.
    for (const edit of scribe.restructure(old, parent, pairs.steps)) edits.push(edit);
  }
  // One call per level, and no callbacks: two thousand levels fit on the stack (safety.md, Y10).
  for (let index = 0; index < oldItems.length; index += 1) {
    const oldItem = oldItems[index];
    const nextItem = pairs === undefined ? nextItems[index] : pairs.kept.get(index);
    if (oldItem === undefined || nextItem === undefined || nextItem === oldItem) continue;
    const oldNode = oldItem.kind === "entry" ? oldItem.value : oldItem;
    const nextNode = nextItem.kind === "entry" ? nextItem.value : nextItem;
    if (oldNode === nextNode || (oldItem.kind === "entry") !== (nextItem.kind === "entry")) continue;
    const place = { container: old, entry: oldItem.kind === "entry" ? oldItem : undefined, parent };
    if (isSameContainer(oldNode, nextNode)) compareContainers(oldNode, nextNode as Mapping, place, scribe, edits);
    else compareNodes(oldNode, nextNode, place, scribe, edits);
  }
}

/** Words what became of a node that is no collection, or none any more. */
function compareNodes(old: Node | Comment, next: Node | Comment, place: Place, scribe: Scribe, edits: Edit[]): void {
  if (isSameScalar(old, next) || isSameAlias(old, next)) return; // its notation stays, whatever it is
  edits.push(isScalar(old) && isScalar(next) ? scribe.scalar(old, next, place) : scribe.replace(old, next, place));
}

function isSameScalar(old: Node | Comment, next: Node | Comment): boolean {
  if (old.kind === "comment") return next.kind === "comment" && old.text === next.text;
  if (old.kind !== "leaf" || next.kind !== "leaf" || old.text !== next.text) return false;
  const [a, b] = [old.value, next.value];
  if (a instanceof Timestamp) return b instanceof Timestamp && a.text === b.text;
  return Object.is(a, b);
}

/** Whether an alias stands for what it stood for: then it stays an alias. */
function isSameAlias(old: Node | Comment, next: Node | Comment): boolean {
  return old.span?.style === "alias" && old.span === next.span && isSameItem(old, next);
}

function isSameItem(old: Item, next: Item | undefined): boolean {
  if (old === next) return true;
  if (next === undefined || old.kind !== next.kind) return false;
  if (old.kind === "entry") return next.kind === "entry" && old.key === next.key && isSameItem(old.value, next.value);
  if (next.kind === "entry" || old.kind === "leaf" || old.kind === "comment") {
    return next.kind !== "entry" && isSameScalar(old, next);
  }
  const nextItems: readonly Item[] = next.kind === "leaf" || next.kind === "comment" ? [] : next.items;
  const oldItems: readonly Item[] = old.items;
  return oldItems.length === nextItems.length && oldItems.every((item, index) => isSameItem(item, nextItems[index]));
}

function isScalar(node: Node | Comment): boolean {
  return node.kind === "leaf" || node.kind === "comment";
}

function isSameContainer(old: Node | Comment, next: Node | Comment): old is Mapping | Sequence {
  if (isScalar(old)) return false;
  // An alias was expanded in place: its items stand elsewhere in the text, so a changed one is written out whole.
  return old.kind === next.kind && old.span !== undefined && old.span === next.span && old.span.style !== "alias";
}

function hasSameItems(old: readonly Item[], next: readonly Item[]): boolean {
  if (old.length !== next.length) return false;
  return old.every(
    (item, index) => item === next[index] || (item.span !== undefined && item.span === next[index]?.span),
  );
}

/** Pairs items by their span object; what has no partner was removed or is new. */
function pairItems(old: readonly Item[], next: readonly Item[]): { steps: Step[]; kept: Map<number, Item> } {
  const indexOfSpan = new Map<Span, number>();
  old.forEach((item, index) => {
    if (item.span !== undefined) indexOfSpan.set(item.span, index);
  });
  const steps: Step[] = [];
  const kept = new Map<number, Item>();
  let passed = 0; // items of the source before this one are kept or removed already
  const removeUntil = (end: number): void => {
    for (; passed < end; passed += 1) steps.push({ kind: "remove", index: passed });
  };
  for (const item of next) {
    const index = item.span === undefined ? undefined : indexOfSpan.get(item.span);
    if (index === undefined || index < passed) {
      steps.push({ kind: "add", item });
      continue;
    }
    removeUntil(index);
    steps.push({ kind: "keep", index });
    kept.set(index, item);
    passed = index + 1;
  }
  removeUntil(old.length);
  return { steps, kept };
}

/**
 * Applies edits to a text.
 *
 * @throws {SopsError} if two edits overlap, which a scribe never lets happen: better no file than a wrong one
 */
export function splice(text: string, edits: readonly Edit[]): string {
  let result = "";
  let position = 0;
  for (const edit of inOrder(edits)) {
    if (edit.start < position)
      throw new SopsError("ERR_EMIT", "the layout of the file cannot be kept", { hint: "use --layout reference" });
    result += text.slice(position, edit.start) + edit.text; // half the time of joining a list of 200,000 pieces
    position = edit.end;
  }
  return result + text.slice(position);
}

function inOrder(edits: readonly Edit[]): readonly Edit[] {
  const isSorted = edits.every((edit, index) => index === 0 || (edits[index - 1]?.start ?? 0) <= edit.start);
  return isSorted ? edits : edits.toSorted((a, b) => a.start - b.start);
}
