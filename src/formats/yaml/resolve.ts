import { decodeBase64 } from "../../bytes/base64.ts";
import { decodeUtf8 } from "../../bytes/utf8.ts";
import { Timestamp, UnsignedInteger } from "../../document/model.ts";
import type { Scalar } from "../../document/model.ts";
import { floatText, parseGoFloat } from "../../go/float.ts";
import { isInt64 } from "../../go/int.ts";
import { isDate } from "../../go/time.ts";

/** What a scalar of a YAML text can be; null included. */
export type YamlValue = Scalar | UnsignedInteger | null;

/** The words that are no strings, whatever the rest of the rules say. */
const WORDS: ReadonlyMap<string, boolean | number | null> = new Map<string, boolean | number | null>([
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...[".nan", ".NaN", ".NAN"].map((word) => [word, NaN] as const),
  ...[".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"].map((word) => [word, Infinity] as const),
  ...["-.inf", "-.Inf", "-.INF"].map((word) => [word, -Infinity] as const),
]);
const LONGEST_WORD = 5;

/** By first character: whether the text can be a word, a number or a time. */
const CAN_BE_WORD = firstCharacters("tTfFnN~.+-");
const CAN_BE_NUMBER = firstCharacters("0123456789+-.");

function firstCharacters(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/**
 * The value of a plain scalar without a tag, as the reference resolves it (file-format.md 7.2.2): mostly YAML 1.2, with
 * the octal numbers and underscores of 1.1.
 */
export function resolvePlain(text: string): YamlValue {
  const first = text.length === 0 ? 0x7e : text.charCodeAt(0);
  if (first > 0x7f) return text;
  if (text.length <= LONGEST_WORD && CAN_BE_WORD[first] === 1) {
    const word = WORDS.get(text);
    if (word !== undefined) return word;
  }
  if (text.length === 0) return null;
  return CAN_BE_NUMBER[first] === 1 ? resolveNumber(text) : text;
}

/** Whether a text, written as a plain scalar, reads back as this very string. */
export function isPlainString(text: string): boolean {
  return typeof resolvePlain(text) === "string";
}

const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;

function resolveNumber(text: string): YamlValue {
  if (text.startsWith(".")) return parseGoFloat(text) ?? text;
  const time = parseTime(text);
  if (time !== undefined) return new Timestamp(time);
  const digits = text.includes("_") ? text.replaceAll("_", "") : text;
  return parseInteger(digits) ?? parseFloatText(digits) ?? parseSignedDigits(digits) ?? text;
}

function parseFloatText(digits: string): number | undefined {
  const value = FLOAT.test(digits) ? Number(digits) : NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** Sign, base prefix and digits of each notation; a leading zero alone is octal. */
const INTEGERS: readonly { readonly pattern: RegExp; readonly prefix: string }[] = [
  { pattern: /^([-+]?)(0|[1-9]\d*)$/, prefix: "" },
  { pattern: /^([-+]?)0[xX]([\da-fA-F]+)$/, prefix: "0x" },
  { pattern: /^([-+]?)0[bB]([01]+)$/, prefix: "0b" },
  { pattern: /^([-+]?)0[oO]?([0-7]+)$/, prefix: "0o" },
];
/** More digits than any 64-bit integer has, in any base; longer ones would be slow to convert. */
const MOST_DIGITS = 64;
const MAX_UINT64 = 2n ** 64n - 1n;

function parseInteger(text: string): bigint | UnsignedInteger | undefined {
  for (const { pattern, prefix } of INTEGERS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const value = magnitude(prefix, match[2] ?? "");
    if (value === undefined) return undefined;
    const signed = match[1] === "-" ? -value : value;
    if (isInt64(signed)) return signed;
    return match[1] === "" && value <= MAX_UINT64 ? new UnsignedInteger(String(value)) : undefined;
  }
  return undefined;
}

function magnitude(prefix: string, digits: string): bigint | undefined {
  const significant = digits.replace(/^0+(?=.)/, "");
  return significant.length > MOST_DIGITS ? undefined : BigInt(prefix + significant);
}

/** `0b-1` and `0o+7`: the reference takes a sign behind these two prefixes, by accident. */
function parseSignedDigits(text: string): bigint | undefined {
  const match = /^(0b|0o)([-+])(\d+)$/.exec(text);
  if (match === null) return undefined;
  const value = parseInteger((match[2] ?? "") + (match[1] ?? "") + (match[3] ?? ""));
  return typeof value === "bigint" ? value : undefined;
}

const TIME =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d\d:\d\d))|(?: +(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?))?$/;

/** The canonical text (file-format.md 1.3) of a date or a time in one of the four forms that YAML texts may use. */
function parseTime(text: string): string | undefined {
  if (text.charCodeAt(4) !== 0x2d) return undefined;
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = ""] = match;
  const [hour = "0", minute = "0", second = "0", fraction = ""] =
    match[4] === undefined ? match.slice(9) : match.slice(4);
  const zone = match[8] ?? "Z";
  const isValid =
    isDate(Number(year), Number(month), Number(day)) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    (zone === "Z" || (Number(zone.slice(1, 3)) < 24 && Number(zone.slice(4)) < 60));
  if (!isValid) return undefined;
  const digits = fraction.slice(0, 9).replace(/0+$/, "");
  const clock = [hour, minute, second].map(twoDigits).join(":");
  return `${year}-${twoDigits(month)}-${twoDigits(day)}T${clock}${digits === "" ? "" : `.${digits}`}${isUtc(zone) ? "Z" : zone}`;
}

function twoDigits(text: string): string {
  return text.padStart(2, "0");
}

function isUtc(zone: string): boolean {
  return zone === "Z" || zone.slice(1) === "00:00";
}

const DECIMAL_FLOAT = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;

/** The digits of a float as they are written, if a cell can hold them and they are not the canonical ones. */
export function floatDigits(text: string, value: number): string | undefined {
  return DECIMAL_FLOAT.test(text) && text !== floatText(value) ? text : undefined;
}

/** The prefix that `!!` stands for. */
export const CORE_TAG_PREFIX = "tag:yaml.org,2002:";

type Resolver = (text: string) => YamlValue | undefined;

function natural(isWanted: (value: YamlValue) => boolean): Resolver {
  return (text) => {
    const value = resolvePlain(text);
    return isWanted(value) ? value : undefined;
  };
}

/** The tags that mean something, after their prefix; all others leave a string (file-format.md 7.2.1). */
const TAGS: Readonly<Record<string, Resolver | undefined>> = {
  int: natural((value) => typeof value === "bigint" || value instanceof UnsignedInteger),
  bool: natural((value) => typeof value === "boolean"),
  null: natural((value) => value === null),
  timestamp: natural((value) => value instanceof Timestamp),
  float: (text) => {
    const value = resolvePlain(text);
    if (typeof value === "bigint") return Number(value);
    return typeof value === "number" ? value : undefined;
  },
  binary: (text) => {
    const bytes = decodeBase64(text);
    return bytes === undefined ? undefined : (decodeUtf8(bytes) ?? bytes);
  },
};

/**
 * The value of a scalar with a tag, given in full and without the angle brackets (`tag:yaml.org,2002:int`).
 *
 * @returns undefined if the text does not fit the tag
 */
export function resolveTagged(tag: string, text: string): YamlValue | undefined {
  const name = tag.startsWith(CORE_TAG_PREFIX) ? tag.slice(CORE_TAG_PREFIX.length) : "";
  const resolver = Object.hasOwn(TAGS, name) ? TAGS[name] : undefined;
  return resolver === undefined ? text : resolver(text);
}
