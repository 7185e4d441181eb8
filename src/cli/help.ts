import { commandGroups, commands, commandWords, optionsOf, type CommandWord } from "./commands.ts";
import type { Dialect } from "./dialect.ts";
import { wrap } from "./failure-report.ts";
import type { HelpTopic } from "./grammar.ts";
import { options, spellings, withDashes, type OptionName } from "./options.ts";

/**
 * The help on a topic, with its last line end.
 *
 * @param isFull - in our own face: explain every option instead of the common ones
 */
export function helpText(topic: HelpTopic, dialect: Dialect, version: string, isFull = false): string {
  const blocks = dialect.name === "sops" ? referenceHelp(topic, dialect, version) : shortHelp(topic, dialect, isFull);
  return `${blocks.join("\n\n")}\n`;
}

/** A command's one-line summary; `help` explains itself. */
export function summaryOf(word: CommandWord): string {
  if (word === "groups" || word === "completion") return commandGroups[word].summary;
  return word === "help" ? "show the commands, or help on one of them" : commands[word].summary;
}

/** The reference has the heading, and callers look for headings. */
const CREDIT = "the contributors of leafcrypt";

/** The reference's headings and three-space indentation (cli-behaviour.md 1.5); the words are ours. */
function referenceHelp(topic: HelpTopic, dialect: Dialect, version: string): string[] {
  const { program } = dialect;
  const section = (title: string, lines: readonly string[]): string =>
    [`${title}:`, ...lines.map((line) => `   ${line}`)].join("\n");
  if (topic === "groups" || topic === "completion")
    return [
      section("NAME", [`${program} ${topic} - ${commandGroups[topic].summary}`]),
      section("USAGE", [`${program} ${topic} command [command options] [arguments...]`]),
      section("COMMANDS", groupRows(topic, dialect)),
      section("OPTIONS", ["--help, -h  show help"]),
    ];
  const { summary, operands } = commands[topic];
  const rows = optionsOf(topic).map((name) => [referenceSpellings(name), explain(name)] as const);
  if (topic !== "legacy")
    return [
      section("NAME", [`${program} ${topic} - ${summary}`]),
      section("USAGE", [`${program} ${topic} [command options] ${operands}`.trimEnd()]),
      section("OPTIONS", columns(rows)),
    ];
  return [
    section("NAME", [`${program} - ${summary}`]),
    section("USAGE", [
      `${program} [global options] COMMAND [command options] [arguments...]`,
      `${program} [global options] [-d | -e | -r | --set EXPR] FILE`,
    ]),
    section("VERSION", [version]),
    section("AUTHOR", [CREDIT]),
    section("COMMANDS", columns(commandWords.map((word) => [word === "help" ? "help, h" : word, summaryOf(word)]))),
    section("GLOBAL OPTIONS", columns(rows)),
  ];
}

function referenceSpellings(name: OptionName): string {
  const value = options[name].kind === "switch" ? "" : " value";
  return spellings(name)
    .map((spelling) => withDashes(spelling) + value)
    .join(", ");
}

function groupRows(group: "groups" | "completion", dialect: Dialect): string[] {
  if (group === "groups")
    return columns([
      ["add", commands["groups add"].summary],
      ["delete", commands["groups delete"].summary],
    ]);
  return columns(dialect.shells.map((shell) => [shell, `print a script for ${shell}`]));
}

/** Options that a first look at a command can do without; `help --all` explains them. */
const RARE: readonly OptionName[] = [
  ...(["hckms", "aws-profile", "encryption-context", "shamir-secret-sharing-threshold", "indent", "layout"] as const),
  ...(["unencrypted-suffix", "encrypted-suffix", "unencrypted-comment-regex", "encrypted-comment-regex"] as const),
  ...(["mac-only-encrypted", "enable-local-keyservice", "keyservice", "decryption-order", "config"] as const),
  ...([
    "verbose",
    "strict",
    "allow-unencrypted",
    "background",
    "user",
    "document",
    "filename-override",
    "unencrypted-regex",
  ] as const),
  ...([
    "show-master-keys",
    "add-hckms",
    "rm-hckms",
    "add-kms",
    "rm-kms",
    "add-gcp-kms",
    "rm-gcp-kms",
    "add-azure-kv",
  ] as const),
  ...(["rm-azure-kv", "add-hc-vault-transit", "rm-hc-vault-transit"] as const),
];

/** The width a help text fits into. */
const WIDTH = 80;
/** Blanks before each row. */
const INDENT = 2;

function shortHelp(topic: HelpTopic, dialect: Dialect, isFull: boolean): string[] {
  const { program } = dialect;
  if (topic === "groups" || topic === "completion")
    return [
      `Usage: ${program} ${topic} ${topic === "groups" ? "COMMAND" : "SHELL"}`,
      ...indented(groupRows(topic, dialect)),
      `Example: ${program} ${topic === "groups" ? commands["groups add"].example : "completion bash"}`,
    ];
  if (topic === "legacy" && !isFull) return programHelp(dialect);
  const { summary, operands, example } = commands[topic];
  const all = optionsOf(topic);
  const shown = isFull ? all : all.filter((name) => !RARE.includes(name));
  const others = all.filter((name) => !shown.includes(name)).map(withDashes);
  const command = topic === "legacy" ? "" : ` ${topic}`;
  return [
    `${`Usage: ${program}${command} [options] ${operands}`.trimEnd()}\n${sentence(summary)}`,
    ...indented(
      columns(shown.map((name) => [signature(name), isFull ? explain(name) : options[name].description])).flatMap(
        fitted,
      ),
    ),
    ...(others.length === 0 ? [] : [wrap(`Also (see ${program} help --all${command}): ${others.join(", ")}`, WIDTH)]),
    `Example: ${program} ${example}`,
  ];
}

function programHelp(dialect: Dialect): string[] {
  const { program } = dialect;
  const rows = wordsByUse().map((word) => [word, summaryOf(word)] as const);
  return [
    `Usage: ${program} COMMAND [options] FILE`,
    sentence(`${program} ${commands.legacy.summary}`),
    ...indented(columns(rows)),
    `Example: ${program} ${commands.encrypt.example}`,
    `${program} COMMAND --help explains a command; ${program} help --all, every option.`,
  ];
}

/** The commands as the table lists them, what is needed first in front; the reference has an order of its own. */
function wordsByUse(): readonly CommandWord[] {
  const rank = (word: CommandWord): number => {
    const index = Object.keys(commands).findIndex((name) => name === word || name.startsWith(`${word} `));
    return index < 0 ? Infinity : index;
  };
  return [...commandWords].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

function indented(lines: readonly string[]): string[] {
  return [lines.map((line) => " ".repeat(INDENT) + line).join("\n")];
}

/** `-i, --in-place`, `--output PATH`. */
function signature(name: OptionName): string {
  const spec = options[name];
  const forms = [...spellings(name)].sort((a, b) => a.length - b.length).map(withDashes);
  return spec.kind === "switch" ? forms.join(", ") : `${forms.join(", ")} ${spec.placeholder}`;
}

/** The description with the variable that can stand in for an argument. */
function explain(name: OptionName): string {
  const { description, env } = options[name];
  return env === undefined ? description : `${description} [$${env}]`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A row that is too long for a screen, with the rest of its second column on lines of their own. */
function fitted(row: string): string[] {
  const start = /^-.*? {2,}(?=\S)/u.exec(row)?.[0].length ?? 0;
  const [first = "", ...rest] = wrap(row.slice(start), WIDTH - INDENT - start).split("\n");
  return [row.slice(0, start) + first, ...rest.map((line) => " ".repeat(start) + line)];
}

/** Rows of two columns, the first as wide as its longest cell. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([cell]) => cell.length));
  return rows.map(([cell, text]) => `${cell.padEnd(width)}  ${text}`.trimEnd());
}
