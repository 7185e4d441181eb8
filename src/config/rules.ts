import path from "node:path";
import { ConfigError } from "../errors.ts";
import { compilePattern } from "../go/re2.ts";
import type { Config, CreationRule, LocatedText } from "./schema.ts";
import { describePlace } from "./value.ts";

/** As many patterns as a hint lists before it says how many more there are. */
const LISTED_PATTERNS = 8;

/**
 * The first creation rule for a file; patterns of later rules are not compiled.
 *
 * @param filePath - absolute
 * @returns undefined if no rule matches, or there are none
 * @throws {ConfigError} if the pattern of a rule on the way is not one of RE2
 */
export async function matchRule(config: Config, filePath: string): Promise<CreationRule | undefined> {
  const subject = ruleSubject(config.location.path, filePath);
  for (const rule of config.creationRules ?? []) {
    if (await matchesAny(rule.pathRegex, rule.file, [subject])) return rule;
  }
  return undefined;
}

/** The error for a file that none of the rules is for; its hint lists what they are for. */
export function noMatchingRule(config: Config, filePath: string): ConfigError {
  const patterns = (config.creationRules ?? []).map((rule) => JSON.stringify(rule.pathRegex.text));
  const more = patterns.length > LISTED_PATTERNS ? `, and ${String(patterns.length - LISTED_PATTERNS)} more` : "";
  const subject = JSON.stringify(ruleSubject(config.location.path, filePath));
  const listed =
    patterns.length === 0 ? "" : `; its rules are for ${patterns.slice(0, LISTED_PATTERNS).join(", ")}${more}`;
  return new ConfigError("error loading config: no matching creation rules found", {
    hint: `${config.location.name} has no rule for ${subject}${listed}`,
  });
}

/**
 * What path patterns are matched against: the file's path relative to the directory of the configuration, or its
 * absolute path if it does not lie there; always with `/` (I-39).
 *
 * @param flavour - rules of the system for paths
 */
export function ruleSubject(configPath: string, filePath: string, flavour: path.PlatformPath = path): string {
  const directory = flavour.dirname(flavour.normalize(configPath)) + flavour.sep;
  const file = flavour.normalize(filePath);
  const subject = file.startsWith(directory) ? file.slice(directory.length) : file;
  return flavour.sep === "\\" ? subject.replaceAll("\\", "/") : subject;
}

/** Whether a path pattern matches one of the subjects. @throws {ConfigError} with its place */
export async function matchesAny(pattern: LocatedText, file: string, subjects: readonly string[]): Promise<boolean> {
  const compiled = await compilePattern(pattern.text, describePlace(file, pattern.position));
  return subjects.some((subject) => compiled.matches(subject));
}
