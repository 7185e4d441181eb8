import { isCommentCell } from "./cell.ts";
import type { Comment, Entry, Leaf, Mapping, Node, Sequence } from "./model.ts";
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
  leaf(leaf: Leaf, place: Place): Leaf;
  /** Also called for list items that hold an encrypted comment, as the reference stores them. */
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
    return this.#mapping(node, this.#place(undefined, "", "", false));
  }

  #mapping(node: Mapping, place: Place): Mapping {
    let isRunHit = false; // a comment since the last entry was hit
    const items = node.items.map((item): Entry | Comment => {
      if (item.kind === "comment") {
        const next = this.#comment(item, place, isRunHit);
        isRunHit ||= this.#isHitComment(item);
        return next;
      }
      const inner = this.#enter(place, item, isRunHit);
      isRunHit = false;
      return { ...item, value: this.#node(item.value, inner) };
    });
    return { ...node, items };
  }

  #sequence(node: Sequence, place: Place): Sequence {
    let isRunHit = false;
    const items = node.items.map((item): Node | Comment => {
      const asComment = item.kind === "comment" ? item : commentItem(item);
      if (asComment !== undefined) {
        const next = this.#comment(asComment, place, isRunHit);
        isRunHit ||= this.#isHitComment(asComment);
        return next;
      }
      const inner = isRunHit ? this.#place(place.parent, place.key, place.aad, true) : place;
      isRunHit = false;
      return this.#node(item as Node, inner);
    });
    return { ...node, items };
  }

  #node(node: Node, place: Place): Node {
    if (node.kind === "leaf") return this.#visitor.leaf(node, place);
    return node.kind === "mapping" ? this.#mapping(node, place) : this.#sequence(node, place);
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
function commentItem(item: Node): Comment | undefined {
  if (item.kind !== "leaf" || typeof item.value !== "string" || !isCommentCell(item.value)) return undefined;
  const span = item.span === undefined ? {} : { span: item.span };
  return { kind: "comment", text: item.value, inline: false, ...span };
}
