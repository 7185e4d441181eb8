import { encodeUtf8 } from "../../bytes/utf8.ts";
import type { Comment, Entry, Leaf, Mapping, Node, Sequence } from "../../document/model.ts";
import { entry, leaf, mapping } from "../../document/model.ts";
import { EmitError } from "../../errors.ts";
import type { EmitStyle } from "../format.ts";
import { resolvePlain } from "./resolve.ts";
import { doubleQuoted, scalarText, stringText, type ScalarPlace } from "./scalars.ts";

/** Text that grows line by line, with what the reference remembers between lines. */
interface Printer {
  text: string;
  /** Blanks per level. */
  readonly step: number;
  /** Whether the cursor stands behind `- ` or `: `, at the column where the next thing goes. */
  isOpen: boolean;
  /** Inline comment of a collection: the reference prints it behind the next value that has none of its own. */
  carried: Comment | undefined;
  /** A string that is written in double quotes, whatever the reference would choose. */
  readonly quoted: Leaf | undefined;
}

/** A collection whose place was opened, to be printed there. */
interface Nested {
  readonly node: Mapping | Sequence;
  readonly column: number;
}

const DEFAULT_STEP = 4;

/** Keys longer than this, in bytes, are written as `? key`. */
const LONGEST_SIMPLE_KEY = 128;

/**
 * The canonical text of documents: byte for byte that of the reference (file-format.md 7.2.4 to 7.2.6), except where
 * its text cannot be read back (`scalarText`; `<<` as the key of something that cannot be merged) and for comments
 * in lists, which are comment lines.
 *
 * @throws {EmitError} if the indentation is negative
 */
export function emitYaml(documents: readonly Mapping[], style: EmitStyle): Uint8Array {
  const step = stepOf(style);
  return encodeUtf8(documents.map((document) => documentText(document, step)).join("---\n"));
}

/**
 * The canonical text of one extracted node. A comment, which can be extracted from a list by its position, is
 * written as the reference does: as a mapping of its two properties.
 *
 * @throws {EmitError} if the indentation is negative
 */
export function emitYamlValue(node: Node | Comment, style: EmitStyle): Uint8Array {
  const printer = startPrinter(stepOf(style));
  if (node.kind === "comment") {
    printCollection(printer, mapping([entry("value", leaf(node.text)), entry("inline", leaf(node.inline))]), 0);
  } else if (node.kind === "leaf") {
    printer.text = `${scalarText(node.value, { column: 0, content: printer.step })}\n`;
  } else if (hasValues(node)) {
    printCollection(printer, node, 0);
  } else {
    printComments(printer, commentsOf(node), 0);
    printer.text += `${emptyText(node)}\n`;
  }
  return encodeUtf8(printer.text);
}

/**
 * The lines of an entry or item as the reference lays it out in a container at `column`: the first line without
 * indentation, no line break at the end.
 *
 * @param quoted - a leaf in it that must be in double quotes
 */
export function itemText(item: Entry | Node | Comment, column: number, step: number, quoted?: Leaf): string {
  const printer = startPrinter(step, quoted);
  printer.isOpen = true;
  if (item.kind === "comment") printComments(printer, [item], column);
  else printValue(printer, item, column, undefined);
  return printer.text.slice(0, -1);
}

/** The lines of a collection with items, laid out at `column`; see `itemText`. */
export function collectionText(node: Mapping | Sequence, column: number, step: number, quoted?: Leaf): string {
  const printer = startPrinter(step, quoted);
  printer.isOpen = true;
  printCollection(printer, node, column);
  return printer.text.slice(0, -1);
}

/** Whether a collection has items that are not comments, without which it is written `{}` or `[]`. */
export function hasValues(node: Mapping | Sequence): boolean {
  const items: readonly { readonly kind: string }[] = node.items;
  return items.some((item) => item.kind !== "comment");
}

/** The first column beyond `column` that is a multiple of the step: where nested lines go. */
export function nextLevel(column: number, step: number): number {
  return step * Math.floor((column + step) / step);
}

/** A node in one line, as JSON but for what only YAML can say; comments are lost. */
export function flowText(node: Node): string {
  if (node.kind === "mapping") {
    const entries = node.items.filter((item) => item.kind === "entry");
    return `{${entries.map((item) => `${flowKeyText(item)}: ${flowText(item.value)}`).join(", ")}}`;
  }
  if (node.kind === "sequence") {
    const items = node.items.filter((item) => item.kind !== "comment");
    return `[${items.map(flowText).join(", ")}]`;
  }
  if (typeof node.value === "string") return doubleQuoted(node.value);
  const text = scalarText(node.value, { column: 0, content: 0 });
  // A long `!!binary` is a literal block, which flow collections cannot hold.
  return text.startsWith("!!binary |") ? `!!binary "${text.slice(text.indexOf("\n")).replaceAll("\n", "")}"` : text;
}

/** An item of a flow collection in one line; see `flowText`. */
export function flowItemText(item: Entry | Node): string {
  return item.kind === "entry" ? `${flowKeyText(item)}: ${flowText(item.value)}` : flowText(item);
}

function flowKeyText(item: Entry): string {
  return item.nonString === true ? nonStringKeyText(item.key) : doubleQuoted(item.key);
}

function stepOf({ indent }: EmitStyle): number {
  if (indent === undefined || indent === 0) return DEFAULT_STEP;
  if (indent < 0) throw new EmitError("YAML Negative indentation not accepted");
  return indent === 1 || indent > 9 ? 2 : indent;
}

function startPrinter(step: number, quoted?: Leaf): Printer {
  return { text: "", step, isOpen: false, carried: undefined, quoted };
}

function leafText(printer: Printer, node: Leaf, place: ScalarPlace): string {
  const { value } = node;
  return node === printer.quoted && typeof value === "string" ? doubleQuoted(value) : scalarText(value, place);
}

function documentText(document: Mapping, step: number): string {
  const printer = startPrinter(step);
  if (hasValues(document)) {
    printCollection(printer, document, 0);
  } else {
    printComments(printer, commentsOf(document), 0);
    printer.text += "{}\n";
  }
  return printer.text;
}

function printCollection(printer: Printer, { items }: Mapping | Sequence, column: number): void {
  let inline: Comment | undefined;
  for (const item of items) {
    if (item.kind === "comment") {
      inline = printOrKeep(printer, item, column, inline);
    } else {
      printValue(printer, item, column, inline);
      inline = undefined;
    }
  }
  if (inline !== undefined) printComments(printer, [inline], column);
}

/** Two calls per level: two thousand of them fit on the stack (safety.md, Y10). */
function printValue(printer: Printer, item: Entry | Node, column: number, inline: Comment | undefined): void {
  const nested =
    item.kind === "entry" ? openEntry(printer, item, column, inline) : openItem(printer, item, column, inline);
  if (nested === undefined) return;
  printCollection(printer, nested.node, nested.column);
  printer.carried = inline ?? printer.carried;
}

/** Prints a comment, or keeps it for the line of the value that follows; a value has room for one. */
function printOrKeep(
  printer: Printer,
  item: Comment,
  column: number,
  inline: Comment | undefined,
): Comment | undefined {
  if (!item.inline) {
    printComments(printer, [item], column);
    return inline;
  }
  if (inline !== undefined) printComments(printer, [inline], column);
  return item;
}

/** Prints an entry, but for a collection below it. */
function openEntry(printer: Printer, item: Entry, column: number, inline: Comment | undefined): Nested | undefined {
  startLine(printer, column);
  const { value } = item;
  const content = nextLevel(column, printer.step);
  const key = keyText(item, column, content);
  const isExplicit = isExplicitKey(key, item.key);
  printer.text += isExplicit ? `? ${key}\n${" ".repeat(column)}:` : `${key}:`;
  if (value.kind === "leaf") {
    printer.text += " ";
    printScalar(printer, leafText(printer, value, { column, content }), inline, content);
    return undefined;
  }
  if (!hasValues(value)) {
    printEmpty(printer, value, column, inline);
    return undefined;
  }
  openBlock(printer, isExplicit, column, content);
  return { node: value, column: content };
}

/** Goes to where a nested block starts: the next line, or behind the colon of an explicit key. */
function openBlock(printer: Printer, isExplicit: boolean, column: number, content: number): void {
  const colonEnd = column + 1;
  if (printer.carried !== undefined) {
    printer.text += ` #${commentText(printer.carried.text, content)}\n`;
    printer.carried = undefined;
  } else if (isExplicit && colonEnd < content) {
    printer.text += " ".repeat(content - colonEnd);
    printer.isOpen = true;
  } else {
    printer.text += "\n";
  }
}

/** Prints an item, but for a collection in it. */
function openItem(printer: Printer, item: Node, column: number, inline: Comment | undefined): Nested | undefined {
  const content = column + 2;
  if (item.kind === "leaf") {
    startLine(printer, column);
    printer.text += "- ";
    printScalar(printer, leafText(printer, item, { column, content }), inline, content);
    return undefined;
  }
  const isEmpty = !hasValues(item);
  // The comments a collection starts with stand above its dash.
  const leading = isEmpty ? commentsOf(item) : leadingComments(item);
  printComments(printer, leading, column);
  startLine(printer, column);
  printer.text += "- ";
  if (isEmpty) {
    printScalar(printer, emptyText(item), inline, content);
    return undefined;
  }
  if (printer.carried === undefined) printer.isOpen = true;
  else printer.text += `#${commentText(printer.carried.text, content)}\n`;
  printer.carried = undefined;
  return { node: withoutLeading(item, leading.length), column: content };
}

function printScalar(printer: Printer, text: string, inline: Comment | undefined, content: number): void {
  const comment = inline ?? printer.carried;
  if (comment === undefined) {
    printer.text += `${text}\n`;
    return;
  }
  if (inline === undefined) printer.carried = undefined;
  const header = text.indexOf("\n");
  const end = header < 0 ? text.length : header;
  printer.text += `${text.slice(0, end)} #${commentText(comment.text, content)}${text.slice(end)}\n`;
}

/** Prints an empty collection behind its key; its comments go where the reference puts them. */
function printEmpty(printer: Printer, value: Mapping | Sequence, column: number, inline: Comment | undefined): void {
  const comments = commentsOf(value);
  printer.text += " ";
  if (comments.length === 0 || value.kind === "sequence") {
    printScalar(printer, emptyText(value), inline, column);
    printComments(printer, comments, column);
    return;
  }
  printer.text += "{\n";
  printComments(printer, comments, nextLevel(column, printer.step));
  printScalar(printer, "}", inline, column);
}

function printComments(printer: Printer, comments: readonly Comment[], column: number): void {
  for (const { text } of comments) {
    startLine(printer, column);
    // A comment of a file with CRLF ends in the line break already, as far as YAML is concerned.
    printer.text += `#${commentText(text, column)}${text.endsWith("\r") ? "" : "\n"}`;
  }
}

function startLine(printer: Printer, column: number): void {
  if (printer.isOpen) printer.isOpen = false;
  else if (column > 0) printer.text += " ".repeat(column);
}

/** The text of a comment behind its `#`; a line break in it (from a cell) starts a comment line of its own. */
export function commentText(text: string, column: number): string {
  return text.replace(/[\n\r\x85\u2028\u2029]+(?!$)(#?)/g, (breaks, hash: string) => {
    const lineBreaks = hash === "" ? breaks : breaks.slice(0, -1);
    return `${lineBreaks}${" ".repeat(column)}${hash === "" ? "# " : hash}`;
  });
}

function keyText(item: Entry, column: number, content: number): string {
  if (item.nonString === true) return nonStringKeyText(item.key);
  // A merge key whose value cannot be merged makes the file unreadable for the reference.
  if (item.key === "<<" && !isMergeable(item.value)) return '"<<"';
  return stringText(item.key, { column, content });
}

function nonStringKeyText(key: string): string {
  const value = resolvePlain(key);
  return typeof value === "string" ? key : scalarText(value, { column: 0, content: 0 });
}

function isMergeable(node: Node): boolean {
  if (node.kind !== "sequence") return node.kind === "mapping";
  return node.items.every((item) => item.kind === "mapping" || item.kind === "comment");
}

function isExplicitKey(text: string, key: string): boolean {
  if (text.length * 3 <= LONGEST_SIMPLE_KEY && !text.includes("\n") && !text.startsWith('"')) return false;
  return Buffer.byteLength(key) > LONGEST_SIMPLE_KEY || /[\n\r\x85\u2028\u2029]/.test(key);
}

function emptyText(node: Mapping | Sequence): string {
  return node.kind === "mapping" ? "{}" : "[]";
}

function commentsOf(node: Mapping | Sequence): Comment[] {
  const items: readonly (Entry | Node | Comment)[] = node.items;
  return items.filter((item) => item.kind === "comment");
}

function leadingComments(node: Mapping | Sequence): Comment[] {
  const leading: Comment[] = [];
  for (const item of node.items) {
    if (item.kind !== "comment" || item.inline) break;
    leading.push(item);
  }
  return leading;
}

function withoutLeading(node: Mapping | Sequence, count: number): Mapping | Sequence {
  if (count === 0) return node;
  return node.kind === "mapping"
    ? { kind: "mapping", items: node.items.slice(count) }
    : { kind: "sequence", items: node.items.slice(count) };
}
