import type { Comment, Entry, Mapping, Node, Sequence } from "../../document/model.ts";

/** A name for a node. `node` is absent while the node is being read: an alias within it would contain itself. */
export interface Anchor {
  node: Node | undefined;
  /** The text of a scalar, for an alias that is a key. */
  text: string;
  copy: Copy | undefined;
}

/** What an alias stands for: its node without places, as it stands elsewhere. */
interface Copy {
  readonly node: Node;
  /** How many nodes it has, and how many levels. */
  readonly size: number;
  readonly height: number;
}

/** Nodes that aliases may add: this many, or for a larger text so many for each node that is written in it. */
const LEAST_ALLOWED = 10_000;
const ALLOWED_PER_NODE = 10;

/** Expands aliases, and knows when they add up to more than any honest file has. */
export class AliasExpander {
  #expanded = 0;

  /**
   * A copy of what an anchor stands for. Aliases of one anchor share it, so that memory stays small.
   *
   * @param written - nodes that the text has up to here
   * @param levels - how many more levels of nesting are allowed here
   * @returns undefined if it is too much
   */
  expand(anchor: Anchor, written: number, levels: number): Node | undefined {
    if (anchor.node === undefined) return undefined;
    anchor.copy ??= copyOf(anchor.node);
    this.#expanded += anchor.copy.size;
    const allowed = Math.max(LEAST_ALLOWED, ALLOWED_PER_NODE * written);
    return this.#expanded > allowed || anchor.copy.height > levels ? undefined : anchor.copy.node;
  }
}

function copyOf(node: Node): Copy {
  if (node.kind === "leaf") {
    const { value, text } = node;
    return { node: { kind: "leaf", value, ...(text === undefined ? {} : { text }) }, size: 1, height: 0 };
  }
  const items: (Entry | Node | Comment)[] = [];
  let size = 1;
  let height = 0;
  for (const item of node.items) {
    if (item.kind === "comment") {
      items.push({ kind: "comment", text: item.text, inline: item.inline });
      continue;
    }
    const copy = copyOf(item.kind === "entry" ? item.value : item);
    size += copy.size;
    height = Math.max(height, copy.height);
    if (item.kind === "entry") {
      const { kind, key, nonString } = item;
      items.push({ kind, key, value: copy.node, ...(nonString === undefined ? {} : { nonString }) });
    } else items.push(copy.node);
  }
  // The items are of the kinds that the node had.
  return { node: { kind: node.kind, items } as Mapping | Sequence, size, height: height + 1 };
}
