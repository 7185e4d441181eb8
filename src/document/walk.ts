import { isCommentCell } from "./cell.ts";
import type { Comment, Entry, Leaf, Mapping, Node } from "./model.ts";
import type { Selection } from "./selection.ts";

/**
 * Where a node stands, as a linked list from the node up, and what the rules say about it. List positions are not part
 * of it (file-format.md 1.7).
 */
export interface Place {
  /** The place of the mapping that has the key; undefined for a document itself. */
  readonly parent: Place | undefined;
  readonly key: string;
  /** All keys joined with `:` and a final one: what binds a cell to its path (file-format.md 2.4). */
  readonly aad: string;
  /** Whether its key or one above, or a comment that governs one of them, was hit. */
  readonly isHit: boolean;
  readonly isSelected: boolean;
}

/** What becomes of each leaf and comment, called in document order. */
export interface Visitor {
  /** Whether selected list items that hold the cell of a comment, as the reference stores them, are comments. */
  readonly hasCommentItems?: boolean;
  leaf(leaf: Leaf, place: Place): Leaf;
  comment(comment: Comment, place: Place): Comment;
  /** A key that was no string; the visitor throws. */
  nonStringKey(place: Place): never;
}

/** The keys from the root to the node. */
export function keysOf(place: Place): string[] {
  const keys: string[] = [];
  for (let step = place; step.parent !== undefined; step = step.parent) keys.push(step.key);
  return keys.reverse();
}

/** Rebuilds trees with every leaf and comment replaced by what the visitor makes of it. */
export function mapTrees(documents: readonly Mapping[], selection: Selection, visitor: Visitor): Mapping[] {
  const walker = new Walker(selection, visitor);
  return documents.map((document) => walker.document(document));
}

class Walker {
  readonly #selection: Selection;
  readonly #visitor: Visitor;
  readonly #byKey: boolean;

  constructor(selection: Selection, visitor: Visitor) {
    this.#selection = selection;
    this.#visitor = visitor;
    this.#byKey = selection.by === "key";
  }

  document(node: Mapping): Mapping {
    return this.#node(node, this.#place(undefined, "", "", false)) as Mapping;
  }

  /** One call per level, and no callbacks: two thousand levels fit on the stack (safety.md, Y10). */
  #node(node: Node, place: Place): Node {
    if (node.kind === "leaf") return this.#visitor.leaf(node, place);
    const items: (Entry | Node | Comment)[] = [];
    let isRunHit = false; // a comment since the last entry or item was hit
    for (let index = 0; index < node.items.length; index += 1) {
      const item = node.items[index] as Entry | Node | Comment;
      const comment = this.#commentIn(item, place, isRunHit);
      if (comment !== undefined) {
        items.push(this.#comment(comment, place, isRunHit));
        isRunHit ||= this.#isHitComment(comment);
        continue;
      }
      if (item.kind === "entry")
        items.push({ ...item, value: this.#node(item.value, this.#enter(place, item, isRunHit)) });
      else
        items.push(this.#node(item as Node, isRunHit ? this.#place(place.parent, place.key, place.aad, true) : place));
      isRunHit = false;
    }
    return { ...node, items } as Node;
  }

  #commentIn(item: Entry | Node | Comment, { isHit }: Place, isRunHit: boolean): Comment | undefined {
    if (item.kind === "comment") return item;
    // In a plain file, and where nothing is encrypted, such a text is a value like any other.
    const mayBe = item.kind === "leaf" && this.#visitor.hasCommentItems === true && this.#decide(isHit || isRunHit);
    return mayBe ? commentItem(item) : undefined;
  }

  #enter(place: Place, entry: Entry, isRunHit: boolean): Place {
    const { key } = entry;
    const isHit = place.isHit || (this.#byKey ? this.#selection.hits(key) : isRunHit);
    const inner = this.#place(place, key, `${place.aad}${key}:`, isHit);
    if (entry.nonString === true) this.#visitor.nonStringKey(inner);
    return inner;
  }

  #place(parent: Place | undefined, key: string, aad: string, isHit: boolean): Place {
    return { parent, key, aad, isHit, isSelected: this.#decide(isHit) };
  }

  #comment(comment: Comment, place: Place, isRunHit: boolean): Comment {
    // Under unencrypted_comment_regex a comment counts for itself, under encrypted_comment_regex it does not
    // (file-format.md 3.3): either way the matching comment itself stays readable.
    const isOwnHit = !this.#selection.hitMeansEncrypted && this.#isHitComment(comment);
    const isSelected = this.#decide(place.isHit || isRunHit || isOwnHit);
    return this.#visitor.comment(comment, { ...place, aad: place.aad === "" ? ":" : place.aad, isSelected });
  }

  #isHitComment(comment: Comment): boolean {
    return !this.#byKey && this.#selection.hits(comment.text);
  }

  #decide(isHit: boolean): boolean {
    return isHit === this.#selection.hitMeansEncrypted;
  }
}

/** The comment in a list item that is the cell of one; it keeps the item's span and with it its place. */
function commentItem(item: Leaf): Comment | undefined {
  if (typeof item.value !== "string" || !isCommentCell(item.value)) return undefined;
  const span = item.span === undefined ? {} : { span: item.span };
  return { kind: "comment", text: item.value, inline: false, ...span };
}
