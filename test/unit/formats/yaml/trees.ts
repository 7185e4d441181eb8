import {
  Timestamp,
  UnsignedInteger,
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  type Comment,
  type Entry,
  type Mapping,
  type Node,
} from "../../../../src/document/model.ts";

type TypedTree = Readonly<Record<string, unknown>> | null;

/** A tree from the typed notation of the vectors (file-format.md 12). */
export function fromNotation(typed: unknown): Node {
  const tree = typed as TypedTree;
  if (tree === null) return leaf(null);
  const [kind = "", value] = Object.entries(tree)[0] ?? [];
  const text = value as string;
  switch (kind) {
    case "map":
      return mapping((value as unknown[]).map(entryOrComment));
    case "list":
      return sequence((value as TypedTree[]).map((item) => commentOf(item) ?? fromNotation(item)));
    case "int":
      return leaf(BigInt(text));
    case "uint64_unsupported":
      return leaf(new UnsignedInteger(text));
    case "float":
      return leaf(Number(text.replace("Inf", "Infinity")));
    case "time":
      return leaf(new Timestamp(text));
    case "str_base64":
      return leaf(new Uint8Array(Buffer.from(text, "base64")));
    default:
      return leaf(value as string | boolean);
  }
}

/** The root of a document from the typed notation. */
export function documentFrom(typed: unknown): Mapping {
  return fromNotation(typed) as Mapping;
}

/** A tree from a plain JSON value; integers become ints. */
export function fromJson(value: unknown): Node {
  if (Array.isArray(value)) return sequence(value.map(fromJson));
  if (typeof value === "number" && Number.isInteger(value)) return leaf(BigInt(value));
  if (value === null || typeof value !== "object") return leaf(value as string | null);
  return mapping(Object.entries(value).map(([key, item]) => entry(key, fromJson(item))));
}

function entryOrComment(item: unknown): Entry | Comment {
  const found = commentOf(item as TypedTree);
  if (found !== undefined) return found;
  const [key, value] = item as [string | { readonly non_string_key: string }, unknown];
  return typeof key === "string"
    ? entry(key, fromNotation(value))
    : { ...entry("", fromNotation(value)), nonString: true };
}

function commentOf(item: TypedTree): Comment | undefined {
  if (item === null || Array.isArray(item) || !("comment" in item)) return undefined;
  return comment(item["comment"] as string, item["inline"] as boolean);
}
