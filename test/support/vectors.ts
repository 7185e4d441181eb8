import { readFileSync } from "node:fs";
import { Timestamp, UnsignedInteger, type Comment, type Mapping, type Node } from "../../src/document/model.ts";
import { floatText } from "../../src/go/float.ts";

/** The store sections of fixtures/format-vectors.json. */
export interface StoreVector {
  readonly input: string;
  readonly document?: unknown;
  readonly emitted?: string;
  readonly error?: true;
}

/** One section of fixtures/format-vectors.json; the caller names its shape. */
export function vectors(section: string): unknown {
  const file = new URL("../../fixtures/format-vectors.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>)[section];
}

/** A tree in the typed notation of the vectors (file-format.md 12), without spans. */
export function notation(node: Node | Comment): unknown {
  switch (node.kind) {
    case "comment":
      return { comment: node.text, inline: node.inline };
    case "mapping":
      return {
        map: node.items.map((item) => (item.kind === "entry" ? [item.key, notation(item.value)] : notation(item))),
      };
    case "sequence":
      return { list: node.items.map(notation) };
    case "leaf":
      return scalarNotation(node.value);
  }
}

function scalarNotation(value: (Node & { kind: "leaf" })["value"]): unknown {
  if (value === null) return null;
  if (value instanceof Timestamp) return { time: value.text };
  if (value instanceof UnsignedInteger) return { uint: value.text };
  if (value instanceof Uint8Array) return { str_base64: Buffer.from(value).toString("base64") };
  if (typeof value === "string") return { str: value };
  if (typeof value === "bigint") return { int: String(value) };
  return typeof value === "number" ? { float: floatText(value) } : { bool: value };
}

/** Replaces the value of the entry at a path, keeping spans, as `seal` and `open` do. */
export function withLeaf(root: Mapping, path: readonly string[], change: (node: Node) => Node): Mapping {
  const [key, ...rest] = path;
  const items = root.items.map((item) => {
    if (item.kind !== "entry" || item.key !== key) return item;
    const value = rest.length === 0 ? change(item.value) : withLeaf(item.value as Mapping, rest, change);
    return { ...item, value };
  });
  return { ...root, items };
}
