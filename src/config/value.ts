/** Data of a configuration file that know where they stand, and the checks of their shape. */

import { ConfigError } from "../errors.ts";

/** A place in the configuration; both counts start at 1. */
export interface ConfigPosition {
  readonly line: number;
  readonly column: number;
}

/** Text, number, boolean or null; `text` is what was written, without quotes. */
export interface ScalarValue {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  readonly text: string;
  readonly position: ConfigPosition;
}

/** A list. */
export interface ListValue {
  readonly kind: "list";
  readonly items: readonly Value[];
  readonly position: ConfigPosition;
}

/** A mapping with merges (`<<`) done. */
export interface MappingValue {
  readonly kind: "mapping";
  readonly members: readonly Member[];
  readonly position: ConfigPosition;
}

/** Any value; the same object wherever an alias repeats it. */
export type Value = ScalarValue | ListValue | MappingValue;

/** A key with its value; `key` is undefined if it is a collection. */
export interface Member {
  readonly key: string | undefined;
  readonly position: ConfigPosition;
  readonly value: Value;
}

/** Writes `file:line:column`. */
export function describePlace(file: string, position: ConfigPosition): string {
  return `${file}:${String(position.line)}:${String(position.column)}`;
}

/** The error for a file that is not valid YAML or not of the right shape; other files' errors name other steps. */
export function shapeError(file: string, position: ConfigPosition, problem: string): ConfigError {
  return new ConfigError(
    `error loading config: Could not unmarshal config file: ${describePlace(file, position)}: ${problem}`,
  );
}

/** Whether there is a value: absent and null are the same everywhere. */
export function isPresent(value: Value | undefined): value is Value {
  return value !== undefined && !(value.kind === "scalar" && value.value === null);
}

/** The type of a value as messages of the reference call it. */
export function typeName(value: Value): string {
  if (value.kind === "list") return "[]interface {}";
  if (value.kind === "mapping") return "map[string]interface {}";
  if (typeof value.value === "number") return Number.isInteger(Number(value.text)) ? "int" : "float64";
  if (typeof value.value === "boolean") return "bool";
  return value.value === null ? "<nil>" : "string";
}

/**
 * Reads the values of one file, checking their types.
 *
 * Every method takes absent and null for the empty value and throws a {ConfigError} with the place for a wrong type.
 */
export class ShapeReader {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** Any scalar, as it is written. */
  text(value: Value | undefined): string {
    if (!isPresent(value)) return "";
    if (value.kind !== "scalar") throw this.#wrong(value, "text");
    return value.text;
  }

  /** A whole number; undefined if there is none. */
  integer(value: Value | undefined): number | undefined {
    if (!isPresent(value)) return undefined;
    if (value.kind !== "scalar" || !Number.isSafeInteger(value.value)) throw this.#wrong(value, "a whole number");
    return Number(value.value);
  }

  /** `true` or `false`, or the `yes` and `on` of YAML 1.1. */
  boolean(value: Value | undefined): boolean {
    if (!isPresent(value)) return false;
    if (value.kind === "scalar") {
      if (typeof value.value === "boolean") return value.value;
      if (["y", "Y", "yes", "on"].includes(String(value.value))) return true;
      if (["n", "N", "no", "off"].includes(String(value.value))) return false;
    }
    throw this.#wrong(value, "true or false");
  }

  /** The items of a list that are not null; `what` says of what, such as `rules`. */
  list(value: Value | undefined, what: string): Value[] {
    if (!isPresent(value)) return [];
    if (value.kind !== "list") throw this.#wrong(value, `a list of ${what}`);
    return value.items.filter(isPresent);
  }

  /** The members of a mapping by name. */
  members(value: Value | undefined, what: string): ReadonlyMap<string, Member> {
    const members = new Map<string, Member>();
    if (!isPresent(value)) return members;
    if (value.kind !== "mapping") throw this.#wrong(value, what);
    for (const member of value.members) {
      if (member.key === undefined) throw shapeError(this.file, member.position, "expected text as a mapping's key");
      const first = members.get(member.key);
      if (first !== undefined) {
        const line = String(first.position.line);
        throw shapeError(this.file, member.position, `mapping key "${member.key}" already defined at line ${line}`);
      }
      members.set(member.key, member);
    }
    return members;
  }

  #wrong(value: Value, expected: string): ConfigError {
    return shapeError(this.file, value.position, `expected ${expected}, got ${kindName(value)}`);
  }
}

function kindName(value: Value): string {
  if (value.kind !== "scalar") return value.kind === "list" ? "a list" : "a mapping";
  if (typeof value.value === "number") return "a number";
  return typeof value.value === "boolean" ? "true or false" : "text";
}
