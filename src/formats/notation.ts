import type { Comment, Entry, Leaf, Mapping, Node } from "../document/model.ts";
import { firstDifference } from "../document/compare.ts";
import { FormatError } from "../errors.ts";
import type { Format, Source } from "./format.ts";

type Item = Entry | Node | Comment;

/** The four texts of an edit; trees that belong together have the same shape. */
export interface EditedTexts {
  /** The encrypted file as it was, and its plain text as the editor showed it. */
  readonly before: Source;
  readonly shown: Source;
  /** The plain text as the editor left it, and what it was encrypted to. */
  readonly edited: Source;
  readonly sealed: Source;
}

/**
 * Gives values that were not changed the notation they had in the encrypted file. A plain text may need quotes that its
 * cell does not (`a: ENC[…]` is shown as `a: "123"`), and they would stay around the cell after an edit of another value.
 *
 * A value gets its old text back if it has its old cell and stands in the editor's text exactly as it was shown there.
 *
 * @returns the text of `sealed` with such values in their old notation, as bytes; undefined where there is nothing to
 *   change, or the changed text would read otherwise
 */
export function restoreNotation(format: Format, texts: EditedTexts): Uint8Array | undefined {
  const known = new Map<string, { notation: string; shown: string }>();
  const isKnown = forEachPair(texts.before.documents, texts.shown.documents, (old, shown) => {
    if (typeof old.value !== "string" || old.value === "") return;
    known.set(cellOf(old.value), { notation: textOf(texts.before, old), shown: textOf(texts.shown, shown) });
  });
  const edits: { start: number; end: number; text: string }[] = [];
  const isPaired = forEachPair(texts.edited.documents, texts.sealed.documents, (edited, sealed) => {
    const old = typeof sealed.value === "string" ? known.get(cellOf(sealed.value)) : undefined;
    const { span } = sealed;
    if (old === undefined || span === undefined || old.shown !== textOf(texts.edited, edited)) return;
    const text = textOf(texts.sealed, sealed);
    if (text === old.notation || /^[|>][^\n]*#/.test(text)) return; // a comment on the header's line would go
    const lineBreak = text.endsWith("\n") && !old.notation.endsWith("\n") ? "\n" : "";
    edits.push({ start: span.start, end: span.end, text: old.notation + lineBreak });
  });
  if (!isKnown || !isPaired || edits.length === 0) return undefined;
  return applied(format, texts.sealed, edits);
}

function applied(
  format: Format,
  source: Source,
  edits: readonly { start: number; end: number; text: string }[],
): Uint8Array | undefined {
  let text = "";
  let position = 0;
  for (const { start, end, text: replacement } of [...edits].sort((a, b) => a.start - b.start)) {
    if (start < position) return undefined;
    text += source.text.slice(position, start) + replacement;
    position = end;
  }
  // A text of the line formats has one character for each byte.
  const encoding = source.format === "dotenv" || source.format === "ini" ? "latin1" : "utf8";
  const bytes = Buffer.from(text + source.text.slice(position), encoding);
  try {
    const difference = firstDifference(source.documents, format.read(bytes).documents, { withComments: true });
    return difference === undefined ? bytes : undefined;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** What follows a cell's last bracket is not part of it. */
function cellOf(text: string): string {
  return text.slice(0, text.lastIndexOf("]") + 1);
}

function textOf({ text }: Source, { span }: Leaf): string {
  return span === undefined ? "" : text.slice(span.start, span.end);
}

/** Visits the leaves of two lists of trees side by side; false if they are not of one shape. */
function forEachPair(a: readonly Item[], b: readonly Item[], visit: (a: Leaf, b: Leaf) => void): boolean {
  if (a.length !== b.length) return false;
  return a.every((item, index) => {
    const other = b[index];
    return other !== undefined && visitPair(item, other, visit);
  });
}

function visitPair(a: Item, b: Item, visit: (a: Leaf, b: Leaf) => void): boolean {
  if (a.kind === "entry" && b.kind === "entry") return a.key === b.key && visitPair(a.value, b.value, visit);
  if (a.kind === "leaf" && b.kind === "leaf") {
    if (a.span?.style !== "alias" && b.span?.style !== "alias") visit(a, b);
    return true;
  }
  if (isContainer(a) && isContainer(b)) return a.kind === b.kind && forEachPair(a.items, b.items, visit);
  return a.kind === b.kind;
}

function isContainer(item: Item): item is Mapping | Extract<Node, { kind: "sequence" }> {
  return item.kind === "mapping" || item.kind === "sequence";
}
