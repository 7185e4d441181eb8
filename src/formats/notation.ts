import { isCommentCell } from "../document/cell.ts";
import { firstDifference } from "../document/compare.ts";
import type { Comment, Entry, Leaf, Mapping, Node, Sequence } from "../document/model.ts";
import { FormatError } from "../errors.ts";
import type { Format, Source } from "./format.ts";

type Item = Entry | Node | Comment;

/** The four texts of an edit; the trees of two and two have the same shape. */
export interface EditedTexts {
  /** The encrypted file as it was, and its plain text as the editor showed it. */
  readonly before: Source;
  readonly shown: Source;
  /** The plain text as the editor left it, and what it was encrypted to. */
  readonly edited: Source;
  readonly sealed: Source;
}

/** How a value stood in the encrypted file, and in the editor. */
interface Notation {
  readonly cell: string;
  readonly encrypted: string;
  readonly shown: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Gives values that were not changed the text they had in the encrypted file. A plain text may need quotes that its cell
 * does not (`a: ENC[…]` is shown as `a: "123"`), and they would stay around the cell after an edit of another value; and
 * equal values under one path may have taken each other's cells.
 *
 * A value was not changed if it stands exactly as it was shown, in its old place or with its old cell.
 *
 * @returns the bytes of `sealed` with such values as they were; undefined where there is nothing to do, or the text
 *   would not read as it should
 */
export function restoreNotation(format: Format, texts: EditedTexts): Uint8Array | undefined {
  const byPlace = new Map<string, Notation>();
  const byCell = new Map<string, Notation>();
  const isKnown = forEachPair(texts.before.documents, texts.shown.documents, (old, shown, place) => {
    if (typeof old.value !== "string" || old.value === "") return;
    const notation = {
      cell: cellOf(old.value),
      encrypted: textOf(texts.before, old),
      shown: textOf(texts.shown, shown),
    };
    byPlace.set(place, notation);
    byCell.set(notation.cell, notation);
  });
  const edits: Edit[] = [];
  const restored = new Map<Leaf, Leaf>();
  const isPaired = forEachPair(texts.edited.documents, texts.sealed.documents, (edited, sealed, place) => {
    const text = textOf(texts.edited, edited);
    if (typeof sealed.value !== "string" || sealed.span === undefined) return;
    const old = [byPlace.get(place), byCell.get(cellOf(sealed.value))].find((notation) => notation?.shown === text);
    const edit = old === undefined ? undefined : editTo(old, textOf(texts.sealed, sealed), sealed.span);
    if (old === undefined || edit === undefined) return;
    edits.push(edit);
    restored.set(sealed, { ...sealed, value: old.cell });
  });
  if (!isKnown || !isPaired || edits.length === 0) return undefined;
  return applied(format, texts.sealed, edits, restored);
}

/**
 * Gives values that stand in an edited text exactly as they were shown the value they had: a text does not tell all there
 * is to a value (`1.0` is shown as `1`, which reads as an integer).
 *
 * @param plain - the trees that were shown
 * @returns the trees of `edited` with such values; they are `edited`'s own if it cannot be told
 */
export function restoreValues(plain: readonly Mapping[], shown: Source, edited: Source): readonly Mapping[] {
  const known = new Map<string, { leaf: Leaf; text: string }>();
  const isKnown = forEachPair(plain, shown.documents, (leaf, other, place) => {
    known.set(place, { leaf, text: textOf(shown, other) });
  });
  if (!isKnown) return edited.documents;
  const restored = new Map<Leaf, Leaf>();
  forEachPair(edited.documents, edited.documents, (leaf, _same, place) => {
    const old = known.get(place);
    if (old === undefined || leaf.span === undefined || old.text !== textOf(edited, leaf)) return;
    const { value, text } = old.leaf;
    restored.set(leaf, { kind: "leaf", value, ...(text === undefined ? {} : { text }), span: leaf.span });
  });
  return edited.documents.map((document) => mapLeaves(document, (leaf) => restored.get(leaf) ?? leaf));
}

function editTo(old: Notation, text: string, { start, end }: { start: number; end: number }): Edit | undefined {
  if (text === old.encrypted) return undefined;
  // A comment on the line of a block scalar's header stays behind the value.
  const comment = old.encrypted.includes("\n") ? "" : (/^[|>]\S*([ \t]+#[^\n]*)/.exec(text)?.[1] ?? "");
  const lineBreak = text.endsWith("\n") && !old.encrypted.endsWith("\n") ? "\n" : "";
  return { start, end, text: old.encrypted + comment + lineBreak };
}

function applied(
  format: Format,
  { format: name, text, documents }: Source,
  edits: readonly Edit[],
  restored: ReadonlyMap<Leaf, Leaf>,
): Uint8Array | undefined {
  let result = "";
  let position = 0;
  for (const { start, end, text: replacement } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < position) return undefined;
    result += text.slice(position, start) + replacement;
    position = end;
  }
  // A text of the line formats has one character for each byte.
  const encoding = name === "dotenv" || name === "ini" ? "latin1" : "utf8";
  const bytes = Buffer.from(result + text.slice(position), encoding);
  const expected = documents.map((document) => mapLeaves(document, (leaf) => asCell(restored.get(leaf) ?? leaf)));
  try {
    const difference = firstDifference(expected, format.read(bytes).documents, { withComments: true });
    return difference === undefined ? bytes : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function mapLeaves(document: Mapping, change: (leaf: Leaf) => Leaf): Mapping {
  return mapItems(document, change) as Mapping;
}

/** One call per level, and no callbacks: two thousand levels fit on the stack (safety.md, Y10). */
function mapItems(node: Node, change: (leaf: Leaf) => Leaf): Node {
  if (node.kind === "leaf") return change(node);
  const items: Item[] = [];
  for (let index = 0; index < node.items.length; index += 1) {
    const item = node.items[index] as Item;
    if (item.kind === "entry") items.push({ ...item, value: mapItems(item.value, change) });
    else items.push(item.kind === "comment" ? item : mapItems(item, change));
  }
  return { ...node, items } as Node;
}

/** What follows a cell's last bracket, such as the line break of a block scalar, is not part of it. */
function asCell(leaf: Leaf): Leaf {
  const { value } = leaf;
  return typeof value === "string" && value.startsWith("ENC[") ? { ...leaf, value: cellOf(value) } : leaf;
}

function cellOf(text: string): string {
  return text.slice(0, text.lastIndexOf("]") + 1);
}

function textOf({ text }: Source, { span }: Leaf): string {
  return span === undefined ? "" : text.slice(span.start, span.end);
}

type PairVisitor = (a: Leaf, b: Leaf, place: string) => void;

/**
 * Visits the leaves of two lists of trees side by side, with a text that says where in the tree they stand; comments do
 * not count. False if the trees are not of one shape.
 */
function forEachPair(a: readonly Item[], b: readonly Item[], visit: PairVisitor, place = ""): boolean {
  const left = a.filter(isNoComment);
  const right = b.filter(isNoComment);
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index += 1) {
    const [item, other] = [left[index], right[index]];
    const key = item?.kind === "entry" ? item.key : undefined;
    if (key !== (other?.kind === "entry" ? other.key : undefined)) return false;
    const [first, second] = [valueOf(item), valueOf(other)];
    const inner = `${place}/${String(index)}${key === undefined ? "" : ` ${JSON.stringify(key)}`}`;
    if (first?.kind === "leaf" && second?.kind === "leaf") visitPair(first, second, visit, inner);
    else if (!isContainer(first) || !isContainer(second) || first.kind !== second.kind) return false;
    else if (!forEachPair(first.items, second.items, visit, inner)) return false;
  }
  return true;
}

function valueOf(item: Item | undefined): Node | Comment | undefined {
  return item?.kind === "entry" ? item.value : item;
}

/** The reference stores comments in lists as items (file-format.md 7.2.3). */
function isNoComment(item: Item): boolean {
  if (item.kind === "comment") return false;
  return !(item.kind === "leaf" && typeof item.value === "string" && isCommentCell(item.value));
}

function visitPair(a: Leaf, b: Leaf, visit: PairVisitor, place: string): void {
  if (a.span?.style !== "alias" && b.span?.style !== "alias") visit(a, b, place);
}

function isContainer(item: Item | undefined): item is Mapping | Sequence {
  return item?.kind === "mapping" || item?.kind === "sequence";
}
