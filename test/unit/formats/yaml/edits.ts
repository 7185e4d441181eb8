import {
  Timestamp,
  UnsignedInteger,
  type Comment,
  type Entry,
  type Leaf,
  type Mapping,
  type Node,
  type Scalar,
} from "../../../../src/document/model.ts";
import { floatText } from "../../../../src/go/float.ts";

type Item = Entry | Node | Comment;

/** What becomes of each leaf and each comment; the same object for "nothing". */
export interface Change {
  leaf(leaf: Leaf): Leaf | Comment;
  comment(comment: Comment): Comment;
}

/** A changed copy of a document that shares everything untouched, as the walk makes it. */
export function changeDocument(document: Mapping, change: Change): Mapping {
  return changeNode(document, change) as Mapping;
}

function changeNode(node: Node, change: Change): Node | Comment {
  if (node.kind === "leaf") return change.leaf(node);
  const before: readonly Item[] = node.items;
  const items = before.map((item) => changeItem(item, change));
  return items.every((item, index) => item === before[index]) ? node : ({ ...node, items } as Node);
}

function changeItem(item: Item, change: Change): Item {
  if (item.kind === "comment") return change.comment(item);
  if (item.kind !== "entry") return changeNode(item, change);
  const value = changeNode(item.value, change) as Node;
  return value === item.value ? item : { ...item, value };
}

/** Cells that hold their value in clear: to the layout they are what real ones are. */
export const seal: Change = {
  leaf: (old) => (isSealable(old.value) ? withValue(old, cellOf(old.value, old.text)) : old),
  comment: (old) => (old.text === "" ? old : { ...old, text: cell(old.text, "comment") }),
};

/** The way back from `seal`. */
export const open: Change = {
  leaf(old) {
    const found = typeof old.value === "string" ? contentOf(old.value) : undefined;
    if (found === undefined) return old;
    const [value, text] = valueOf(found.text, found.type);
    return { ...withValue(old, value), ...(text === undefined ? {} : { text }) };
  },
  comment(old) {
    const found = contentOf(old.text);
    return found === undefined ? old : { ...old, text: found.text };
  },
};

function isSealable(value: Leaf["value"]): value is Scalar {
  return value !== null && value !== "" && !(value instanceof UnsignedInteger);
}

function withValue(old: Leaf, value: Leaf["value"]): Leaf {
  return { kind: "leaf", value, ...(old.span === undefined ? {} : { span: old.span }) };
}

function cellOf(value: Scalar, text: string | undefined): string {
  if (typeof value === "string") return cell(value, "str");
  if (typeof value === "number") return cell(text ?? floatText(value), "float");
  if (typeof value === "bigint") return cell(String(value), "int");
  if (typeof value === "boolean") return cell(String(value), "bool");
  return value instanceof Timestamp ? cell(value.text, "time") : cell(Buffer.from(value), "bytes");
}

function cell(content: string | Buffer, type: string): string {
  return `ENC[AES256_GCM,data:${Buffer.from(content).toString("base64")},iv:aXY=,tag:dGFn,type:${type}]`;
}

function contentOf(text: string): { readonly text: string; readonly type: string } | undefined {
  const match = /^ENC\[AES256_GCM,data:([^,]*),iv:aXY=,tag:dGFn,type:(\w+)\]\s*$/.exec(text);
  if (match === null) return undefined;
  const bytes = Buffer.from(match[1] ?? "", "base64");
  const type = match[2] ?? "";
  return { text: bytes.toString(type === "bytes" ? "latin1" : "utf8"), type };
}

function valueOf(text: string, type: string): readonly [Scalar, string?] {
  switch (type) {
    case "int":
      return [BigInt(text)];
    case "float": {
      const value = Number(text.replace("Inf", "Infinity"));
      return text === floatText(value) ? [value] : [value, text];
    }
    case "bool":
      return [text === "true"];
    case "time":
      return [new Timestamp(text)];
    case "bytes":
      return [new Uint8Array(Buffer.from(text, "latin1"))];
    default:
      return [text];
  }
}
