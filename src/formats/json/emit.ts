import { decodeUtf8 } from "../../bytes/utf8.ts";
import { EmitError } from "../../errors.ts";
import type { Comment, Leaf, Mapping, Node, Sequence } from "../../document/model.ts";
import { Timestamp, UnsignedInteger } from "../../document/model.ts";
import { floatText, jsonFloatText } from "../../go/float.ts";
import type { EmitStyle } from "../format.ts";
import { LONG_PIECE, validRuns } from "../text.ts";

/** How JSON is laid out. */
export interface JsonLayout {
  /** What starts a line; empty puts a whole container on one line. */
  readonly newline: string;
  /** Indentation per level. */
  readonly unit: string;
  /** Colon with the blanks around it. */
  readonly colon: string;
  /** Comma, with the blank after it in a container on one line. */
  readonly comma: string;
  readonly quote: (text: string) => string;
  /** Whether floats keep the digits they were written with. */
  readonly keepsDigits: boolean;
}

const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/;
/** Texts that no layout escapes anything in, such as cells; a test is cheaper than a copy. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;
const COMMENT_CELL = /^ENC\[AES256_GCM,.*,type:comment\]$/s;

/** A JSON string with only what must be escaped escaped. */
export function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** A JSON string as Go writes it: `<`, `>`, `&` and two line separators escaped as well. */
export function quoteLikeGo(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text).replace(ESCAPED_BY_GO, escapeLikeGo);
}

function escapeLikeGo(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * The layout of the reference.
 *
 * @param indent - blanks per level; -1 or undefined a tab; 0 line breaks without indentation
 * @throws {EmitError} below -1
 */
export function canonicalLayout({ indent = -1 }: EmitStyle): JsonLayout {
  if (indent < -1)
    throw new EmitError("Error marshaling to json: JSON Indentation parameter smaller than -1 is not accepted");
  const unit = indent === -1 ? "\t" : " ".repeat(indent);
  return { newline: "\n", unit, colon: ": ", comma: ",", quote: quoteLikeGo, keepsDigits: false };
}

/**
 * Prints a node in pieces; its first line is not indented, the others by `indent` and their level.
 *
 * @param end - what follows it
 * @throws {EmitError} for infinities and NaN
 */
export function printJson(node: Node | Comment, layout: JsonLayout, indent: string, end = ""): string[] {
  const pieces: string[] = [];
  print(node, layout, layout.newline + indent, pieces);
  pieces.push(end);
  return pieces;
}

/** `lineStart` is what begins a line at the level of the node itself. */
function print(node: Node | Comment, layout: JsonLayout, lineStart: string, pieces: string[]): void {
  switch (node.kind) {
    case "leaf":
      // Joined to its quotes, the cell of a large file would be in memory twice.
      if (isLongCell(node.value)) pieces.push('"', node.value, '"');
      else pieces.push(scalarText(node, layout));
      return;
    case "comment":
      pieces.push(layout.quote(node.text));
      return;
    case "mapping":
    case "sequence":
      printContainer(node, layout, lineStart, pieces);
  }
}

function isLongCell(value: Leaf["value"]): value is string {
  return typeof value === "string" && value.length >= LONG_PIECE && PLAIN.test(value);
}

function printContainer(node: Mapping | Sequence, layout: JsonLayout, lineStart: string, pieces: string[]): void {
  const [opening, closing] = node.kind === "mapping" ? ["{", "}"] : ["[", "]"];
  const inner = layout.newline === "" ? "" : lineStart + layout.unit;
  let before = opening + inner;
  for (const item of node.items) {
    if (item.kind === "comment" && !isEncryptedComment(item, node)) continue;
    pieces.push(item.kind === "entry" ? before + layout.quote(item.key) + layout.colon : before);
    before = layout.comma + inner;
    print(item.kind === "entry" ? item.value : item, layout, inner, pieces);
  }
  const isEmpty = before.startsWith(opening);
  pieces.push(isEmpty ? opening + closing : (layout.newline === "" ? "" : lineStart) + closing);
}

/** JSON has no comments, but an encrypted one in a list is written as a string, as the reference does, and opens again. */
export function isEncryptedComment(comment: Comment, container: Mapping | Sequence): boolean {
  return container.kind === "sequence" && COMMENT_CELL.test(comment.text);
}

/**
 * The text of one scalar.
 *
 * @throws {EmitError} for infinities and NaN
 */
export function scalarText({ value, text }: Leaf, layout: JsonLayout): string {
  if (value === null) return "null";
  if (typeof value === "string") return layout.quote(value);
  if (typeof value === "bigint" || typeof value === "boolean") return String(value);
  if (value instanceof Timestamp) return layout.quote(value.text);
  if (value instanceof UnsignedInteger) return value.text;
  if (value instanceof Uint8Array) return bytesText(value, layout);
  const number = jsonFloatText(value);
  if (number === undefined)
    throw new EmitError(
      `Error marshaling to json: Error encoding value : json: unsupported value: ${floatText(value)}`,
    );
  return layout.keepsDigits && text !== undefined && JSON_NUMBER.test(text) ? text : number;
}

function bytesText(bytes: Uint8Array, layout: JsonLayout): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return layout.quote(text);
  const runs = validRuns(bytes).map((run) => layout.quote(run).slice(1, -1));
  return `"${runs.join("\\ufffd")}"`;
}
