import type { Edit, Item, Step } from "./splice.ts";

/** How a line format places whole items; offsets into the text. */
export interface LineItems {
  /** Where the lines of an item of the source begin and end, line break included. */
  linesOf(index: number): { readonly start: number; readonly end: number };
  /** The lines of a new item, line break included. */
  print(item: Item): string;
  /** Where items go that come after all that are kept. */
  readonly end: number;
}

/**
 * Adds and removes items that are whole lines: a new one goes under the item that it follows, or to the end if none
 * comes after it.
 */
export function editLines(steps: readonly Step[], items: LineItems): Edit[] {
  const kept = steps.flatMap((step, at) => (step.kind === "keep" ? [{ at, ...items.linesOf(step.index) }] : []));
  const lastKept = kept.at(-1)?.at ?? -1;
  let position = kept[0]?.start ?? items.end;
  return steps.flatMap((step, at): Edit[] => {
    if (step.kind === "add") {
      const start = at > lastKept ? items.end : position;
      return [{ start, end: start, text: items.print(step.item) }];
    }
    const { start, end } = items.linesOf(step.index);
    if (step.kind === "remove") return [{ start, end, text: "" }];
    position = end;
    return [];
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
