import { scalarToBytes } from "./cell.ts";
import { asBuffer } from "../bytes/utf8.ts";
import type { Comment, Entry, Leaf, Mapping, Node, Sequence } from "./model.ts";

/**
 * Lays a new tree over an old one that stands in a text, so that the keep writer changes only what differs: values
 * that are the same stay the old nodes, others take the old places, and the old order, comments and empty lists remain.
 */
export function graft(old: Node, next: Node): Node {
  if (old.kind === "leaf" && next.kind === "leaf") return graftLeaf(old, next);
  if (old.kind === "mapping" && next.kind === "mapping") return graftMapping(old, next);
  if (old.kind === "sequence" && next.kind === "sequence") return graftSequence(old, next);
  return next;
}

function graftLeaf(old: Leaf, next: Leaf): Leaf {
  if (isSameText(old, next)) return old;
  return old.span === undefined ? next : { ...next, span: old.span };
}

function isSameText(a: Leaf, b: Leaf): boolean {
  if (a.value === null || b.value === null) return a.value === b.value;
  const left = scalarToBytes(a.value);
  const right = scalarToBytes(b.value);
  return left !== undefined && right !== undefined && asBuffer(left).equals(right);
}

function graftMapping(old: Mapping, next: Mapping): Mapping {
  const wanted = new Map<string, Entry>();
  for (const item of next.items) if (item.kind === "entry") wanted.set(item.key, item);
  const items: (Entry | Comment)[] = [];
  for (const item of old.items) {
    if (item.kind === "comment") {
      items.push(item);
      continue;
    }
    const entry = wanted.get(item.key);
    if (entry === undefined) {
      if (isEmpty(item.value)) items.push(item);
      continue;
    }
    wanted.delete(item.key);
    const value = graft(item.value, entry.value);
    items.push(value === item.value ? item : { ...item, value });
  }
  items.push(...wanted.values());
  return { ...old, items };
}

/** Older versions of the reference wrote `kms: []` and the like: it says nothing, and stays where it is. */
function isEmpty(node: Node): boolean {
  return node.kind === "leaf" ? node.value === null : node.items.length === 0;
}

function graftSequence(old: Sequence, next: Sequence): Sequence {
  const values = next.items.filter((item): item is Node => item.kind !== "comment");
  const items: (Node | Comment)[] = [];
  let used = 0;
  for (const item of old.items) {
    if (item.kind === "comment") {
      items.push(item);
      continue;
    }
    const value = values[used];
    used += 1;
    if (value !== undefined) items.push(graft(item, value));
  }
  items.push(...values.slice(used));
  return { ...old, items };
}
