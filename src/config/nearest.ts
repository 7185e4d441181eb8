/** The most letters in which a mistyped name differs from the one that was meant. */
const CLOSE = 2;

/** The name that a word most likely stands for: one it begins with or is the beginning of, or within two letters. */
export function nearestName(word: string, names: readonly string[]): string | undefined {
  return closestName(word, names) ?? names.find((name) => isBeginning(name, word) || isBeginning(word, name));
}

/** The name with the fewest letters to add, drop or change: at most two, and less than half of the word. */
export function closestName(word: string, names: readonly string[]): string | undefined {
  const limit = Math.min(CLOSE, Math.ceil(word.length / 2) - 1);
  const [best] = names
    .filter((name) => Math.abs(name.length - word.length) <= limit)
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .sort((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= limit ? best.name : undefined;
}

function isBeginning(start: string, word: string): boolean {
  return start.length > 2 && word.startsWith(start);
}

function editDistance(from: string, to: string): number {
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const changed = (last[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    last = current;
  }
  return last[to.length] ?? 0;
}
