import type { Comment, Entry, Mapping, Node } from "./model.ts";

/** Below this many keys a search through the list is faster than a set. */
const FEW_KEYS = 8;

/** The first entry whose key its mapping already has, or undefined. */
export function firstRepeatedKey(documents: readonly Mapping[]): Entry | undefined {
  const open: (Node | Comment)[] = [...documents].reverse();
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === "leaf" || node.kind === "comment") continue;
    const repeated = node.kind === "mapping" ? repeatedIn(node) : undefined;
    if (repeated !== undefined) return repeated;
    for (const item of node.items.toReversed()) open.push(item.kind === "entry" ? item.value : item);
  }
  return undefined;
}

function repeatedIn({ items }: Mapping): Entry | undefined {
  const seen = items.length > FEW_KEYS ? new Set<string>() : undefined;
  for (const [index, item] of items.entries()) {
    if (item.kind === "comment") continue;
    const isRepeated =
      seen?.has(item.key) ?? items.slice(0, index).some((other) => other.kind === "entry" && other.key === item.key);
    if (isRepeated) return item;
    seen?.add(item.key);
  }
  return undefined;
}
