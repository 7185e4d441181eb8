import { entry, leaf, mapping, sequence, type Node } from "../../../src/document/model.ts";

/** Makes a tree of what `JSON.parse` gives; whole numbers become integers, and trees within stay what they are. */
export function treeOf(data: unknown): Node {
  if (isNode(data)) return data;
  if (typeof data === "number") return leaf(Number.isInteger(data) ? BigInt(data) : data);
  if (typeof data === "string" || typeof data === "boolean" || data === null) return leaf(data);
  if (Array.isArray(data)) return sequence(data.map(treeOf));
  return mapping(Object.entries(data as object).map(([key, value]) => entry(key, treeOf(value))));
}

/** The opposite of `treeOf`, without comments. */
export function dataOf(node: Node): unknown {
  if (node.kind === "leaf") return typeof node.value === "bigint" ? Number(node.value) : node.value;
  if (node.kind === "sequence") return node.items.flatMap((item) => (item.kind === "comment" ? [] : [dataOf(item)]));
  return Object.fromEntries(
    node.items.flatMap((item) => (item.kind === "comment" ? [] : [[item.key, dataOf(item.value)] as const])),
  );
}

function isNode(data: unknown): data is Node {
  return (
    typeof data === "object" &&
    data !== null &&
    "kind" in data &&
    ["leaf", "mapping", "sequence"].includes(String(data.kind))
  );
}
