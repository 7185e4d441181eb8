/**
 * The tree of a document: ordered, with duplicates, comments and the place of every node in its text.
 *
 * Every SOPS type has its own JavaScript type, so that 1 and 1.0 stay apart.
 */

/** A point in time as its cell and MAC text: `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH:MM)` (file-format.md 1.3). */
export class Timestamp {
  /** Tells it apart from other classes with a text. */
  readonly type = "time" as const;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * An integer above 9223372036854775807 and up to 18446744073709551615, which YAML alone can hold. A plain tree may have
 * one; it has no SOPS type, so it cannot be encrypted (file-format.md 1.2).
 */
export class UnsignedInteger {
  readonly type = "uint" as const;
  /** Its decimal digits. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** str, int, float, bool, time; a str whose bytes are not UTF-8 is a Uint8Array. */
export type Scalar = string | bigint | number | boolean | Timestamp | Uint8Array;

/**
 * How a node is written. `plain`, `single`, `double`, `literal` and `folded` are scalars (a format without quotes
 * uses `plain`), `block` and `flow` are collections, `alias` is a YAML alias that was expanded in place, `line` and
 * `inline` are comments; `item` is a comment that the reference stored as a list item, `trailing` one that it reads past (INI).
 */
export type Style =
  | "plain"
  | "single"
  | "double"
  | "literal"
  | "folded"
  | "block"
  | "flow"
  | "alias"
  | "line"
  | "inline"
  | "item"
  | "trailing"
  | "entry";

/**
 * Where a node stands in its source: offsets into the text its format works on, end exclusive.
 *
 * A node that was changed keeps its span object, which is how a writer finds the place to put the new text; a node
 * without one is new. `indent` is the column of a collection's items or of an entry's key, 0-based.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly style: Style;
  readonly indent: number;
}

/** A value that has no nodes below it. `null` is never encrypted and never hashed. */
export interface Leaf {
  readonly kind: "leaf";
  readonly value: Scalar | UnsignedInteger | null;
  /** The digits of a float as they were written (`1.10`), where they differ from the canonical ones. */
  readonly text?: string;
  readonly span?: Span;
}

/** A comment; `text` is what follows the comment character. Its path is that of the container it is stored in. */
export interface Comment {
  readonly kind: "comment";
  readonly text: string;
  /** Whether it stands on the line of a value; it is stored before that value's entry all the same. */
  readonly inline: boolean;
  readonly span?: Span;
}

/** One key with its value. */
export interface Entry {
  readonly kind: "entry";
  readonly key: string;
  readonly value: Node;
  /** Whether the key was something else than a string in YAML (`1: x`); such a key cannot be encrypted under. */
  readonly nonString?: true;
  readonly span?: Span;
}

/** An ordered list of entries and comments; keys may repeat. */
export interface Mapping {
  readonly kind: "mapping";
  readonly items: readonly (Entry | Comment)[];
  readonly span?: Span;
}

/** An ordered list of nodes and comments. */
export interface Sequence {
  readonly kind: "sequence";
  readonly items: readonly (Node | Comment)[];
  readonly span?: Span;
}

/** Any value in a tree. */
export type Node = Leaf | Mapping | Sequence;

/** Makes a leaf that stands in no text. */
export function leaf(value: Scalar | UnsignedInteger | null): Leaf {
  return { kind: "leaf", value };
}

/** Makes an entry that stands in no text. */
export function entry(key: string, value: Node): Entry {
  return { kind: "entry", key, value };
}

/** Makes a mapping that stands in no text. */
export function mapping(items: readonly (Entry | Comment)[]): Mapping {
  return { kind: "mapping", items };
}

/** Makes a sequence that stands in no text. */
export function sequence(items: readonly (Node | Comment)[]): Sequence {
  return { kind: "sequence", items };
}

/** Makes a comment that stands in no text. */
export function comment(text: string, inline = false): Comment {
  return { kind: "comment", text, inline };
}

/** The first entry with this key, or undefined. */
export function findEntry(map: Mapping, key: string): Entry | undefined {
  for (const item of map.items) if (item.kind === "entry" && item.key === key) return item;
  return undefined;
}
