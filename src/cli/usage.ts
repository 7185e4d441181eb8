import { commandGroups, commandWords, optionsOf } from "./commands.ts";
import type { Dialect } from "./dialect.ts";
import type { HelpTopic, UsageFailure } from "./grammar.ts";
import { helpText } from "./help.ts";
import { escapeControls, formatLogLine, type LogStyle } from "./log.ts";
import { spellings, withDashes, type OptionName } from "./options.ts";
import type { Problem } from "./scan.ts";
import { nearest, nearestOrLonger } from "./suggest.ts";

/** What a usage error prints; its exit status is 1. */
export interface UsageOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** What the texts depend on beside the failure. */
export interface UsageContext {
  readonly dialect: Dialect;
  /** The program's version, for the help of the reference's face. */
  readonly version: string;
  readonly now: Date;
  readonly logStyle: LogStyle;
}

/**
 * Renders a usage error: as the reference does, help on standard output and a log line on standard error
 * (cli-behaviour.md 1.2), or as one message on standard error with what may have been meant.
 */
export function renderUsageFailure(failure: UsageFailure, context: UsageContext): UsageOutput {
  const { dialect, version, now, logStyle } = context;
  if (dialect.usageErrors === "message") return { stdout: "", stderr: helpfulMessage(failure, dialect) };
  const message = describeAsReference(failure.problem);
  const log = formatLogLine({ component: "CMD", level: "fatal", message }, now, logStyle);
  return { stdout: headline(failure, message) + helpText(failure.topic, dialect, version), stderr: log };
}

/** The reference writes a full stop before a command and a colon after one, and neither for two spellings. */
function headline({ topic, problem }: UsageFailure, message: string): string {
  const isProgramLevel = topic === "legacy" || topic === "groups" || topic === "completion";
  if (problem.kind === "two-spellings" && isProgramLevel) return `${message}\n`;
  return `Incorrect Usage${isProgramLevel ? "." : ":"} ${message}\n\n`;
}

function describeAsReference(problem: Problem): string {
  switch (problem.kind) {
    case "unknown":
      return `flag provided but not defined: -${problem.spelling}`;
    case "syntax":
      return `bad flag syntax: ${problem.spelling}`;
    case "no-value":
      return `flag needs an argument: -${problem.spelling}`;
    case "not-boolean":
      return `invalid boolean value "${problem.text}" for -${problem.spelling}: parse error`;
    case "not-integer":
      return `invalid value "${problem.text}" for flag -${problem.spelling}: parse error`;
    case "out-of-range":
      return `invalid value "${problem.text}" for flag -${problem.spelling}: value out of range`;
    case "two-spellings":
      return `Cannot use two forms of the same flag: ${problem.first} ${problem.second}`;
    case "variable":
      return `could not parse ${problem.variable} as bool value for flag ${problem.name}: true or false expected`;
    case "not-a-choice":
    case "useless":
    case "too-many-operands":
    case "unknown-command":
      return describe(problem);
  }
}

function describe(problem: Problem): string {
  switch (problem.kind) {
    case "unknown":
      return `unknown option ${withDashes(problem.spelling)}`;
    case "syntax":
      return `${problem.spelling} is not an option; write -- before a file name that begins like one`;
    case "no-value":
      return `${withDashes(problem.spelling)} needs a value`;
    case "not-boolean":
      return `${withDashes(problem.spelling)} takes true or false`;
    case "not-integer":
      return `${withDashes(problem.spelling)} takes an integer`;
    case "out-of-range":
      return `the value of ${withDashes(problem.spelling)} is out of range`;
    case "not-a-choice":
      return `${withDashes(problem.spelling)} takes one of ${problem.choices.join(", ")}`;
    case "two-spellings":
      return `${withDashes(problem.first)} and ${withDashes(problem.second)} are the same option`;
    case "variable":
      return `the variable ${problem.variable} takes true or false`;
    case "useless":
      return `${withDashes(problem.spelling)} has no meaning for this command`;
    case "too-many-operands":
      return "one FILE expected";
    case "unknown-command":
      return `unknown command ${problem.word}`;
  }
}

function helpfulMessage(failure: UsageFailure, dialect: Dialect): string {
  const hint = suggestion(failure);
  const command = failure.topic === "legacy" ? "" : `${failure.topic} `;
  return [
    `${dialect.program}: ${describe(failure.problem)}${hint === undefined ? "" : `; did you mean ${hint}?`}`,
    `See ${dialect.program} ${command}--help`,
    "",
  ].join("\n");
}

/** What is said of a command, or a topic of help, that does not exist. */
export function unknownTopicText(word: string, dialect: Dialect): string {
  if (dialect.usageErrors === "help") return `No help topic for '${escapeControls(word)}'\n`;
  const meant = nearestOrLonger(word, [...commandWords, ...Object.values(commandGroups).flatMap(({ words }) => words)]);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  return `${dialect.program}: there is no command ${escapeControls(word)}${hint}\nSee ${dialect.program} --help\n`;
}

function suggestion({ topic, problem }: UsageFailure): string | undefined {
  if (problem.kind === "unknown-command") return nearest(problem.word, commandWords);
  if (problem.kind !== "unknown") return undefined;
  const spelling = nearest(problem.spelling, optionNames(topic).flatMap(spellings));
  return spelling === undefined ? undefined : withDashes(spelling);
}

function optionNames(topic: HelpTopic): readonly OptionName[] {
  if (topic === "groups" || topic === "completion") return ["help"];
  return [...optionsOf(topic), "help"];
}
