import { Timestamp, UnsignedInteger, type Leaf } from "../document/model.ts";
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

/** How Go names the type of a scalar, which some messages of the reference say. */
export function goTypeName(value: Leaf["value"]): string {
  if (value === null) return "<nil>";
  if (value instanceof Timestamp) return "time.Time";
  if (value instanceof UnsignedInteger) return "uint64";
  if (typeof value === "string" || value instanceof Uint8Array) return "string";
  if (typeof value === "bigint") return "int";
  return typeof value === "number" ? "float64" : "bool";
}
