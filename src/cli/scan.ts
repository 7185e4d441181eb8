import { isInt64 } from "../go/int.ts";
import { type OptionName, type OptionSpec, options, spellings } from "./options.ts";

/** The value of one option as it was given once. */
export type OptionValue = boolean | string | number;

/** One option on the command line. */
export interface Given {
  readonly name: OptionName;
  /** How it was written, without dashes. */
  readonly spelling: string;
  readonly value: OptionValue;
}

/** Why a command line cannot be understood; `usage.ts` puts it into words. */
export type Problem =
  | { readonly kind: "unknown" | "syntax" | "no-value" | "useless"; readonly spelling: string }
  | {
      readonly kind: "not-boolean" | "not-integer" | "out-of-range";
      readonly spelling: string;
      readonly text: string;
    }
  | { readonly kind: "not-a-choice"; readonly spelling: string; readonly choices: readonly string[] }
  | { readonly kind: "two-spellings"; readonly first: string; readonly second: string }
  | { readonly kind: "variable"; readonly variable: string; readonly name: OptionName }
  | { readonly kind: "too-many-operands" }
  | { readonly kind: "unknown-command"; readonly word: string };

/** How to go through the tokens of one level of the command line. */
export interface ScanRules {
  /** Whether to end at the first token that is no option, as the reference does before a command. */
  readonly stopsAtOperand: boolean;
  /** Whether a token that looks like an option, is none, and stands after an operand, is an operand too. */
  readonly takesUnknownOperands: boolean;
  readonly bundlesLetters: boolean;
}

/** What stood on one level. */
export interface Scan {
  readonly given: readonly Given[];
  readonly operands: readonly string[];
  /** The operands that stood after `--`; absent if there was none. */
  readonly afterDashes?: readonly string[];
  /** What was not looked at, when the scan ended at an operand. */
  readonly rest: readonly string[];
  readonly problem?: Problem;
}

/** Spelling → option. */
export type SpellingTable = ReadonlyMap<string, OptionName>;

/** Builds the table of all spellings of these options; `help` is understood everywhere. */
export function spellingTable(names: readonly OptionName[]): SpellingTable {
  const table = new Map<string, OptionName>();
  for (const name of [...names, "help"] as const) for (const spelling of spellings(name)) table.set(spelling, name);
  return table;
}

/**
 * Goes through tokens from left to right: `-name` and `--name` are the same, a value follows after `=` or as the next
 * token whatever it looks like, a switch never takes the next token, `--` ends the options, `-` is an operand
 * (cli-behaviour.md 1.2). Every order that the reference accepts means the same here (I-01, I-02).
 */
export function scan(tokens: readonly string[], table: SpellingTable, rules: ScanRules): Scan {
  const given: Given[] = [];
  const operands: string[] = [];
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] ?? "";
    if (token === "--") {
      const afterDashes = tokens.slice(index + 1);
      if (rules.stopsAtOperand) return { given, operands, afterDashes, rest: afterDashes };
      return { given, operands: [...operands, ...afterDashes], afterDashes, rest: [] };
    }
    if (!isOptionLike(token)) {
      if (rules.stopsAtOperand) return { given, operands, rest: tokens.slice(index) };
      operands.push(token);
      continue;
    }
    const read = readOption(token, tokens[index + 1], table, rules);
    if ("problem" in read) {
      const isOperand = operands.length > 0 && (rules.takesUnknownOperands || /^-[\d.]/u.test(token));
      if (!(isOperand && read.problem.kind === "unknown")) return { given, operands, rest: [], problem: read.problem };
      operands.push(token);
      continue;
    }
    given.push(...read.given);
    if (read.tookNext) index += 1;
  }
  return { given, operands, rest: [] };
}

/** Whether a token is written like an option; a lone `-` is not. */
export function isOptionLike(token: string): boolean {
  return token.startsWith("-") && token.length > 1;
}

type Read = { readonly given: readonly Given[]; readonly tookNext: boolean } | { readonly problem: Problem };

function readOption(token: string, next: string | undefined, table: SpellingTable, rules: ScanRules): Read {
  const body = token.slice(token.startsWith("--") ? 2 : 1);
  const equals = body.indexOf("=");
  const spelling = equals < 0 ? body : body.slice(0, equals);
  if (spelling === "" || spelling.startsWith("-"))
    return { problem: { kind: "syntax", spelling: token.split("=")[0] ?? "" } };
  const name = table.get(spelling);
  if (name === undefined) {
    const bundle = rules.bundlesLetters && equals < 0 && !token.startsWith("--") ? readBundle(body, table) : undefined;
    return bundle === undefined ? { problem: { kind: "unknown", spelling } } : { given: bundle, tookNext: false };
  }
  const spec = options[name];
  if (spec.kind === "switch" && equals < 0) return { given: [{ name, spelling, value: true }], tookNext: false };
  const text = equals < 0 ? next : body.slice(equals + 1);
  if (text === undefined) return { problem: { kind: "no-value", spelling } };
  const converted = convert(spec, spelling, text);
  if (typeof converted === "object") return { problem: converted };
  return { given: [{ name, spelling, value: converted }], tookNext: equals < 0 };
}

/** `-di` as `-d -i`, if every letter is a switch. */
function readBundle(letters: string, table: SpellingTable): Given[] | undefined {
  const given: Given[] = [];
  for (const spelling of letters) {
    const name = table.get(spelling);
    if (name === undefined || options[name].kind !== "switch") return undefined;
    given.push({ name, spelling, value: true });
  }
  return given;
}

/** Reads the text of an option's value. */
export function convert(spec: OptionSpec, spelling: string, text: string): OptionValue | Problem {
  switch (spec.kind) {
    case "switch":
      return parseBoolean(text) ?? { kind: "not-boolean", spelling, text };
    case "integer":
      return convertInteger(spelling, text);
    case "choice": {
      const choice = spec.synonyms?.[text] ?? text;
      // An empty type is as good as none: wrappers pass `--input-type "$TYPE"`.
      if (choice === "" || spec.choices.includes(choice)) return choice;
      return { kind: "not-a-choice", spelling, choices: spec.choices };
    }
    case "text":
    case "keys":
    case "list":
      return text;
  }
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "true", "TRUE", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "false", "FALSE", "False"].map((word) => [word, false] as const),
]);

/** The twelve words that Go reads as a boolean. */
export function parseBoolean(text: string): boolean | undefined {
  return booleans.get(text);
}

/** Go's integers: an optional sign, then decimal, `0x`, `0o` (or a leading 0) or `0b`, with single underscores between digits. */
const INTEGER =
  /^(?<sign>[-+]?)(?:0[xX](?<hex>(?:_?[\da-fA-F])+)|0[bB](?<binary>(?:_?[01])+)|0[oO]?(?<octal>(?:_?[0-7])+)|(?<decimal>0|[1-9](?:_?\d)*))$/u;

function convertInteger(spelling: string, text: string): number | Problem {
  const { sign, hex, binary, octal, decimal } = INTEGER.exec(text)?.groups ?? {};
  const digits = [hex && `0x${hex}`, binary && `0b${binary}`, octal && `0o${octal}`, decimal].find((form) => form);
  if (digits === undefined || text.length > 100) return { kind: "not-integer", spelling, text };
  const magnitude = BigInt(digits.replaceAll("_", ""));
  const value = sign === "-" ? -magnitude : magnitude;
  return isInt64(value) ? Number(value) : { kind: "out-of-range", spelling, text };
}
