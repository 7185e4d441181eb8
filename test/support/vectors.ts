import { readFileSync } from "node:fs";
import { comment, entry, leaf, mapping, sequence, Timestamp, UnsignedInteger } from "../../src/document/model.ts";
import type { Comment, Entry, Leaf, Mapping, Node } from "../../src/document/model.ts";
import { floatText } from "../../src/go/float.ts";

/** Reads a file of `fixtures/`. */
export function fixture(path: string): Buffer {
  return readFileSync(new URL(`../../fixtures/${path}`, import.meta.url));
}

/** One section of the format vectors. */
export function vectors(section: string): unknown {
  all ??= JSON.parse(fixture("format-vectors.json").toString("utf8")) as Record<string, unknown>;
  return all[section];
}

let all: Record<string, unknown> | undefined;

/** The vectors' notation for typed trees: one-key objects (file-format.md 12). */
export type TypedNode =
  | null
  | { readonly str: string }
  | { readonly str_base64: string }
  | { readonly int: string }
  | { readonly float: string }
  | { readonly bool: boolean }
  | { readonly time: string }
  | { readonly map: readonly TypedItem[] }
  | { readonly list: readonly (TypedNode | TypedComment)[] };

type TypedComment = { readonly comment: string; readonly inline: boolean };
type TypedItem = readonly [string, TypedNode] | TypedComment;

/** Makes the tree that a typed node stands for. */
export function fromTyped(typed: TypedNode): Node {
  if (typed !== null && "map" in typed) return mapping(typed.map.map(itemFromTyped));
  if (typed !== null && "list" in typed) {
    return sequence(
      typed.list.map((item) => (isTypedComment(item) ? comment(item.comment, item.inline) : fromTyped(item))),
    );
  }
  return leafFromTyped(typed);
}

function itemFromTyped(item: TypedItem): Entry | Comment {
  if ("comment" in item) return comment(item.comment, item.inline);
  const [key, value] = item;
  return entry(key, fromTyped(value));
}

function isTypedComment(item: TypedNode | TypedComment): item is TypedComment {
  return item !== null && "comment" in item;
}

function leafFromTyped(typed: Exclude<TypedNode, { map: unknown } | { list: unknown }>): Leaf {
  if (typed === null) return leaf(null);
  if ("str" in typed) return leaf(typed.str);
  if ("str_base64" in typed) return leaf(new Uint8Array(Buffer.from(typed.str_base64, "base64")));
  if ("int" in typed) return leaf(BigInt(typed.int));
  if ("float" in typed) return leaf(floatFromTyped(typed.float));
  if ("bool" in typed) return leaf(typed.bool);
  return leaf(new Timestamp(typed.time));
}

function floatFromTyped(text: string): number {
  if (text === "+Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}

/** A copy of a tree without spans and digits, for comparing values. */
export function bare<T extends Node | Comment | Entry>(node: T): T {
  return strip(node) as T;
}

function strip(node: Node | Comment | Entry): Node | Comment | Entry {
  if (node.kind === "comment") return comment(node.text, node.inline);
  if (node.kind === "entry") return entry(node.key, strip(node.value) as Node);
  if (node.kind === "leaf") return leaf(node.value instanceof Uint8Array ? new Uint8Array(node.value) : node.value);
  return { kind: node.kind, items: node.items.map(strip) } as Mapping;
}

/** The store sections of fixtures/format-vectors.json. */
export interface StoreVector {
  readonly input: string;
  readonly document?: unknown;
  readonly emitted?: string;
  readonly error?: true;
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
