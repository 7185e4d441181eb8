import type { Node } from "../../document/model.ts";
import type { Source } from "../format.ts";
import type { Edit, Place } from "../splice.ts";
import { spanOf } from "../text.ts";
import { rowEnd, type Container } from "./geometry.ts";

/** An alias that was expanded in place, and the place. */
export interface Alias {
  readonly node: Node;
  readonly place: Place;
}

/** The text of an anchor and of the node it stands at. */
interface Region {
  readonly start: number;
  readonly end: number;
}

/**
 * The aliases that would no longer mean what they meant: those in untouched text whose anchor's text is edited.
 *
 * An anchor is looked for by its name alone, so one in a string or a comment counts too: an alias written out without
 * need is still right.
 *
 * @param edits - in the order of the text
 */
export function staleAliases(source: Source, edits: readonly Edit[]): Alias[] {
  const { text, documents } = source;
  if (!text.includes("&") || !text.includes("*")) return [];
  const nodes: Node[] = [];
  const aliases: Alias[] = [];
  for (const document of documents) collect(document, undefined, nodes, aliases);
  if (aliases.length === 0) return [];
  const regions = anchorRegions(text, nodes);
  return aliases.filter(({ node }) => {
    const { start, end } = spanOf(node);
    if (touches(edits, { start, end: end - 1 })) return false; // it is replaced or removed already
    const candidates = regions.get(text.slice(start + 1, end)) ?? [];
    return candidates.some((region) => region.start < start && touches(edits, region));
  });
}

/** Lists the nodes that stand in the text, in its order, and the aliases apart from them. */
function collect(container: Container, parent: Place | undefined, nodes: Node[], aliases: Alias[]): void {
  nodes.push(container);
  for (const item of container.items) {
    if (item.kind === "comment") continue;
    const node = item.kind === "entry" ? item.value : item;
    const place: Place = { container, entry: item.kind === "entry" ? item : undefined, parent };
    if (node.span?.style === "alias") aliases.push({ node, place });
    else if (node.kind === "leaf") nodes.push(node);
    else collect(node, place, nodes, aliases);
  }
}

function anchorRegions(text: string, nodes: readonly Node[]): Map<string, Region[]> {
  const regions = new Map<string, Region[]>();
  let next = 0;
  for (const match of text.matchAll(/&([^\s,[\]{}]+)/g)) {
    const start = match.index;
    while (next < nodes.length && isBefore(nodes[next], start)) next += 1;
    const end = regionEnd(text, nodes[next], start + match[0].length);
    const name = match[1] ?? "";
    const named = regions.get(name);
    if (named === undefined) regions.set(name, [{ start, end }]);
    else named.push({ start, end });
  }
  return regions;
}

/** Whether a node ends before an anchor, or is a collection that holds it. */
function isBefore(node: Node | undefined, anchor: number): boolean {
  const { start = 0, end = 0 } = node?.span ?? {};
  return end <= anchor || (start <= anchor && node?.kind !== "leaf");
}

function regionEnd(text: string, node: Node | undefined, anchorEnd: number): number {
  const end = Math.max(anchorEnd, node?.span?.end ?? 0);
  // What is added to a block collection goes to the next line.
  return node === undefined || node.kind === "leaf" ? end : rowEnd(text, end);
}

/** Whether an edit lies in, overlaps or borders a region. */
function touches(edits: readonly Edit[], region: Region): boolean {
  let low = 0;
  let high = edits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((edits[middle]?.end ?? 0) < region.start) low = middle + 1;
    else high = middle;
  }
  const edit = edits[low];
  return edit !== undefined && edit.start <= region.end;
}
