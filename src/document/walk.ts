import { isCommentCell } from "./cell.ts";
import type { Comment, Entry, Leaf, Mapping, Node, Sequence } from "./model.ts";
import type { Selection } from "./selection.ts";

/** The path of a node as a linked list, from the node up; list positions are not part of it (file-format.md 1.7). */
export interface Path {
  readonly parent: Path | undefined;
  readonly key: string;
}

/** Where a leaf or comment stands and what the rules say about it. */
export interface Place {
  readonly path: Path | undefined;
  /** All keys joined with `:` and a final one: what binds a cell to its path (file-format.md 2.4). */
  readonly aad: string;
  readonly isSelected: boolean;
}

/** What becomes of each leaf and comment, called in document order. */
export interface Visitor {
  leaf(leaf: Leaf, place: Place): Leaf;
  /** Also called for list items that hold an encrypted comment, as the reference stores them. */
  comment(comment: Comment, place: Place): Comment;
  /** A key that was no string; the visitor throws. */
  nonStringKey(path: Path): never;
}

/** The keys from the root to the node. */
export function keysOf(path: Path | undefined): string[] {
  const keys: string[] = [];
  for (let step = path; step !== undefined; step = step.parent) keys.push(step.key);
  return keys.reverse();
}

/** What holds for a whole container. */
interface Scope {
  readonly path: Path | undefined;
  readonly aad: string;
  /** Whether a key above, or a comment that governs a container above, was hit. */
  readonly isHit: boolean;
}

/** Rebuilds trees with every leaf and comment replaced by what the visitor makes of it. */
export function mapTrees(documents: readonly Mapping[], selection: Selection, visitor: Visitor): Mapping[] {
  const walker = new Walker(selection, visitor);
  return documents.map((document) => walker.mapping(document, { path: undefined, aad: "", isHit: false }));
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

  mapping(node: Mapping, scope: Scope): Mapping {
    let isRunHit = false; // a comment since the last entry was hit
    const items = node.items.map((item): Entry | Comment => {
      if (item.kind === "comment") {
        const next = this.#comment(item, scope, isRunHit);
        isRunHit ||= this.#isHitComment(item);
        return next;
      }
      const inner = this.#enter(scope, item, isRunHit);
      isRunHit = false;
      return { ...item, value: this.#node(item.value, inner) };
    });
    return { ...node, items };
  }

  #sequence(node: Sequence, scope: Scope): Sequence {
    let isRunHit = false;
    const items = node.items.map((item): Node | Comment => {
      const asComment = item.kind === "comment" ? item : commentItem(item);
      if (asComment !== undefined) {
        const next = this.#comment(asComment, scope, isRunHit);
        isRunHit ||= this.#isHitComment(asComment);
        return next;
      }
      const inner = isRunHit ? { ...scope, isHit: true } : scope;
      isRunHit = false;
      return this.#node(item as Node, inner);
    });
    return { ...node, items };
  }

  #node(node: Node, scope: Scope): Node {
    if (node.kind === "mapping") return this.mapping(node, scope);
    if (node.kind === "sequence") return this.#sequence(node, scope);
    return this.#visitor.leaf(node, { ...scope, isSelected: this.#decide(scope.isHit) });
  }

  #enter(scope: Scope, entry: Entry, isRunHit: boolean): Scope {
    const path = { parent: scope.path, key: entry.key };
    if (entry.nonString === true) this.#visitor.nonStringKey(path);
    const isHit = scope.isHit || (this.#byKey ? this.#selection.hits(entry.key) : isRunHit);
    return { path, aad: `${scope.aad}${entry.key}:`, isHit };
  }

  #comment(comment: Comment, scope: Scope, isRunHit: boolean): Comment {
    // Under unencrypted_comment_regex a comment counts for itself, under encrypted_comment_regex it does not
    // (file-format.md 3.3): either way the matching comment itself stays readable.
    const isOwnHit = !this.#selection.hitMeansEncrypted && this.#isHitComment(comment);
    const isSelected = this.#decide(scope.isHit || isRunHit || isOwnHit);
    return this.#visitor.comment(comment, { path: scope.path, aad: scope.aad === "" ? ":" : scope.aad, isSelected });
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
