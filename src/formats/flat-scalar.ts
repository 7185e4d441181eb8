import { Timestamp, UnsignedInteger, type Comment, type Leaf, type Node } from "../document/model.ts";
import { flatFloatText } from "../go/float.ts";
import { withoutFraction } from "../go/time.ts";

/**
 * The text of a scalar in dotenv, INI and flattened metadata, which know only strings (file-format.md 7.5). Bytes that
 * are not UTF-8 have none, and stay as they are.
 */
export function flatScalar(value: Leaf["value"]): string | Uint8Array {
  if (value === null) return "<nil>";
  if (typeof value === "string" || value instanceof Uint8Array) return value;
  if (typeof value === "number") return flatFloatText(value);
  if (value instanceof Timestamp) return withoutFraction(value.text);
  return value instanceof UnsignedInteger ? value.text : String(value);
}

/** How Go names the type of an extracted value, which a message of the reference says. */
export function goTypeName(node: Node | Comment): string {
  if (node.kind === "sequence") return "[]interface {}";
  if (node.kind !== "leaf") return node.kind === "mapping" ? "sops.TreeBranch" : "sops.Comment";
  const { value } = node;
  if (value === null) return "<nil>";
  if (value instanceof Timestamp) return "time.Time";
  if (value instanceof UnsignedInteger) return "uint64";
  if (typeof value === "string" || value instanceof Uint8Array) return "string";
  if (typeof value === "bigint") return "int";
  return typeof value === "number" ? "float64" : "bool";
}
