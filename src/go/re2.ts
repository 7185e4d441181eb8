import { ConfigError } from "../errors.ts";

/** A compiled pattern; `matches` searches anywhere in the text. */
export interface Pattern {
  matches(text: string): boolean;
}

/** No word, one, or several joined by `|` in a group, anchored or not: what nearly every rule consists of. */
const WORDS = /^(\^?)(?:\(([\w|-]+)\)|([\w-]*))(\$?)$/;

/**
 * Compiles a pattern of RE2, the dialect of Go's `regexp` (file-format.md 3.5).
 *
 * Lists of words such as `^(data|stringData)$` are matched here; anything else loads re2js. JavaScript's own engine
 * gives other meanings to the same text and can hang on it.
 *
 * @param place - what the pattern is and where, for the message
 * @throws {ConfigError} if RE2 does not accept the pattern
 */
export async function compilePattern(pattern: string, place: string): Promise<Pattern> {
  return compileWords(pattern) ?? (await compileRe2(pattern, place));
}

function compileWords(pattern: string): Pattern | undefined {
  const match = WORDS.exec(pattern);
  if (match === null) return undefined;
  const [, start, group, single = "", end] = match;
  const words = (group ?? single).split("|");
  if (start !== "" && end !== "") return { matches: (text) => words.includes(text) };
  if (start !== "") return { matches: (text) => words.some((word) => text.startsWith(word)) };
  if (end !== "") return { matches: (text) => words.some((word) => text.endsWith(word)) };
  return { matches: (text) => words.some((word) => text.includes(word)) };
}

async function compileRe2(pattern: string, place: string): Promise<Pattern> {
  const { RE2JS } = await import("re2js");
  try {
    const compiled = RE2JS.compile(pattern);
    return { matches: (text) => compiled.matcher(text).find() };
  } catch {
    throw new ConfigError(`${place}: can not compile regexp: ${JSON.stringify(pattern)} is not a pattern of RE2`, {
      hint: "RE2 has no look-around and no back-references; see https://github.com/google/re2/wiki/Syntax",
    });
  }
}
