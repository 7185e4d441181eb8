import type { Comment, Entry, Leaf, Mapping, Node, Sequence, Span, Style } from "../../document/model.ts";
import { FormatError } from "../../errors.ts";
import { positionAt } from "../text.ts";
import { groupComments, type PendingComment } from "./comments.ts";
import { floatDigits, type YamlValue } from "./resolve.ts";

/** Deepest nesting of collections that is read; a deeper text is refused. */
export const MAX_DEPTH = 2000;

/** A key of a mapping, as it is written. */
export interface Key {
  readonly text: string;
  readonly isString: boolean;
  /** Whether it is the unquoted `<<`, whose value must be a mapping or a list of mappings. */
  readonly isMerge: boolean;
  /** Offset and column where its entry starts. */
  readonly start: number;
  readonly column: number;
}

/** A scalar value, and where it stands: its quotes, or the header of its block, included. */
export interface ScalarText {
  readonly value: YamlValue;
  /** The text it was resolved from. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly style: Style;
  /** Column of the lines of a block scalar; others take that of their container. */
  readonly indent?: number | undefined;
}

/** What a reader may know of an open collection. */
export interface OpenCollection {
  readonly kind: "mapping" | "sequence";
  readonly style: "block" | "flow";
  /** Column of its items; of a flow collection, that of the innermost block around it. */
  readonly column: number;
  /** Whether it is a list whose dashes stand at the column of the key that holds it. */
  readonly isIndentless: boolean;
  /** Whether a key or a dash was read whose value has not come yet. */
  readonly isOpen: boolean;
}

interface Frame extends OpenCollection {
  readonly items: (Entry | Node | Comment)[];
  /** The keys seen, once there are too many to look through the items. */
  keys: Set<string> | undefined;
  start: number;
  end: number;
  isOpen: boolean;
  key: Key;
  /** The offset behind the colon or the dash, where an empty value stands. */
  valueStart: number;
  /** Takes the node once it is whole. */
  readonly anchor: { node: Node | undefined } | undefined;
}

const NO_KEY: Key = { text: "", isString: true, isMerge: false, start: 0, column: 0 };
/** Up to here, comparing with each key costs less than a set: a tenth of reading mappings of ten entries. */
const FEW_KEYS = 16;

/**
 * Makes the trees of a YAML text from what a reader finds, in the order of the text. Both readers feed it, so that
 * comments are placed, duplicate keys refused and spans drawn in one way only.
 *
 * All offsets are into the text; all methods throw a FormatError where the tree cannot be.
 */
export class TreeBuilder {
  readonly #text: string;
  readonly #documents: Mapping[] = [];
  readonly #frames: Frame[] = [];
  #top: Frame | undefined;
  #root: Mapping | undefined;
  #isDocumentOpen = false;
  #pending: PendingComment[] = [];
  /** End of the last line of the document that is no entry: its `---`, or a comment. */
  #lastLineEnd = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The innermost open collection. */
  get top(): OpenCollection | undefined {
    return this.#top;
  }

  get isDocumentOpen(): boolean {
    return this.#isDocumentOpen;
  }

  /** Whether the open document has its one value, or a part of it. */
  get hasRoot(): boolean {
    return this.#root !== undefined || this.#top !== undefined;
  }

  /** Starts a document at an offset, behind its `---` if it has one. Comments that wait belong to it. */
  startDocument(start: number): void {
    this.#isDocumentOpen = true;
    this.#root = undefined;
    this.#lastLineEnd = start;
  }

  /** Ends the open document, if one is open. Comments that wait belong to it. */
  endDocument(blankBefore: boolean): void {
    if (!this.#isDocumentOpen) return;
    this.settle(-1, blankBefore);
    const place = startOfNextLine(this.#text, this.#lastLineEnd);
    const emptySpan: Span = { start: place, end: place, style: "block", indent: 0 };
    const root = this.#root ?? { kind: "mapping", items: [], span: emptySpan };
    this.#documents.push({ ...root, items: [...root.items, ...this.#takePending()] });
    this.#isDocumentOpen = false;
  }

  /** The documents; comments behind the end of the last one are its own. */
  finish(): readonly Mapping[] {
    const last = this.#documents.pop();
    if (last !== undefined) this.#documents.push({ ...last, items: [...last.items, ...this.#takePending()] });
    return this.#documents;
  }

  /** A comment that waits for what follows it: one on its own line, or behind something that is no value. */
  comment(start: number, end: number, column: number, afterBlank: boolean): void {
    this.#pending.push({ start, end, column, afterBlank });
    this.#lastLineEnd = end;
  }

  /** A comment on the line of `key:`, whose value stands on later lines; it is stored before the entry. */
  commentOfKey(start: number, end: number, column: number): void {
    if (this.#top !== undefined) this.#pushComment(this.#top, { start, end, column }, "line");
  }

  /** A comment on the line on which the last value ends. */
  commentOfValue(start: number, end: number, column: number): void {
    const items: (Entry | Node | Comment)[] | undefined = this.#top?.items;
    const last = items === undefined ? this.#root : items.at(-1);
    const value = last?.kind === "entry" ? last.value : last;
    if (value?.span?.style === "flow" && value.kind !== "leaf" && value.kind !== "comment") {
      const inner = value.items as (Entry | Node | Comment)[];
      inner.unshift(this.#makeComment({ start, end, column }, "line"));
    } else if (items === undefined || this.#top === undefined) {
      this.comment(start, end, column, false);
    } else {
      items.splice(-1, 0, this.#makeComment({ start, end, column }, "inline"));
      this.#top.end = Math.max(this.#top.end, end);
    }
  }

  /**
   * Closes the blocks that content at a column ends, and gives the comments above it their places.
   *
   * @param blankBefore - whether a blank line stands directly above the content
   */
  settle(column: number, blankBefore: boolean): void {
    if (this.#pending.length > 0) this.#placeComments(column, blankBefore);
    while (this.#top !== undefined && this.#top.column > column) {
      if (this.#frames.length === 1) this.#flush(this.#top);
      this.close();
    }
  }

  /** Opens a collection as the value that is due. */
  open(
    kind: "mapping" | "sequence",
    style: "block" | "flow",
    column: number,
    start: number,
    anchor?: { node: Node | undefined },
  ): void {
    if (this.#frames.length >= MAX_DEPTH) {
      throw this.#error(`collections are nested more than ${String(MAX_DEPTH)} levels deep`, start);
    }
    if (this.#top === undefined && kind === "sequence") throw this.#error(ROOT_MESSAGE, start);
    const isIndentless = style === "block" && this.#top?.kind === "mapping" && this.#top.column === column;
    this.#top = {
      ...{ kind, style, column, isIndentless, items: [], keys: undefined, start, end: start },
      ...{ isOpen: false, key: NO_KEY, valueStart: start, anchor },
    };
    this.#frames.push(this.#top);
  }

  /** Begins an entry of the innermost mapping. */
  key(key: Key, valueStart: number): void {
    const frame = this.#begin(valueStart);
    if (frame === undefined) return;
    this.#refuseDuplicate(frame, key);
    frame.key = key;
  }

  /** Begins an item of the innermost sequence. */
  item(valueStart: number): void {
    this.#begin(valueStart);
  }

  /** The colon of an entry that was begun without one, as explicit keys are. */
  setValueStart(valueStart: number): void {
    if (this.#top !== undefined) this.#top.valueStart = valueStart;
  }

  /** Ends an item of a flow collection at its comma; one without a value is null. */
  endItem(): void {
    if (this.#top?.isOpen === true) this.#fill(this.#top);
  }

  /** A scalar as the value that is due. */
  leaf(scalar: ScalarText): Leaf {
    const { value, text, start, end, style } = scalar;
    const span = { start, end, style, indent: scalar.indent ?? this.#top?.column ?? 0 };
    const digits = typeof value === "number" ? floatDigits(text, value) : undefined;
    const leaf: Leaf =
      digits === undefined ? { kind: "leaf", value, span } : { kind: "leaf", value, text: digits, span };
    if (this.#top !== undefined) this.#flush(this.#top);
    this.#add(leaf, start, end);
    return leaf;
  }

  /** An alias as the value that is due: a copy without places of the node it stands for. */
  alias(node: Node, start: number, end: number): void {
    if (this.#top !== undefined) this.#flush(this.#top);
    this.#add({ ...node, span: { start, end, style: "alias", indent: this.#top?.column ?? 0 } }, start, end);
  }

  /** Closes the innermost collection; `end` is the end of a flow collection. */
  close(end?: number): Mapping | Sequence {
    const frame = this.#frames.pop();
    if (frame === undefined) throw new FormatError("a collection ends that did not start");
    if (frame.isOpen) this.#fill(frame);
    if (frame.style === "flow") this.#flush(frame);
    this.#top = this.#frames.at(-1);
    if (end !== undefined) frame.end = end;
    const span = { start: frame.start, end: frame.end, style: frame.style, indent: frame.column };
    // A sequence holds no entries and a mapping only entries and comments: keys begin in mappings alone.
    const node = { kind: frame.kind, items: frame.items, span } as Mapping | Sequence;
    if (frame.anchor !== undefined) frame.anchor.node = node;
    this.#add(node, frame.start, frame.end);
    return node;
  }

  #begin(valueStart: number): Frame | undefined {
    const frame = this.#top;
    if (frame === undefined) return undefined;
    if (frame.isOpen) this.#fill(frame);
    this.#flush(frame);
    frame.isOpen = true;
    frame.valueStart = valueStart;
    frame.end = Math.max(frame.end, valueStart);
    return frame;
  }

  /** An item without a value is null; it stands behind its colon or dash. */
  #fill(frame: Frame): void {
    const span: Span = { start: frame.valueStart, end: frame.valueStart, style: "plain", indent: frame.column };
    this.#addTo(frame, { kind: "leaf", value: null, span }, frame.valueStart);
  }

  #add(node: Node, start: number, end: number): void {
    if (this.#top !== undefined) this.#addTo(this.#top, node, end);
    else this.#root = this.#rootOf(node, start, end);
  }

  #addTo(frame: Frame, node: Node, end: number): void {
    frame.isOpen = false;
    frame.end = Math.max(frame.end, end);
    if (frame.kind === "sequence") {
      frame.items.push(node);
      return;
    }
    const { text, isString, isMerge, start, column } = frame.key;
    if (isMerge && !isMergeable(node)) throw this.#error("a merge key needs a mapping or a list of mappings", start);
    const span: Span = { start, end, style: "entry", indent: column };
    frame.items.push(
      isString
        ? { kind: "entry", key: text, value: node, span }
        : { kind: "entry", key: text, value: node, nonString: true, span },
    );
  }

  /** The root is a mapping; null stands for an empty one. */
  #rootOf(node: Node, start: number, end: number): Mapping {
    if (node.kind === "mapping") return node;
    if (node.kind !== "leaf" || node.value !== null) throw this.#error(ROOT_MESSAGE, start);
    const style = start === end ? "block" : "plain";
    return { kind: "mapping", items: this.#takePending(), span: { start, end, style, indent: 0 } };
  }

  #refuseDuplicate(frame: Frame, key: Key): void {
    const { items } = frame;
    if (frame.keys === undefined && items.length >= FEW_KEYS) {
      frame.keys = new Set(items.flatMap((item) => (item.kind === "entry" ? [item.key] : [])));
    }
    if (frame.keys?.has(key.text) ?? hasKey(items, key.text))
      throw this.#error("a key that this mapping already has", key.start);
    frame.keys?.add(key.text);
  }

  #placeComments(column: number, blankBefore: boolean): void {
    const top = this.#top;
    if (top === undefined || (top.isOpen && column > top.column)) return;
    const groups = groupComments(this.#takePendingLines(), {
      innermost: top.column,
      nextColumn: column,
      blankBefore,
      afterKey: top.isOpen && top.kind === "mapping",
    });
    for (const { place, column: groupColumn, comments } of groups) {
      const target = place === "innermost" ? top : this.#closingBlock(place, groupColumn, column);
      if (target === undefined) {
        this.#pending.push(...comments);
        continue;
      }
      while (this.#top !== target) this.close();
      if (target.isOpen) this.#fill(target);
      for (const comment of comments) this.#pushComment(target, comment, "line");
    }
  }

  /** The block with this column, if it is one of those that content at `nextColumn` ends. */
  #closingBlock(place: string, column: number, nextColumn: number): Frame | undefined {
    if (place !== "column" || column <= nextColumn) return undefined;
    return this.#frames.findLast((frame) => frame.column === column && !frame.isIndentless);
  }

  #flush(frame: Frame): void {
    if (this.#pending.length === 0) return;
    for (const comment of this.#takePendingLines()) this.#pushComment(frame, comment, "line");
  }

  #takePending(): Comment[] {
    return this.#takePendingLines().map((comment) => this.#makeComment(comment, "line"));
  }

  #takePendingLines(): readonly PendingComment[] {
    const comments = this.#pending;
    this.#pending = [];
    return comments;
  }

  #pushComment(frame: Frame, place: CommentPlace, style: "line" | "inline"): void {
    if (frame.style === "block") {
      if (frame.items.length === 0) frame.start = Math.min(frame.start, place.start);
      frame.end = Math.max(frame.end, place.end);
    }
    frame.items.push(this.#makeComment(place, style));
  }

  #makeComment({ start, end, column }: CommentPlace, style: "line" | "inline"): Comment {
    const text = this.#text.slice(start + 1, end);
    return { kind: "comment", text, inline: style === "inline", span: { start, end, style, indent: column } };
  }

  #error(message: string, offset: number): FormatError {
    return new FormatError(message, positionAt(this.#text, offset));
  }
}

type CommentPlace = Pick<PendingComment, "start" | "end" | "column">;

const ROOT_MESSAGE = "the top level must be a mapping";

function hasKey(items: readonly (Entry | Node | Comment)[], key: string): boolean {
  for (const item of items) if (item.kind === "entry" && item.key === key) return true;
  return false;
}

function isMergeable(node: Node): boolean {
  if (node.kind !== "sequence") return node.kind === "mapping";
  return node.items.every((item) => item.kind === "mapping" || item.kind === "comment");
}

function startOfNextLine(text: string, offset: number): number {
  const match = /\r\n|[\n\r\x85\u2028\u2029]/g;
  match.lastIndex = offset;
  match.exec(text);
  return match.lastIndex === 0 ? text.length : match.lastIndex;
}
