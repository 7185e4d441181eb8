import { asBuffer } from "../bytes/utf8.ts";
import { isCell, scalarToBytes } from "./cell.ts";
import { comment, leaf, type Comment, type Entry, type Leaf, type Mapping, type Node } from "./model.ts";

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
    const path = other === undefined ? [] : compareItems(document, other, options.withComments);
    if (path !== undefined) return path.reverse();
  }
  return undefined;
}

/** The keys from the place of a difference up to the items; undefined if there is none. */
function compareItems(a: Item, b: Item, withComments: boolean): string[] | undefined {
  if (a.kind === "entry") {
    const below = b.kind === "entry" && a.key === b.key ? compareItems(a.value, b.value, withComments) : [];
    below?.push(a.key);
    return below;
  }
  if (a.kind === "comment" && b.kind === "comment" && a.text === b.text) return undefined;
  if (a.kind === "leaf" && b.kind === "leaf") return isSameLeaf(a, b) ? undefined : [];
  if ((a.kind === "mapping" && b.kind === "mapping") || (a.kind === "sequence" && b.kind === "sequence")) {
    return compareLists(itemsOf(a, withComments), itemsOf(b, withComments), withComments);
  }
  return [];
}

function compareLists(a: readonly Item[], b: readonly Item[], withComments: boolean): string[] | undefined {
  for (const [index, item] of a.entries()) {
    const other = b[index];
    const difference = other === undefined ? [] : compareItems(item, other, withComments);
    if (difference !== undefined) return difference;
  }
  return a.length === b.length ? undefined : [];
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

function leafLike({ value, text }: Leaf): Leaf {
  return text === undefined ? leaf(value) : { kind: "leaf", value, text };
}

function atPlaceOf(place: Leaf | Comment, value: Leaf | Comment): Leaf | Comment {
  const copy = value.kind === "leaf" ? leafLike(value) : comment(value.text, value.inline);
  return place.span === undefined ? copy : { ...copy, span: place.span };
}

function moveValues(place: Item, value: Item | undefined): Item | undefined {
  if (value === undefined) return undefined;
  if (value.kind === "leaf" || value.kind === "comment") {
    if (place.kind !== "leaf" && place.kind !== "comment") return undefined;
    return atPlaceOf(place, value);
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
