import { asBuffer } from "../bytes/utf8.ts";
import { isCell, scalarToBytes } from "./cell.ts";
import { comment, leaf, type Comment, type Entry, type Leaf, type Mapping, type Node, type Sequence } from "./model.ts";

type Item = Entry | Node | Comment;
type Container = Mapping | Sequence;

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
    const path = other === undefined ? [] : compareContainers(document, other, options.withComments);
    if (path !== undefined) return path.reverse();
  }
  return undefined;
}

/**
 * The keys from the place of a difference up to the items; undefined if there is none. One call per level, and no
 * callbacks: two thousand levels fit on the stack (safety.md, Y10).
 */
function compareContainers(a: Container, b: Container, withComments: boolean): string[] | undefined {
  const items = itemsOf(a, withComments);
  const others = itemsOf(b, withComments);
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const other = others[index];
    if (item === undefined || other === undefined) return [];
    const [left, right] = [valueOf(item), valueOf(other)];
    let below: string[] | undefined;
    if (!hasSameKey(item, other)) below = [];
    else if (isContainer(left) && isContainer(right) && left.kind === right.kind)
      below = compareContainers(left, right, withComments);
    else below = isSameScalar(left, right) ? undefined : [];
    if (below === undefined) continue;
    if (item.kind === "entry") below.push(item.key);
    return below;
  }
  return items.length === others.length ? undefined : [];
}

function valueOf(item: Item): Node | Comment {
  return item.kind === "entry" ? item.value : item;
}

function hasSameKey(a: Item, b: Item): boolean {
  return a.kind === "entry" ? b.kind === "entry" && a.key === b.key : b.kind !== "entry";
}

function isContainer(node: Node | Comment): node is Container {
  return node.kind === "mapping" || node.kind === "sequence";
}

function isSameScalar(a: Node | Comment, b: Node | Comment): boolean {
  if (a.kind === "comment") return b.kind === "comment" && a.text === b.text;
  return a.kind === "leaf" && b.kind === "leaf" && isSameLeaf(a, b);
}

function itemsOf(node: Container, withComments: boolean): readonly Item[] {
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
  if (places.length !== values.length) return undefined;
  const result = places.map((document, index) => moveValues(document, values[index] ?? document));
  return result.every((document) => document !== undefined) ? (result as Mapping[]) : undefined;
}

function leafLike({ value, text }: Leaf): Leaf {
  return text === undefined ? leaf(value) : { kind: "leaf", value, text };
}

function atPlaceOf(place: Leaf | Comment, value: Leaf | Comment): Leaf | Comment {
  const copy = value.kind === "leaf" ? leafLike(value) : comment(value.text, value.inline);
  return place.span === undefined ? copy : { ...copy, span: place.span };
}

function moveValues(place: Container, value: Container): Container | undefined {
  if (place.kind !== value.kind || place.items.length !== value.items.length) return undefined;
  const items: Item[] = [];
  for (let index = 0; index < place.items.length; index += 1) {
    const [to, from] = [place.items[index], value.items[index]];
    if (to === undefined || from === undefined || (to.kind === "entry") !== (from.kind === "entry")) return undefined;
    const [target, source] = [valueOf(to), valueOf(from)];
    const moved = isContainer(target) && isContainer(source) ? moveValues(target, source) : moveScalar(target, source);
    if (moved === undefined) return undefined;
    items.push(to.kind === "entry" ? { ...to, value: moved as Node } : moved);
  }
  return { ...place, items } as Container;
}

function moveScalar(place: Node | Comment, value: Node | Comment): Leaf | Comment | undefined {
  if (isContainer(place) || isContainer(value)) return undefined;
  return atPlaceOf(place, value);
}
