import type { Edit, Item, Step } from "../splice.ts";
import { spanOf } from "../text.ts";
import { flowItemText } from "./emit.ts";
import { endOf, isBlank, layoutError, lineStart, type Container } from "./geometry.ts";

/**
 * The edits for items that a flow collection gains or loses. What is added follows its left neighbour, on a line of
 * its own where that stands on one.
 *
 * @throws {EmitError} for added comments, which have no place in it
 */
export function restructureFlow(text: string, container: Container, steps: readonly Step[]): Edit[] {
  const { start, end } = spanOf(container);
  const edits: Edit[] = [];
  const isKept = new Set(steps.flatMap((step) => (step.kind === "keep" ? [step.index] : [])));
  const kept = container.items.filter((item, index) => item.kind !== "comment" && isKept.has(index));
  if (kept.length === 0) return [replaceAll(text, container, steps)];
  let last: Item | undefined; // the value kept last
  let leading = "";
  let removedFrom: number | undefined;
  const closeRemoved = (until: number): void => {
    if (removedFrom !== undefined) edits.push({ start: removedFrom, end: until, text: "" });
    removedFrom = undefined;
  };
  let removedEnd = start;
  for (const step of steps) {
    if (step.kind === "add") {
      const added = addedText(step.item);
      if (last === undefined) leading += `${added}, `;
      else edits.push(insertion(endOf(last), separator(text, last) + added));
      continue;
    }
    const item = container.items[step.index];
    if (item === undefined || item.kind === "comment") continue;
    if (step.kind === "remove") {
      removedFrom ??= last === undefined ? spanOf(item).start : endOf(last);
      removedEnd = endOf(item);
      continue;
    }
    const itemAt = spanOf(item).start;
    // Without a kept item before them, removed ones take the comma after them along.
    closeRemoved(last === undefined ? itemAt : removedEnd);
    if (leading !== "") edits.push(insertion(itemAt, leading));
    leading = "";
    last = item;
  }
  closeRemoved(Math.min(removedEnd, end));
  return edits;
}

function insertion(offset: number, text: string): Edit {
  return { start: offset, end: offset, text };
}

function addedText(item: Item): string {
  if (item.kind === "comment") throw layoutError();
  return flowItemText(item);
}

function separator(text: string, last: Item): string {
  const { start } = spanOf(last);
  const line = lineStart(text, start);
  return isBlank(text, line, start) && line > 0 ? `,\n${text.slice(line, start)}` : ", ";
}

function replaceAll(text: string, container: Container, steps: readonly Step[]): Edit {
  const { start, end } = spanOf(container);
  const added = steps.flatMap((step) => (step.kind === "add" ? [addedText(step.item)] : []));
  const [open, close] = [text.charAt(start), text.charAt(end - 1)];
  return { start, end, text: open + added.join(", ") + close };
}
