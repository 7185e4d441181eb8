import type { Comment, Entry, Leaf, Mapping, Node } from "../document/model.ts";
import { EmitError, FormatError } from "../errors.ts";
import { decodePart, decodeString, encodePart, fromByteText, lineAt, toByteText } from "./byte-text.ts";
import { flatScalar, goTypeName } from "./flat-scalar.ts";
import type { Format, Source } from "./format.ts";
import { editLines, withClosedLastLine } from "./lines.ts";
import { collectEdits, splice, type Edit, type Item, type Place, type Scribe, type Step } from "./splice.ts";
import { spanOf } from "./text.ts";

/** A metadata line that ends in CR: no writer makes one, so somebody converted the line ends of the whole file. */
const CONVERTED_METADATA = /(?:^|\n)sops_[^\n]*\r(?:\n|$)/; // not `m`, to which a CR alone ends a line
const CELL_AND_CR = /^ENC\[AES256_GCM,[^\r]*\]\r$/;
const ESCAPED_LINE_BREAK = /\\n/g;

/**
 * dotenv (file-format.md 7.5): `KEY=value` lines whose values are taken as they are, quotes and CR included; only
 * backslash-n stands for a line break. The text of a source has one character per byte.
 *
 * An encrypted file that was checked out with CRLF cannot be opened by the reference; its line ends are turned back
 * here. In a plain file a CR is part of the value, is encrypted with it, and comes back.
 */
export const dotenv: Format = {
  name: "dotenv",
  metadataPlace: "prefix",
  read(bytes) {
    const raw = toByteText(bytes);
    const text = CONVERTED_METADATA.test(raw) ? raw.replaceAll("\r\n", "\n").replace(/\r$/, "") : raw;
    return { format: "dotenv", text, documents: [readLines(text)] };
  },
  write: (source, documents) =>
    fromByteText(
      withClosedLastLine(source.text, (text) =>
        splice(text, collectEdits(source.documents, documents, new DotenvScribe(source, text.length))),
      ),
    ),
  emit: ([first]) => fromByteText(first?.items.map(printItem).join("") ?? ""),
  emitValue(node) {
    if (node.kind === "mapping") return this.emit([node], {});
    throw new EmitError(`the dotenv store only supports emitting strings, got ${goTypeName(node)}`);
  },
};

function readLines(text: string): Mapping {
  const items: (Entry | Comment)[] = [];
  let start = 0;
  while (start < text.length) {
    const lineFeed = text.indexOf("\n", start);
    const end = lineFeed < 0 ? text.length : lineFeed;
    if (end > start) items.push(readLine(text, start, end));
    start = end + 1;
  }
  return { kind: "mapping", items, span: { start: 0, end: text.length, style: "block", indent: 0 } };
}

function readLine(text: string, start: number, end: number): Entry | Comment {
  if (text[start] === "#") {
    const span = { start, end: endWithoutCellCr(text, start + 1, end), style: "line", indent: 0 } as const;
    const comment = decodeString(text.slice(start + 1, span.end), "a comment", text, start);
    return { kind: "comment", text: comment, inline: false, span };
  }
  const line = text.slice(start, end);
  const equals = line.indexOf("=");
  if (equals < 0)
    throw new FormatError("invalid dotenv input line, expected '=' after a name", lineAt(text, start), {
      hint: line === "\r" ? "the line ends are CRLF; save the file with LF" : "a comment starts with '#'",
    });
  const key = decodeString(line.slice(0, equals), "a name", text, start);
  const value = readValue(text, start + equals + 1, end);
  return { kind: "entry", key, value, span: { start, end, style: "entry", indent: 0 } };
}

function readValue(text: string, start: number, lineEnd: number): Leaf {
  const raw = text.slice(start, lineEnd);
  if (raw.includes("\0"))
    throw new FormatError("a value holds a NUL character, which no variable can", lineAt(text, start));
  const end = endWithoutCellCr(text, start, lineEnd);
  const value = decodePart(text.slice(start, end).replace(ESCAPED_LINE_BREAK, "\n"));
  return { kind: "leaf", value, span: { start, end, style: "plain", indent: 0 } };
}

function endWithoutCellCr(text: string, start: number, end: number): number {
  return CELL_AND_CR.test(text.slice(start, end)) ? end - 1 : end;
}

class DotenvScribe implements Scribe {
  private readonly source: Source;
  private readonly end: number;

  /** @param end - length of the text with its last line closed */
  constructor(source: Source, end: number) {
    this.source = source;
    this.end = end;
  }

  scalar(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    const { start, end } = spanOf(old);
    if (next.kind === "comment") return { start, end, text: printComment(next) };
    return { start, end, text: printValue(next, place.entry?.key ?? "") };
  }

  replace(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    return this.scalar(old, next, place);
  }

  restructure(container: Mapping, _place: Place | undefined, steps: readonly Step[]): readonly Edit[] {
    const after = (index: number): number => lineEnd(this.source.text, spanOf(container.items[index]).end);
    return editLines(steps, {
      start: 0,
      end: this.end,
      after,
      remove: (index) => [{ start: spanOf(container.items[index]).start, end: after(index), text: "" }],
      print: printItem,
    });
  }
}

/** Where the line of an offset ends, with its line break, which is taken for granted at the end of the text. */
function lineEnd(text: string, offset: number): number {
  const lineFeed = text.indexOf("\n", offset);
  return (lineFeed < 0 ? text.length : lineFeed) + 1;
}

function printItem(item: Item): string {
  if (item.kind === "comment") return `${printComment(item)}\n`;
  if (item.kind !== "entry") throw new EmitError("cannot use a value without a name in dotenv file");
  if (/^#|[=\n\0]/.test(item.key))
    throw new EmitError(`a name cannot stand in a dotenv file; offending key ${JSON.stringify(item.key)}`, {
      hint: "it must not contain '=' or a line break, or start with '#'",
    });
  return `${encodePart(item.key)}=${printValue(item.value, item.key)}\n`;
}

function printValue(node: Node, key: string): string {
  if (node.kind !== "leaf") throw new EmitError(`cannot use complex value in dotenv file; offending key ${key}`);
  return encodePart(flatScalar(node.value)).replaceAll("\n", "\\n");
}

/** Every line of a comment is one: another format may have comments of several lines. */
function printComment({ text }: Comment): string {
  return `#${encodePart(text).replaceAll("\n", "\n#")}`;
}
