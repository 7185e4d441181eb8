import type { Leaf } from "../../document/model.ts";
import { lastLeafOf, type Item } from "./geometry.ts";
import { chomping } from "./scalars.ts";

/**
 * The last leaf of something new, if it must be in quotes where it comes: as a block scalar it would take in the lines
 * below, or lose its last line break at the end of a text without one.
 *
 * @param lineBreak - the offset where the line above those lines ends
 * @param column - of the container; the lines of a block scalar in it stand deeper
 */
export function leafToQuote(text: string, lineBreak: number, item: Item, column: number): Leaf | undefined {
  const last = lastLeafOf(item);
  if (typeof last?.value !== "string" || !last.value.includes("\n")) return undefined;
  const chomp = chomping(last.value);
  if (lineBreak === text.length) return chomp === "-" ? undefined : last;
  return takesInLines(text, lineBreak, chomp, column + 1) ? last : undefined;
}

/**
 * Whether lines below the one that ends at an offset would become part of a block scalar that ends there: blank ones
 * if it keeps its last line breaks, and a comment or blanks that reach the column of its content. So may blanks at the
 * end of the text, when the metadata between go.
 */
export function takesInLines(text: string, lineBreak: number, chomp: string, content: number): boolean {
  const tail = text.slice(text.trimEnd().length);
  if (chomp === "+" && !/^(?:\r?\n)?$/.test(tail)) return true;
  if (tail.split("\n").some((blanks) => blanks.length > content)) return true;
  const line = /\r?\n([ \t]*)/y;
  line.lastIndex = lineBreak;
  for (let match = line.exec(text); match !== null; match = line.exec(text)) {
    const width = (match[1] ?? "").length;
    const next = text.charAt(line.lastIndex);
    if (next === "#") return width >= content; // another comment ends the block
    if (next !== "" && next !== "\n" && next !== "\r") return false;
    if (width > content || (chomp === "+" && next !== "")) return true;
  }
  return false;
}
