import { KeyError } from "../../errors.ts";

/**
 * Splits a command as a POSIX shell would, without any expansion: quotes, backslashes and `#` comments.
 *
 * @throws {KeyError} if a quote is not closed or nothing follows a backslash; the message repeats nothing of it
 */
export function splitCommandLine(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (quote !== undefined && character === quote) {
      quote = undefined;
    } else if (character === "\\" && quote !== "'") {
      index += 1;
      if (index === text.length) throw new KeyError("EOF found after escape character");
      word = (word ?? "") + text.charAt(index);
    } else if (quote !== undefined) {
      word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/[ \t\r\n]/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "#" && word === undefined) {
      const end = text.indexOf("\n", index);
      index = end === -1 ? text.length : end;
    } else {
      word = (word ?? "") + character;
    }
  }
  if (quote !== undefined) throw new KeyError("EOF found when expecting closing quote");
  return word === undefined ? words : [...words, word];
}
