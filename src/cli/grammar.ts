import { commandGroups, commands, commandWords, optionsOf, type CommandName, type CommandWord } from "./commands.ts";
import type { Dialect, Shell } from "./dialect.ts";
import { options, spellings, type OptionName, type OptionValues } from "./options.ts";
import {
  convert,
  isOptionLike,
  scan,
  spellingTable,
  type Given,
  type OptionValue,
  type Problem,
  type Scan,
} from "./scan.ts";
import { looksLikeCommand } from "./suggest.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Run this command. */
export interface Invocation {
  readonly kind: "run";
  readonly command: CommandName;
  /** What was given, by argument or environment, and the few defaults. Options before the command are among them (I-04). */
  readonly values: OptionValues;
  /** Where each value came from; an option with only its default is absent. */
  readonly origins: Readonly<Partial<Record<OptionName, "argument" | "environment">>>;
  /** All operands, those after `--` included. */
  readonly positionals: readonly string[];
  /** The operands that stood after `--`; absent when there was none. */
  readonly afterDashes?: readonly string[];
  /** Texts to log as warnings before anything else. */
  readonly warnings: readonly string[];
}

/** What help can be about. */
export type HelpTopic = CommandName | "groups" | "completion";

/** The command line cannot be understood; `usage.ts` renders it. */
export interface UsageFailure {
  readonly kind: "usage";
  readonly topic: HelpTopic;
  readonly problem: Problem;
}

/** Show help; `legacy` is the help of the whole program. */
export interface HelpRequest {
  readonly kind: "help";
  readonly topic: HelpTopic;
  /** Whether every option is to be explained (`help --all`) rather than the common ones. */
  readonly isFull: boolean;
}

/** Help, or a sub-command, that does not exist. */
export interface UnknownTopic {
  readonly kind: "unknown-topic";
  readonly word: string;
}

/** Print the version. */
export interface VersionRequest {
  readonly kind: "version";
  /** Whether to ask the network for a newer one; only when the user says so (I-12). */
  readonly checksForUpdates: boolean;
}

/** Print a completion script, or the candidates such a script asks for. */
export type CompletionRequest =
  | { readonly kind: "completion-script"; readonly shell: Shell }
  | { readonly kind: "candidates"; readonly tokens: readonly string[] };

/** Everything a command line can ask for. */
export type Request = Invocation | UsageFailure | HelpRequest | UnknownTopic | VersionRequest | CompletionRequest;

/** The token with which completion scripts ask for candidates. */
export const COMPLETION_TOKEN = "--generate-bash-completion";

/**
 * Reads a command line: `[options] COMMAND [options] [operands]` or, in the older style, `[options] FILE`.
 *
 * Pure, and the only place that knows the grammar (cli-behaviour.md 1.1 to 1.3): no other parser looks at the
 * arguments afterwards.
 *
 * @param argv - the arguments after the program's name
 */
export function parseArguments(argv: readonly string[], env: Environment, dialect: Dialect): Request {
  if (argv.at(-1) === COMPLETION_TOKEN) return { kind: "candidates", tokens: argv.slice(0, -1) };
  const before = scan(argv, spellingTable(optionsOf("legacy")), {
    stopsAtOperand: true,
    takesUnknownOperands: false,
    bundlesLetters: dialect.bundlesLetters,
  });
  const failure = findFailure(before, "legacy", dialect) ?? answerAtOnce(before.given);
  if (failure !== undefined) return failure;
  const [word, ...tokens] = before.rest;
  if (word === undefined || !isCommandWord(word)) return parseLegacy(before, env, dialect);
  switch (word) {
    case "help":
    case "h":
      return helpOn(tokens);
    case "groups":
    case "completion":
      return parseGroup(word, tokens, before.given, env, dialect);
    default:
      return parseCommand(word, tokens, before.given, env, dialect);
  }
}

function isCommandWord(word: string): word is CommandWord | "h" {
  return word === "h" || (commandWords as readonly string[]).includes(word);
}

function findFailure(level: Scan, topic: HelpTopic, dialect: Dialect): UsageFailure | undefined {
  const problem = level.problem ?? (dialect.refusesTwoSpellings ? findTwoSpellings(level.given) : undefined);
  return problem === undefined ? undefined : { kind: "usage", topic, problem };
}

/** The reference names the spelling that comes second in its table first. */
function findTwoSpellings(given: readonly Given[]): Problem | undefined {
  for (const { name } of given) {
    const used = spellings(name).filter((spelling) =>
      given.some((one) => one.name === name && one.spelling === spelling),
    );
    const [first, second] = used;
    if (first !== undefined && second !== undefined) return { kind: "two-spellings", first: second, second: first };
  }
  return undefined;
}

/** Help and version, which act before any command runs. */
function answerAtOnce(given: readonly Given[]): HelpRequest | VersionRequest | undefined {
  if (lastValue(given, "help") === true) return { kind: "help", topic: "legacy", isFull: false };
  if (lastValue(given, "version") !== true) return undefined;
  return { kind: "version", checksForUpdates: lastValue(given, "check-for-updates") === true };
}

function lastValue(given: readonly Given[], name: OptionName): OptionValue | undefined {
  return given.findLast((one) => one.name === name)?.value;
}

function helpOn(tokens: readonly string[]): HelpRequest | UnknownTopic {
  const [word = "help", subWord] = tokens.filter((token) => !isOptionLike(token));
  if (!isCommandWord(word)) return { kind: "unknown-topic", word };
  const isFull = tokens.includes("--all");
  if (word === "help" || word === "h") return { kind: "help", topic: "legacy", isFull };
  if (word === "groups" && (subWord === "add" || subWord === "delete"))
    return { kind: "help", topic: `groups ${subWord}`, isFull };
  return { kind: "help", topic: word, isFull };
}

/** `groups` and `completion`, which want another word after them. */
function parseGroup(
  group: "groups" | "completion",
  tokens: readonly string[],
  globals: readonly Given[],
  env: Environment,
  dialect: Dialect,
): Request {
  const rules = { stopsAtOperand: true, takesUnknownOperands: false, bundlesLetters: dialect.bundlesLetters };
  const level = scan(tokens, spellingTable([]), rules);
  const failure = findFailure(level, group, dialect);
  if (failure !== undefined) return failure;
  const [word, ...rest] = level.rest;
  if (word === undefined || lastValue(level.given, "help") === true)
    return { kind: "help", topic: group, isFull: false };
  if (word === "help" || word === "h") return helpOn(rest.length === 0 ? [group] : helpInGroup(group, rest));
  if (group === "groups") {
    if (word === "add" || word === "delete") return parseCommand(`groups ${word}`, rest, globals, env, dialect);
    return { kind: "unknown-topic", word };
  }
  const shell = dialect.shells.find((name) => name === word);
  if (shell === undefined) return { kind: "unknown-topic", word };
  return rest.some((token) => token === "-h" || token === "--help")
    ? { kind: "help", topic: "completion", isFull: false }
    : { kind: "completion-script", shell };
}

/** `groups help add` is `help groups add`; `groups help nope` is `help nope`. */
function helpInGroup(group: "groups" | "completion", rest: readonly string[]): readonly string[] {
  return commandGroups[group].words.includes(rest[0] ?? "") ? [group, ...rest] : rest;
}

/** The older style: options first, then FILE; known options are read after it as well (I-01). */
function parseLegacy(before: Scan, env: Environment, dialect: Dialect): Request {
  const rules = { stopsAtOperand: false, takesUnknownOperands: false, bundlesLetters: dialect.bundlesLetters };
  const after: Scan =
    before.afterDashes === undefined
      ? scan(before.rest, spellingTable(optionsOf("legacy")), rules)
      : { given: [], operands: before.afterDashes, afterDashes: before.afterDashes, rest: [] };
  const level = { ...after, given: [...before.given, ...after.given] };
  return (
    findFailure(level, "legacy", dialect) ?? answerAtOnce(level.given) ?? finish("legacy", level, [], env, dialect)
  );
}

function parseCommand(
  command: CommandName,
  tokens: readonly string[],
  globals: readonly Given[],
  env: Environment,
  dialect: Dialect,
): Request {
  const level = scan(tokens, spellingTable(optionsOf(command)), {
    stopsAtOperand: false,
    takesUnknownOperands: !dialect.refusesUnknownAnywhere,
    bundlesLetters: dialect.bundlesLetters,
  });
  const failure = findFailure(level, command, dialect);
  if (failure !== undefined) return failure;
  if (lastValue(level.given, "help") === true) return { kind: "help", topic: command, isFull: false };
  return finish(command, level, globals, env, dialect);
}

/** Accepted with every command and of no effect: they speak of `--version`. */
const HARMLESS_GLOBALS: readonly OptionName[] = ["disable-version-check", "check-for-updates", "help", "version"];

function finish(
  command: CommandName,
  level: Scan,
  globals: readonly Given[],
  env: Environment,
  dialect: Dialect,
): Invocation | UsageFailure {
  const known = optionsOf(command);
  const useless = globals.filter(({ name }) => !known.includes(name) && !HARMLESS_GLOBALS.includes(name));
  const fromArguments = [...globals.filter(({ name }) => known.includes(name)), ...level.given];
  const fromEnvironment = readEnvironment(command, fromArguments, env);
  const problem =
    (dialect.refusesUselessGlobals ? firstUseless(useless) : undefined) ??
    checkOperands(command, level, dialect) ??
    fromEnvironment.problem;
  if (problem !== undefined) return { kind: "usage", topic: command, problem };
  const joinsKeys = dialect.joinsRepeatedKeys || commands[command].collectsKeys === true;
  return {
    kind: "run",
    command,
    values: collectValues(command, [...fromEnvironment.given, ...fromArguments], joinsKeys),
    origins: {
      ...Object.fromEntries(fromEnvironment.given.map(({ name }) => [name, "environment"])),
      ...Object.fromEntries(fromArguments.map(({ name }) => [name, "argument"])),
    },
    positionals: level.operands,
    ...(level.afterDashes === undefined ? {} : { afterDashes: level.afterDashes }),
    warnings: [...useless.map(describeUseless(command)), ...warnOfOperands(command, level.operands, dialect)],
  };
}

function firstUseless(useless: readonly Given[]): Problem | undefined {
  const [first] = useless;
  return first === undefined ? undefined : { kind: "useless", spelling: first.spelling };
}

function describeUseless(command: CommandName): (one: Given) => string {
  return ({ name }) => `option --${name} has no effect on ${command}`;
}

/** Variables stand in for options that were not given; an empty one for nothing, an odd one only hurts here (I-11). */
function readEnvironment(
  command: CommandName,
  given: readonly Given[],
  env: Environment,
): { readonly given: readonly Given[]; readonly problem?: Problem } {
  const found: Given[] = [];
  for (const name of optionsOf(command)) {
    const spec = options[name];
    const text = spec.env === undefined ? undefined : env[spec.env];
    if (spec.env === undefined || text === undefined || text === "") continue;
    if (spec.kind === "keys" && commands[command].collectsKeys === true) continue;
    if (given.some((one) => one.name === name)) continue;
    const items = spec.kind === "list" ? splitList(text) : [text];
    for (const item of items) {
      const value = convert(spec, name, item);
      if (typeof value === "object") return { given: found, problem: { kind: "variable", variable: spec.env, name } };
      found.push({ name, spelling: name, value });
    }
  }
  return { given: found };
}

function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** Later ones win; lists collect, and so do key options where the dialect joins them. */
function collectValues(command: CommandName, given: readonly Given[], joinsKeys: boolean): OptionValues {
  const values: Partial<Record<OptionName, OptionValue | readonly string[]>> = {};
  for (const name of optionsOf(command)) {
    const spec = options[name];
    if ("default" in spec) values[name] = spec.default;
    const all = given.filter((one) => one.name === name).map((one) => one.value);
    const last = all.at(-1);
    if (last === undefined || (spec.kind === "choice" && last === "")) continue;
    if (spec.kind === "list") values[name] = all.map(String);
    else values[name] = spec.kind === "keys" && joinsKeys ? all.join(",") : last;
  }
  return values as OptionValues;
}

function checkOperands(command: CommandName, level: Scan, dialect: Dialect): Problem | undefined {
  const [first, ...others] = level.operands;
  if (!dialect.takesSeveralFiles || commands[command].files !== "one" || first === undefined || others.length === 0)
    return undefined;
  const isUnknownCommand = command === "legacy" && looksLikeCommand(first);
  return isUnknownCommand ? { kind: "unknown-command", word: first } : { kind: "too-many-operands" };
}

function warnOfOperands(command: CommandName, operands: readonly string[], dialect: Dialect): readonly string[] {
  const ignored = operands.slice(1);
  if (dialect.takesSeveralFiles || commands[command].files === "own" || ignored.length === 0) return [];
  const warnings = ["More than one positional argument provided. Only the first one will be used!"];
  const optionLike = ignored.findLast(isOptionLike)?.split("=")[0];
  if (optionLike !== undefined)
    warnings.push(
      `Note that one of the ignored positional argument is "${optionLike}", which looks like a flag. It is no option of this command.`,
    );
  return warnings;
}
