import type { Edit, Item, Step } from "./splice.ts";

/** How a line format places whole items; offsets into the text. */
export interface LineItems {
  /** Where an item goes that none precedes. */
  readonly start: number;
  /** Where items go that come after all that are kept. */
  readonly end: number;
  /** Where an item goes that follows this one of the source. */
  after(index: number): number;
  /** The edits that take an item of the source out. */
  remove(index: number): readonly Edit[];
  /** The lines of a new item, line break included; `isLast` if it goes to `end`. */
  print(item: Item, isLast: boolean): string;
}

/**
 * Adds and removes items that are whole lines: a new one goes under the item that it follows, or to the end if none
 * comes after it.
 */
export function editLines(steps: readonly Step[], items: LineItems): Edit[] {
  const lastKept = steps.findLastIndex((step) => step.kind === "keep");
  let position = items.start;
  return steps.flatMap((step, at): readonly Edit[] => {
    switch (step.kind) {
      case "add": {
        const isLast = at > lastKept;
        const start = isLast ? items.end : position;
        return [{ start, end: start, text: items.print(step.item, isLast) }];
      }
      case "remove":
        return items.remove(step.index);
      case "keep":
        // A comment may come after the key below it, so an item is not always further down than the one before.
        position = Math.max(position, items.after(step.index));
        return [];
    }
  });
}

/**
 * Lets an edit see a text whose last line is closed, and takes the added line break away again: so a text without a
 * final line break gets new last lines without one, and is itself again when they go.
 */
export function withClosedLastLine(text: string, change: (closed: string) => string): string {
  if (text === "" || text.endsWith("\n")) return change(text);
  const changed = change(`${text}\n`);
  return changed.endsWith("\n") ? changed.slice(0, -1) : changed;
}
