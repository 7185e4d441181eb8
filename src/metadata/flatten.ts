/** Metadata for formats that have no containers: one name per value (file-format.md 7.7). */

import { decodeUtf8 } from "../bytes/utf8.ts";
import { entry, leaf, mapping, sequence, type Leaf, type Mapping, type Node } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import { flatScalar } from "../formats/flat-scalar.ts";

const MAP_STEP = "__map_";
const LIST_STEP = "__list_";
const STEP = /__(map|list)_/;
const INDEX = /^[-+]?\d+$/;
/** Metadata nest six deep; a name with many more steps is no metadata. */
const MAX_STEPS = 100;

/**
 * Writes every value below a mapping as a name and a text, depth first, in the order they stand. Empty mappings and
 * lists leave no trace, comments neither.
 */
export function flatten(node: Mapping): [name: string, text: string][] {
  const pairs: [string, string][] = [];
  for (const item of node.items) if (item.kind === "entry") flattenInto(pairs, item.key, item.value);
  return pairs;
}

function flattenInto(pairs: [string, string][], name: string, node: Node): void {
  switch (node.kind) {
    case "leaf":
      pairs.push([name, textOf(node)]);
      return;
    case "mapping":
      for (const [key, text] of flatten(node)) pairs.push([name + MAP_STEP + key, text]);
      return;
    case "sequence":
      node.items
        .filter((item) => item.kind !== "comment")
        .forEach((item, index) => {
          flattenInto(pairs, name + LIST_STEP + String(index), item);
        });
  }
}

function textOf({ value }: Leaf): string {
  const flat = flatScalar(value);
  const text = typeof flat === "string" ? flat : decodeUtf8(flat);
  if (text === undefined) throw new SopsError("ERR_EMIT", "the metadata hold bytes that are not UTF-8");
  return text;
}

/** A container while it is built; children by key, or by index in decimal. */
interface Branch {
  readonly kind: "map" | "list";
  readonly children: Map<string, Branch | string>;
}

interface Step {
  readonly kind: "map" | "list";
  readonly key: string;
}

/**
 * Builds the nested metadata from flattened names and their values, which come back as strings.
 *
 * @throws {SopsError} ERR_LOAD if names contradict each other or a list has gaps; names the name, never a value
 */
export function unflatten(pairs: Iterable<readonly [name: string, text: string]>): Mapping {
  const root: Branch = { kind: "map", children: new Map() };
  for (const [name, text] of pairs) insert(root, name, text);
  return mapping([...root.children].map(([key, child]) => entry(key, toNode(child, key))));
}

function insert(root: Branch, name: string, text: string): void {
  const steps = stepsOf(name);
  let branch = root;
  steps.forEach(({ kind, key }, index) => {
    if (branch.kind !== kind) throw contradiction(name, "is both a mapping and a list, or a value and a container");
    const child = branch.children.get(key);
    const next = steps[index + 1];
    if (next === undefined) {
      if (child !== undefined) throw contradiction(name, "occurs twice");
      branch.children.set(key, text);
      return;
    }
    if (typeof child === "string") throw contradiction(name, "is below a name that has a value");
    const inner = child ?? { kind: next.kind, children: new Map<string, Branch | string>() };
    branch.children.set(key, inner);
    branch = inner;
  });
}

function stepsOf(name: string): Step[] {
  const parts = name.split(STEP); // key, then kind and key of every further step
  if (parts.length > 2 * MAX_STEPS) throw contradiction(name.slice(0, 60), "has too many steps");
  const steps: Step[] = [{ kind: "map", key: parts[0] ?? "" }];
  for (let at = 1; at < parts.length; at += 2) {
    const key = parts[at + 1] ?? "";
    steps.push(parts[at] === "list" ? { kind: "list", key: canonicalIndex(key) } : { kind: "map", key });
  }
  return steps;
}

/** An index that is not a number counts as 0, as in the reference. */
function canonicalIndex(text: string): string {
  return INDEX.test(text) ? String(Number(text)) : "0";
}

function toNode(child: Branch | string, name: string): Node {
  if (typeof child === "string") return leaf(child);
  if (child.kind === "map")
    return mapping([...child.children].map(([key, inner]) => entry(key, toNode(inner, name + MAP_STEP + key))));
  return sequence(
    Array.from({ length: child.children.size }, (_, index) => {
      const inner = child.children.get(String(index));
      if (inner === undefined) throw contradiction(name, "is a list with a gap");
      return toNode(inner, name + LIST_STEP + String(index));
    }),
  );
}

function contradiction(name: string, reason: string): SopsError {
  return new SopsError("ERR_LOAD", `the metadata cannot be read: ${JSON.stringify(name)} ${reason}`);
}
