import { encodeBase64 } from "../../bytes/base64.ts";
import { decodeUtf8 } from "../../bytes/utf8.ts";
import { Timestamp, UnsignedInteger, type Leaf } from "../../document/model.ts";
import { yamlFloatText } from "../../go/float.ts";
import { isPlainString } from "./resolve.ts";

/** The ways in which the reference writes a string. */
export type StringStyle = "plain" | "single" | "double" | "literal";

/** Where a scalar is written: columns of the container's items and of the lines of a block scalar, 0-based. */
export interface ScalarPlace {
  readonly column: number;
  readonly content: number;
}

/** What the characters of a string allow; one pass over it. */
interface Analysis {
  /** Whether there is a LF, for which the reference asks for a literal block. */
  readonly hasLineFeed: boolean;
  /** Whether there are U+2028 or U+2029, line breaks in YAML 1.1. */
  readonly hasOtherBreak: boolean;
  readonly hasTab: boolean;
  readonly hasUnprintable: boolean;
  readonly hasBlankBeforeBreak: boolean;
  readonly hasBlankAfterBreak: boolean;
  /** Whether `: ` or ` #` would end a plain scalar. */
  readonly hasIndicator: boolean;
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const BLANK = 0x20;
const HASH = 0x23;
const COLON = 0x3a;

/**
 * The text of a value as the reference writes it (file-format.md 7.2.5), without a final line break; lines after the
 * first are indented for `place`.
 *
 * Departs from the reference where its text cannot be read back: a literal block has the digit of its real
 * indentation, and a text of several lines that starts with a tab is double-quoted.
 */
export function scalarText(value: Leaf["value"], place: ScalarPlace): string {
  if (typeof value === "string") return stringText(value, place);
  if (value === null) return "null";
  if (typeof value === "number") return yamlFloatText(value);
  if (value instanceof Timestamp || value instanceof UnsignedInteger) return value.text;
  if (value instanceof Uint8Array) return bytesText(value, place);
  return String(value);
}

/** The text of a string, and of a mapping's key; see `scalarText`. */
export function stringText(text: string, place: ScalarPlace): string {
  if (isCellText(text)) return text;
  if (text === "<<") return "!!merge <<";
  return styledText(text, chooseStyle(text), place);
}

/** The text of a string in a style that can hold it. */
export function styledText(text: string, style: StringStyle, place: ScalarPlace): string {
  if (style === "plain") return text;
  if (style === "double") return doubleQuoted(text);
  return style === "single" ? singleQuoted(text, place.content) : literalBlock(text, place);
}

/** Whether a text is a word that is written plain and reads back as itself wherever it stands; most texts are. */
export function isPlainWord(text: string): boolean {
  return isSimpleWord(text) && !isReservedWord(text);
}

/** Whether a text has the form of a cell and no character that plain style could not hold. */
export function isCellText(text: string): boolean {
  return text.startsWith("ENC[") && text.endsWith("]") && /^[!-~]+$/.test(text);
}

/** The style in which the reference writes a string (`<<` apart). */
export function chooseStyle(text: string): StringStyle {
  if (isSimpleWord(text)) return isReservedWord(text) ? "double" : "plain";
  const analysis = analyse(text);
  if (analysis.hasLineFeed) return literalAllowed(text, analysis) ? "literal" : "double";
  if (!isStringEverywhere(text)) return "double";
  if (analysis.hasTab || analysis.hasUnprintable || analysis.hasBlankBeforeBreak || analysis.hasBlankAfterBreak) {
    return "double";
  }
  return analysis.hasOtherBreak || analysis.hasIndicator || needsQuotes(text) ? "single" : "plain";
}

/** Words that YAML 1.1 reads as booleans; the reference quotes them although it reads them as strings. */
const OLD_BOOLEAN = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const CORE_WORD = /^(?:true|True|TRUE|false|False|FALSE|null|Null|NULL)$/;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** The common case, decided without looking at each character: letters, then nothing that means anything to YAML. */
function isSimpleWord(text: string): boolean {
  return /^[A-Za-z_/][\w./+=-]*$/.test(text);
}

function isReservedWord(text: string): boolean {
  return text.length <= 5 && (CORE_WORD.test(text) || OLD_BOOLEAN.test(text));
}

/** Whether the plain text reads back as this string, in YAML 1.1 too. */
function isStringEverywhere(text: string): boolean {
  return isPlainString(text) && !OLD_BOOLEAN.test(text) && !BASE_60.test(text);
}

function analyse(text: string): Analysis {
  let hasLineFeed = false;
  let hasOtherBreak = false;
  let hasTab = false;
  let hasUnprintable = false;
  let hasBlankBeforeBreak = false;
  let hasBlankAfterBreak = false;
  let hasIndicator = false;
  let previous = -1;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    const isBreak = code === LINE_FEED || code === 0x2028 || code === 0x2029;
    if (code === LINE_FEED) hasLineFeed = true;
    else if (isBreak) hasOtherBreak = true;
    else if (code === TAB) hasTab = true;
    else if (!isPrintable(code)) hasUnprintable = true;
    if (isBreak && previous === BLANK) hasBlankBeforeBreak = true;
    if (code === BLANK && isBreakCode(previous)) hasBlankAfterBreak = true;
    if (code === HASH && (previous === BLANK || previous === TAB)) hasIndicator = true;
    if (previous === COLON && (code === BLANK || code === TAB || isBreak)) hasIndicator = true;
    previous = code;
  }
  if (previous === COLON) hasIndicator = true;
  return { hasLineFeed, hasOtherBreak, hasTab, hasUnprintable, hasBlankBeforeBreak, hasBlankAfterBreak, hasIndicator };
}

function isBreakCode(code: number): boolean {
  return code === LINE_FEED || code === 0x2028 || code === 0x2029;
}

/** What the reference counts as printable; halves of surrogate pairs are not, so nothing above U+FFFF is. */
function isPrintable(code: number): boolean {
  if (code < 0x7f) return code >= BLANK;
  return (code >= 0xa0 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff);
}

function literalAllowed(text: string, analysis: Analysis): boolean {
  return !(analysis.hasUnprintable || analysis.hasBlankBeforeBreak || text.endsWith(" ") || text.startsWith("\t"));
}

/** Whether a text of one line cannot be plain for its first or last characters. */
function needsQuotes(text: string): boolean {
  return /^[ #,[\]{}&*!|>'"%@`]|^[-?:](?:[ \t]|$)|^---|^\.\.\.| $/.test(text);
}

function singleQuoted(text: string, content: number): string {
  const quoted = text.replaceAll("'", "''");
  return `'${quoted.replace(/[\u2028\u2029]+(?=[^\u2028\u2029])/g, (breaks) => breaks + " ".repeat(content))}'`;
}

const ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x00, "\\0"],
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x09, "\\t"],
  [0x0a, "\\n"],
  [0x0b, "\\v"],
  [0x0c, "\\f"],
  [0x0d, "\\r"],
  [0x1b, "\\e"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
  [0x85, "\\N"],
  [0xa0, "\\_"],
  [0x2028, "\\L"],
  [0x2029, "\\P"],
]);

/** Writes a string in double quotes; any string can be. */
export function doubleQuoted(text: string): string {
  // The reference escapes every character of a text that starts with a byte order mark.
  const escapesAll = text.startsWith("\ufeff");
  let quoted = '"';
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const isClear = !escapesAll && isClearInDoubleQuotes(code);
    quoted += isClear ? character : escapeCode(code);
  }
  return `${quoted}"`;
}

function isClearInDoubleQuotes(code: number): boolean {
  return code <= 0xffff && isPrintable(code) && code !== 0x22 && code !== 0x5c && code !== 0x2028 && code !== 0x2029;
}

function escapeCode(code: number): string {
  const short = ESCAPES.get(code);
  if (short !== undefined) return short;
  const digits = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${digits.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, "0")}` : `\\U${digits.padStart(8, "0")}`;
}

/** The header and the lines of a literal block, without the line break that ends its last line. */
export function literalBlock(text: string, place: ScalarPlace): string {
  const digit = /^[ \t\n\u2028\u2029]/.test(text) ? String(place.content - place.column) : "";
  return `|${digit}${chomping(text)}${literalLines(text, place.content)}`;
}

/** The chomping indicator with which a block scalar keeps exactly the line breaks at the end of a text. */
export function chomping(text: string): "-" | "" | "+" {
  if (!text.endsWith("\n")) return "-";
  return text === "\n" || text.endsWith("\n\n") ? "+" : "";
}

/** The lines of a literal block, each behind its line break; empty lines have no indentation. */
export function literalLines(text: string, content: number): string {
  const indentation = " ".repeat(content);
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  return `\n${body}`.replace(/[\n\u2028\u2029](?!$|[\n\u2028\u2029])/g, (lineBreak) => lineBreak + indentation);
}

/** Longest base64 text that is written on the line of its key, and the length of its lines if it is longer. */
const BASE64_LINE = 70;
const FULL_LINES = new RegExp(`.{${String(BASE64_LINE)}}(?=.)`, "g");

function bytesText(bytes: Uint8Array, place: ScalarPlace): string {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return stringText(text, place);
  const base64 = encodeBase64(bytes);
  if (base64.length <= BASE64_LINE) return `!!binary ${base64}`;
  const lines = base64.replace(FULL_LINES, "$&\n");
  return `!!binary ${literalBlock(`${lines}\n`, place)}`;
}
