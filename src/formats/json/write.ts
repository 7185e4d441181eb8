import type { Comment, Entry, Mapping, Node, Sequence, Span } from "../../document/model.ts";
import type { Source } from "../format.ts";
import { collectEdits, splice, type Edit, type Item, type Place, type Scribe, type Step } from "../splice.ts";
import { spanOf } from "../text.ts";
import { isEncryptedComment, printJson, quote, scalarText, type JsonLayout } from "./emit.ts";

type Container = Mapping | Sequence;

/** The layout of what is added to a text that shows none of its own. */
const DEFAULT_LAYOUT: JsonLayout = { newline: "\n", unit: "\t", colon: ": ", comma: ",", quote, keepsDigits: true };

/** The entry of the metadata. Flux tells an encrypted file by `"mac": "ENC[`, so its colons have their blank. */
const METADATA_KEY = "sops";

const LINE_START = /(?<newline>\r?\n)(?<indent>[ \t]*)$/;

/**
 * Writes the source's text with the changed values in place. New entries are laid out like their neighbours, and a
 * container on one line stays on one line.
 *
 * @throws {EmitError} for infinities and NaN
 */
export function writeJson(source: Source, documents: readonly Mapping[]): string {
  const after = documents.map((document) => withoutComments(document));
  return splice(source.text, collectEdits(source.documents, after, new JsonScribe(source)));
}

/** The same tree without the comments, which JSON cannot hold; what has none stays the same object. */
function withoutComments<T extends Node>(node: T): T {
  if (node.kind === "leaf") return node;
  let isSame = true;
  const items: Item[] = [];
  for (const item of node.items) {
    const kept = item.kind === "comment" ? keptComment(item, node) : withoutCommentsInside(item);
    if (kept !== undefined) items.push(kept);
    isSame &&= kept === item;
  }
  return isSame ? node : { ...node, items };
}

function keptComment(item: Comment, container: Container): Comment | undefined {
  return isEncryptedComment(item, container) ? item : undefined;
}

function withoutCommentsInside(item: Entry | Node): Entry | Node {
  if (item.kind !== "entry") return withoutComments(item);
  const value = withoutComments(item.value);
  return value === item.value ? item : { ...item, value };
}

/** How the items of one container stand in the text. */
interface Shape {
  /** The line break between items; empty if they share a line. */
  readonly newline: string;
  /** The blanks before an item on a line of its own. */
  readonly indent: string;
  readonly colon: string;
  readonly comma: string;
}

const emptyRootShape: Shape = { newline: "\n", indent: DEFAULT_LAYOUT.unit, colon: ": ", comma: "," };

class JsonScribe implements Scribe {
  private readonly text: string;
  private readonly unit: string;

  constructor(source: Source) {
    this.text = source.text;
    const root = source.documents[0];
    this.unit = root?.items[0] === undefined ? DEFAULT_LAYOUT.unit : this.shapeOf(root, undefined).indent;
  }

  scalar(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    return this.replace(old, next, place);
  }

  replace(old: Node | Comment, next: Node | Comment, place: Place): Edit {
    const { start, end } = spanOf(old);
    if (next.kind === "leaf") return { start, end, text: scalarText(next, DEFAULT_LAYOUT) };
    return { start, end, text: this.print(next, this.shapeOf(place.container, place.parent)) };
  }

  restructure(container: Container, place: Place | undefined, steps: readonly Step[]): readonly Edit[] {
    const shape = this.shapeOf(container, place);
    const comma = separatorOf(shape);
    if (!steps.some((step) => step.kind === "keep")) return [this.replaceAll(container, place, steps)];
    const edits: Edit[] = [];
    let leading = ""; // new items before the first that is kept
    let last: Span | undefined; // the item kept last
    let removed: Edit | undefined; // adjoining items with the comma before them
    for (const step of steps) {
      if (step.kind === "add") {
        const text = this.print(step.item, shape);
        if (last === undefined) leading += text + comma;
        else edits.push({ start: last.end, end: last.end, text: comma + text });
        continue;
      }
      const span = spanOf(container.items[step.index]);
      if (step.kind === "remove") {
        removed = { start: removed?.start ?? last?.end ?? span.start, end: span.end, text: "" };
        continue;
      }
      // Without a kept item before them, removed ones take the comma after them along.
      if (removed !== undefined) edits.push(last === undefined ? { ...removed, end: span.start } : removed);
      if (leading !== "") edits.push({ start: span.start, end: span.start, text: leading });
      [leading, last, removed] = ["", span, undefined];
    }
    if (removed !== undefined) edits.push(removed);
    return edits;
  }

  /** Nothing of the old items is kept: what stands between the brackets changes as a whole. */
  private replaceAll(container: Container, place: Place | undefined, steps: readonly Step[]): Edit {
    const { start, end } = spanOf(container);
    const inside = { start: start + 1, end: end - 1 };
    const shape = this.shapeOf(container, place);
    const added = steps.flatMap((step) => (step.kind === "add" ? [this.print(step.item, shape)] : []));
    const text = added.join(separatorOf(shape));
    const first = container.items[0];
    if (first !== undefined) {
      const items = { start: spanOf(first).start, end: spanOf(container.items.at(-1)).end };
      // An item that was added to an empty container (see below) leaves it as it was.
      return added.length > 0 || items.end === inside.end ? { ...items, text } : { ...inside, text: "" };
    }
    if (inside.start < inside.end || shape.newline === "") return { start: inside.end, end: inside.end, text };
    const outer = shape.indent.slice(0, shape.indent.length - this.unit.length);
    return { ...inside, text: shape.newline + shape.indent + text + shape.newline + outer };
  }

  private print(item: Item, shape: Shape): string {
    const isMetadata = item.kind === "entry" && item.key === METADATA_KEY;
    const colon = isMetadata ? DEFAULT_LAYOUT.colon : shape.colon;
    const layout: JsonLayout = { ...DEFAULT_LAYOUT, ...shape, unit: this.unit, colon };
    if (item.kind !== "entry") return printJson(item, layout, shape.indent).join("");
    return quote(item.key) + shape.colon + printJson(item.value, layout, shape.indent).join("");
  }

  /** Reads the layout off the first items of a container; an empty one takes after the container around it. */
  private shapeOf(container: Container, place: Place | undefined): Shape {
    const [first, second] = container.items;
    const outer = place === undefined ? undefined : this.shapeOf(place.container, place.parent);
    if (first === undefined) return outer === undefined ? emptyRootShape : this.shapeInside(outer);
    const { start, end } = spanOf(first);
    const gaps = [this.text.slice(spanOf(container).start + 1, start)];
    if (second !== undefined) gaps.push(this.text.slice(end, spanOf(second).start));
    const colon = first.kind === "entry" ? this.colonOf(first) : (outer?.colon ?? DEFAULT_LAYOUT.colon);
    const lineStart = gaps.map((gap) => LINE_START.exec(gap)).find((match) => match !== null);
    if (lineStart?.groups !== undefined) {
      const { newline = "", indent = "" } = lineStart.groups;
      return { newline, indent, colon, comma: "," };
    }
    return { newline: "", indent: "", colon, comma: gaps[1] ?? (colon.endsWith(" ") ? ", " : ",") };
  }

  private shapeInside(outer: Shape): Shape {
    return outer.newline === "" ? outer : { ...outer, indent: outer.indent + this.unit };
  }

  private colonOf(item: Entry): string {
    const keyAndColon = this.text.slice(spanOf(item).start, spanOf(item.value).start);
    return keyAndColon.slice(keyAndColon.lastIndexOf('"') + 1);
  }
}

function separatorOf({ newline, indent, comma }: Shape): string {
  return newline === "" ? comma : comma + newline + indent;
}
