/**
 * Loose typing of the metadata (file-format.md 6.5): older versions and other formats write numbers as text, text as
 * numbers, and a single map where a list belongs. Missing and null are the empty value of the type.
 *
 * `field` names the place in messages, such as `kms[0].arn`; what stands there is never told.
 */

import { Timestamp, UnsignedInteger, type Leaf, type Mapping, type Node } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import { floatText } from "../go/float.ts";

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["", "0", "f", "F", "FALSE", "false", "False"]);

/** What Go's ParseInt takes for base 0: a prefix names the base, and an underscore may stand before a digit. */
const INTEGER = /^([-+]?)(0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0(?:_?[0-7])*|[1-9](?:_?\d)*)$/;
/** How INI files of sops 3.3 to 3.10 wrote a threshold: `2.000000`. */
const INTEGRAL_FLOAT = /^([-+]?\d+)\.0+$/;

/** @throws {SopsError} ERR_LOAD for a collection, a point in time, or text that is not UTF-8 */
export function looseString(node: Node | undefined, field: string): string {
  const value = scalarOf(node, field, "text");
  switch (typeof value) {
    case "string":
      return value;
    case "bigint":
      return String(value);
    case "number":
      return floatText(value);
    case "boolean":
      return value ? "1" : "0";
    default:
      if (value === null) return "";
      if (value instanceof UnsignedInteger) return value.text;
      throw unexpected(field, value instanceof Timestamp ? "text, in quotes" : "text");
  }
}

/** Fractions are cut. @throws {SopsError} ERR_LOAD for what is no integer, or none that a number holds exactly */
export function looseInteger(node: Node | undefined, field: string): number {
  const value = scalarOf(node, field, "an integer");
  const number = toInteger(value);
  if (number === undefined || !Number.isSafeInteger(number)) throw unexpected(field, "an integer");
  return number;
}

/** @throws {SopsError} ERR_LOAD for what is neither true nor false */
export function looseBoolean(node: Node | undefined, field: string): boolean {
  const value = scalarOf(node, field, "true or false");
  if (value === null) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint" || typeof value === "number") return Number(value) !== 0;
  if (typeof value === "string" && TRUE.has(value)) return true;
  if (typeof value === "string" && FALSE.has(value)) return false;
  throw unexpected(field, "true or false");
}

/**
 * The mappings of a list, without its comments; null items stay, as empty mappings. A single mapping is a list of one.
 *
 * @throws {SopsError} ERR_LOAD for anything else
 */
export function looseMappings(node: Node | undefined, field: string): Mapping[] {
  if (node === undefined || isNull(node)) return [];
  if (node.kind === "mapping") return node.items.some((item) => item.kind === "entry") ? [node] : [];
  if (node.kind === "leaf") throw unexpected(field, "a list of mappings");
  return node.items
    .filter((item) => item.kind !== "comment")
    .map((item, index) => {
      if (item.kind === "mapping") return item;
      if (isNull(item)) return { kind: "mapping", items: [] };
      throw unexpected(`${field}[${String(index)}]`, "a mapping");
    });
}

/** Whether a node is the null value. */
export function isNull(node: Node): boolean {
  return node.kind === "leaf" && node.value === null;
}

/** The error for a field that holds something else than it should. */
export function unexpected(field: string, expected: string): SopsError {
  return new SopsError("ERR_LOAD", `sops metadata, ${field}: expected ${expected}`);
}

function scalarOf(node: Node | undefined, field: string, expected: string): Leaf["value"] {
  if (node === undefined) return null;
  if (node.kind !== "leaf") throw unexpected(field, expected);
  return node.value;
}

function toInteger(value: Leaf["value"]): number | undefined {
  if (value === null) return 0;
  if (typeof value === "number") return Math.trunc(value);
  if (typeof value === "bigint" || typeof value === "boolean") return Number(value);
  return typeof value === "string" ? parseInteger(value) : undefined;
}

function parseInteger(text: string): number | undefined {
  if (text === "") return 0;
  const integral = INTEGRAL_FLOAT.exec(text);
  if (integral !== null) return Number(integral[1]);
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = ""] = match;
  const plain = digits.replaceAll("_", "");
  const value = Number(/^0\d/.test(plain) ? `0o${plain}` : plain);
  return sign === "-" ? -value : value;
}
