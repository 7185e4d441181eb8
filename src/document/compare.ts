import { asBuffer } from "../bytes/utf8.ts";
import { isCell, scalarToBytes } from "./cell.ts";
import type { Comment, Entry, Leaf, Mapping, Node } from "./model.ts";

type Item = Entry | Node | Comment;

/**
 * The path of the first place where two lists of trees differ, or undefined if they are the same to a reader: same
 * keys in the same order, and values with the same bytes in the MAC (1 and 1.0, or a time and its text, are the same
 * there). Comments are compared only if `withComments` is set.
 */
export function firstDifference(
  before: readonly Mapping[],
  after: readonly Mapping[],
  options: { readonly withComments: boolean },
): string[] | undefined {
  if (before.length !== after.length) return [];
  for (const [index, document] of before.entries()) {
    const other = after[index];
    const path = other === undefined ? [] : compareItems(document, other, [], options.withComments);
    if (path !== undefined) return path;
  }
  return undefined;
}

function compareItems(a: Item, b: Item, path: readonly string[], withComments: boolean): string[] | undefined {
  if (a.kind === "entry" && b.kind === "entry" && a.key === b.key) {
    return compareItems(a.value, b.value, [...path, a.key], withComments);
  }
  if (a.kind === "comment" && b.kind === "comment" && a.text === b.text) return undefined;
  if (a.kind === "leaf" && b.kind === "leaf") return isSameLeaf(a, b) ? undefined : [...path];
  if ((a.kind === "mapping" && b.kind === "mapping") || (a.kind === "sequence" && b.kind === "sequence")) {
    return compareLists(itemsOf(a, withComments), itemsOf(b, withComments), path, withComments);
  }
  return a.kind === "entry" ? [...path, a.key] : [...path];
}

function compareLists(
  a: readonly Item[],
  b: readonly Item[],
  path: readonly string[],
  withComments: boolean,
): string[] | undefined {
  for (const [index, item] of a.entries()) {
    const other = b[index];
    const difference = other === undefined ? [...path] : compareItems(item, other, path, withComments);
    if (difference !== undefined) return difference;
  }
  return a.length === b.length ? undefined : [...path];
}

function itemsOf(node: Mapping | Extract<Node, { kind: "sequence" }>, withComments: boolean): readonly Item[] {
  return withComments ? node.items : node.items.filter((item: Item) => item.kind !== "comment");
}

function isSameLeaf(a: Leaf, b: Leaf): boolean {
  if (a.value === null || b.value === null) return a.value === b.value;
  if (typeof a.value === "string" && typeof b.value === "string") return isSameText(a.value, b.value);
  const [left, right] = [scalarToBytes(a.value), scalarToBytes(b.value)];
  return left !== undefined && right !== undefined && asBuffer(left).equals(right);
}

/** What follows a cell (the line break of a block scalar that holds it) is not part of it. */
function isSameText(a: string, b: string): boolean {
  return a === b || (isCell(a) && b.trimEnd() === a);
}

/**
 * A copy of `places` with the values and comments of `values`; both have the same shape, as `firstDifference` tells.
 * Undefined if they do not.
 */
export function withValuesOf(places: readonly Mapping[], values: readonly Mapping[]): Mapping[] | undefined {
  const result = places.map((document, index) => moveValues(document, values[index]));
  return result.every((document) => document !== undefined) ? (result as Mapping[]) : undefined;
}

function withoutSpan(node: Leaf | Comment): Leaf | Comment {
  if (node.kind === "comment") return { kind: "comment", text: node.text, inline: node.inline };
  return { kind: "leaf", value: node.value, ...(node.text === undefined ? {} : { text: node.text }) };
}

function moveValues(place: Item, value: Item | undefined): Item | undefined {
  if (value === undefined) return undefined;
  const span = place.span === undefined ? {} : { span: place.span };
  if (value.kind === "leaf" || value.kind === "comment") {
    if (place.kind !== "leaf" && place.kind !== "comment") return undefined;
    return { ...withoutSpan(value), ...span };
  }
  if (place.kind === "entry" && value.kind === "entry") {
    const inner = moveValues(place.value, value.value);
    return inner === undefined ? undefined : { ...place, value: inner as Node };
  }
  if (place.kind === "entry" || value.kind === "entry" || place.kind !== value.kind) return undefined;
  if (place.items.length !== value.items.length) return undefined;
  const items = place.items.map((item, index) => moveValues(item, value.items[index]));
  return items.includes(undefined) ? undefined : ({ ...place, items } as Mapping);
}
