import { commandWords, type CommandWord } from "./commands.ts";

/** The most letters that may differ between a mistyped word and what was meant (I-03). */
const CLOSE = 2;

/** The command that a mistyped word means, if it is within two letters of one and not one itself. */
export function suggestCommand(word: string): CommandWord | undefined {
  return nearest(word, commandWords);
}

/** Whether a word is written like a command, not like a path. */
export function looksLikeCommand(word: string): boolean {
  return /^[a-z][a-z-]*$/u.test(word);
}

/** The candidate that a word is a typing error of, or the beginning. */
export function nearestOrLonger<Word extends string>(word: string, candidates: readonly Word[]): Word | undefined {
  return nearest(word, candidates) ?? candidates.find((candidate) => candidate.startsWith(word));
}

/**
 * The candidate with the fewest letters to add, drop, change or swap, if those are few enough for a typing error: two,
 * and less than half of the word. A word that is a candidate means itself.
 */
export function nearest<Word extends string>(word: string, candidates: readonly Word[]): Word | undefined {
  if ((candidates as readonly string[]).includes(word)) return undefined;
  let best: Word | undefined;
  let bestDistance = Math.min(CLOSE, Math.ceil(word.length / 2) - 1);
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate, bestDistance);
    if (distance > bestDistance) continue;
    if (best !== undefined && distance === bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/**
 * Letters to add, drop, change, or swap with their neighbour, to turn one word into another. Words whose lengths alone
 * say that it is more than `limit` are not compared: `limit + 1` is returned.
 */
export function editDistance(from: string, to: string, limit: number = Infinity): number {
  if (Math.abs(from.length - to.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      let distance = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1),
      );
      const isSwapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (isSwapped) distance = Math.min(distance, at(beforeLast, column - 2) + 1);
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
