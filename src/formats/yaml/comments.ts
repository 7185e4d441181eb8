/**
 * Which container a comment line belongs to (file-format.md 7.2.3).
 *
 * Above an entry it is easy: the container of that entry. Where blocks end between the comments and what follows, the
 * reference goes by columns, and by blank lines where columns do not decide; and in one case it goes wrong. Its cells
 * carry the path of the container, so both are followed here.
 */

/** A comment line that waits for what follows it. */
export interface PendingComment {
  /** From the comment character to the end of the line. */
  readonly start: number;
  readonly end: number;
  readonly column: number;
  /** Whether a blank line stands between it and the comment or the content above. */
  readonly afterBlank: boolean;
}

/** What the placement of comments depends on, beside the comments. */
export interface Surroundings {
  /** Column of the innermost open block. */
  readonly innermost: number;
  /** Column of what follows; -1 at the end of the document. */
  readonly nextColumn: number;
  /** Whether a blank line stands between the last comment and what follows. */
  readonly blankBefore: boolean;
  /** Whether what stands above is a `key:` without a value. */
  readonly afterKey: boolean;
}

/** Comments in a row that go to one place: the innermost open container, the block at a column, or before what follows. */
export interface CommentGroup {
  readonly place: "innermost" | "column" | "next";
  /** Column of its first comment. */
  readonly column: number;
  readonly comments: readonly PendingComment[];
}

/** Splits comment lines that stand between two pieces of content into groups, in order. */
export function groupComments(pending: readonly PendingComment[], around: Surroundings): CommentGroup[] {
  const { innermost } = around;
  const groups: CommentGroup[] = [];
  let current: PendingComment[] = [];
  let column = -1;
  let isFirst = true; // whether the group follows the content above directly, not another group
  let metBlank = false;
  const finish = (place: CommentGroup["place"]): void => {
    if (current.length > 0) groups.push({ place, column, comments: current });
    current = [];
  };
  const endFoot = (isDedented: boolean): void => {
    finish(isFirst && !isDedented ? "innermost" : "column");
    isFirst = false;
  };
  const passBlank = (): void => {
    const isDedented = column < innermost;
    if (current.length > 0 && !metBlank && (isDedented || (isFirst && !around.afterKey))) endFoot(isDedented);
    metBlank = true;
  };
  /** What stands further out than the innermost block, and at another column than the group, ends the group. */
  const meet = (at: number): void => {
    if (current.length > 0 && at < innermost && at !== column) endFoot(false);
  };
  for (const comment of pending) {
    if (comment.afterBlank) passBlank();
    meet(comment.column);
    if (current.length === 0) column = comment.column;
    current.push(comment);
  }
  if (around.blankBefore || around.nextColumn < 0) passBlank();
  if (around.nextColumn >= 0) meet(around.nextColumn);
  finish("next");
  return groups;
}
