import { parseJson } from "../bytes/json.ts";
import { SopsError, type ErrorCode } from "../errors.ts";
import { entry, mapping, sequence, type Comment, type Entry, type Mapping, type Node, type Sequence } from "./model.ts";

/** One step of a tree path: a key or an index. */
export type Component =
  | {
      readonly kind: "key";
      /** The text between the quotes as it is. */
      readonly literal: string;
      /** The same with the escapes of a JSON string resolved. A key that is there as `literal` comes first. */
      readonly key: string;
    }
  | { readonly kind: "index"; readonly index: number };

/** A path as `--extract`, `set` and `unset` take it: `["key"]`, `['key']` and `[0]` in a row. */
export type TreePath = readonly Component[];

/**
 * Reads a tree path.
 *
 * @param code - the error to throw, as `--extract` and `set` end with different exit statuses
 * @see cli-behaviour.md 1.9
 */
export function parseTreePath(text: string, code: ErrorCode): TreePath {
  const path: Component[] = [];
  let position = 0;
  while (position < text.length) {
    const end = componentEnd(text, position);
    if (text[position] !== "[" || end < 0) {
      throw new SopsError(code, `component ${String(path.length + 1)} of the path doesn't end with ]`, {
        hint: `write the path as ["key"][0]["other key"]`,
      });
    }
    path.push(parseComponent(text.slice(position + 1, end), path.length + 1, code));
    position = end + 1;
  }
  return path;
}

/** Index of the `]` that closes the component which starts at `start`, or -1. */
function componentEnd(text: string, start: number): number {
  const quote = text[start + 1];
  if (quote !== '"' && quote !== "'") return text.indexOf("]", start);
  for (let end = text.indexOf(`${quote}]`, start + 2); end >= 0; end = text.indexOf(`${quote}]`, end + 1)) {
    const isLast = /^(?:\[|\s|$)/.test(text.slice(end + 2, end + 3));
    const isEscaped = quote === '"' && text[end - 1] === "\\" && text[end - 2] !== "\\";
    if (isLast && !isEscaped) return end + 1;
  }
  return -1;
}

function parseComponent(text: string, position: number, code: ErrorCode): Component {
  if (text.startsWith('"') || text.startsWith("'")) {
    const literal = text.slice(1, -1);
    return { kind: "key", literal, key: text.startsWith('"') ? unescape(text, literal) : literal };
  }
  if (/^[-+]?\d{1,9}$/.test(text) && !text.startsWith("-")) return { kind: "index", index: Number(text) };
  throw new SopsError(code, `component ${String(position)} of the path is neither a quoted key nor an index`, {
    hint: `keys need quotes: ["key"]; indices are whole numbers from 0`,
  });
}

function unescape(quoted: string, literal: string): string {
  if (!literal.includes("\\")) return literal;
  const value = parseJson(quoted);
  return typeof value === "string" ? value : literal;
}

/** Writes a path for messages. */
export function formatTreePath(path: TreePath): string {
  return path.map((step) => `[${step.kind === "index" ? String(step.index) : JSON.stringify(step.key)}]`).join("");
}

function findKey(node: Mapping, step: Component): Entry | undefined {
  if (step.kind !== "key") return undefined;
  const entries = node.items.filter((item) => item.kind === "entry");
  return entries.find((item) => item.key === step.literal) ?? entries.find((item) => item.key === step.key);
}

/** Position in `items` of the index-th item that is no comment, or -1. */
function positionOfIndex(node: Sequence, index: number): number {
  let seen = -1;
  return node.items.findIndex((item) => item.kind !== "comment" && (seen += 1) === index);
}

/**
 * The node at a path.
 *
 * @throws {SopsError} ERR_PATH_NOT_FOUND naming the component that leads nowhere
 */
export function nodeAt(root: Node, path: TreePath): Node {
  return path.reduce<Node>((node, step, depth) => {
    const child = childAt(node, step);
    if (child !== undefined) return child;
    throw notFound(path, depth, node);
  }, root);
}

/** Whether something stands at a path. */
export function hasNodeAt(root: Node, path: TreePath): boolean {
  let node: Node | undefined = root;
  for (const step of path) node = node === undefined ? undefined : childAt(node, step);
  return node !== undefined;
}

function childAt(node: Node, step: Component): Node | undefined {
  if (node.kind === "mapping") return findKey(node, step)?.value;
  if (node.kind !== "sequence" || step.kind !== "index") return undefined;
  const item = node.items[positionOfIndex(node, step.index)];
  return item?.kind === "comment" ? undefined : item;
}

function notFound(path: TreePath, depth: number, node: Node): SopsError {
  const step = path[depth];
  const name = formatTreePath(path.slice(0, depth + 1));
  if (step?.kind !== "index")
    return new SopsError("ERR_PATH_NOT_FOUND", `component ['${step?.key ?? ""}'] not found: nothing at ${name}`);
  const reason =
    node.kind === "sequence" ? "accesses out of bounds" : "is integer, but tree part is not a slice (it is no list)";
  return new SopsError("ERR_PATH_NOT_FOUND", `component [${String(step.index)}] ${reason} at ${name}`);
}

/**
 * A copy of a tree with a value put at a path. Parents that are missing are made: a key makes a mapping, an index a
 * list; an index beyond the end of a list appends (cli-behaviour.md 1.9).
 *
 * @throws {SopsError} ERR_SET_VALUE if the path is empty, or leads with a key into a list or an index into a mapping
 */
export function withNodeAt(root: Mapping, path: TreePath, value: Node): Mapping {
  const result = replaceAt(root, path, 0, value);
  if (path.length === 0 || result.kind !== "mapping") {
    throw new SopsError("ERR_PATH", "the path is empty: a whole document cannot be set", {
      hint: "use edit, or name a key",
    });
  }
  return result;
}

function replaceAt(node: Node | undefined, path: TreePath, depth: number, value: Node): Node {
  const step = path[depth];
  if (step === undefined) return value;
  const inner = (child: Node | undefined): Node => replaceAt(child, path, depth + 1, value);
  if (node === undefined || node.kind === "leaf") {
    return step.kind === "index" ? sequence([inner(undefined)]) : mapping([entry(step.key, inner(undefined))]);
  }
  if (node.kind === "mapping") return setInMapping(node, step, inner, path, depth);
  if (step.kind !== "index") throw mismatch(path, depth, "a list takes an index");
  const position = positionOfIndex(node, step.index);
  if (position < 0) return { ...node, items: [...node.items, inner(undefined)] };
  return { ...node, items: node.items.with(position, inner(node.items[position] as Node)) };
}

function setInMapping(
  node: Mapping,
  step: Component,
  inner: (child: Node | undefined) => Node,
  path: TreePath,
  depth: number,
): Mapping {
  if (step.kind === "index") throw mismatch(path, depth, "a mapping takes a key");
  const found = findKey(node, step);
  if (found === undefined) return { ...node, items: [...node.items, entry(step.key, inner(undefined))] };
  return { ...node, items: node.items.with(node.items.indexOf(found), { ...found, value: inner(found.value) }) };
}

function mismatch(path: TreePath, depth: number, reason: string): SopsError {
  return new SopsError("ERR_PATH", `${formatTreePath(path.slice(0, depth + 1))}: ${reason}`);
}

/**
 * A copy of a tree without the entry or item at a path. Comments above it stay, its inline comment goes with it.
 *
 * @throws {SopsError} ERR_PATH_NOT_FOUND if nothing stands there, ERR_PATH if the path is empty
 */
export function withoutNodeAt(root: Mapping, path: TreePath): Mapping {
  if (path.length === 0) throw new SopsError("ERR_PATH", "the path is empty: a whole document cannot be removed");
  return removeAt(root, path, 0) as Mapping;
}

function removeAt(node: Node, path: TreePath, depth: number): Node {
  const step = path[depth];
  if (step === undefined || node.kind === "leaf") throw missing(path, depth, node);
  const isLast = depth === path.length - 1;
  if (node.kind === "mapping") {
    const found = findKey(node, step);
    if (found === undefined) throw missing(path, depth, node);
    const position = node.items.indexOf(found);
    if (isLast) return { ...node, items: withoutItem(node.items, position) };
    return { ...node, items: node.items.with(position, { ...found, value: removeAt(found.value, path, depth + 1) }) };
  }
  const position = step.kind === "index" ? positionOfIndex(node, step.index) : -1;
  if (position < 0) throw missing(path, depth, node);
  if (isLast) return { ...node, items: withoutItem(node.items, position) };
  return { ...node, items: node.items.with(position, removeAt(node.items[position] as Node, path, depth + 1)) };
}

function withoutItem<T extends Entry | Comment | Node>(items: readonly T[], position: number): T[] {
  const before = items[position - 1];
  const first = before?.kind === "comment" && isOnItsLine(before) ? position - 1 : position;
  return items.toSpliced(first, position - first + 1);
}

/** A decrypted comment has forgotten that it is inline, but not where it stands. */
function isOnItsLine(comment: Comment): boolean {
  return comment.inline || comment.span?.style === "inline";
}

function missing(path: TreePath, depth: number, node: Node): SopsError {
  const step = path[depth];
  const name = formatTreePath(path.slice(0, depth + 1));
  const reason =
    node.kind === "leaf"
      ? "Unsupported type: a single value has nothing below it"
      : step?.kind === "index"
        ? `Index ${String(step.index)} out of bounds`
        : `Key not found: ${step?.key ?? ""}`;
  return new SopsError("ERR_PATH_NOT_FOUND", `${reason} (at ${name})`);
}
