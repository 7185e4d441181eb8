import type { SelectionKind, SelectionRule } from "../document/selection.ts";
import type { SopsError } from "../errors.ts";

/** The fields that hold a selection rule, in the order in which the reference's messages list them. */
const SELECTION_FIELDS: readonly SelectionKind[] = [
  "encrypted_suffix",
  "unencrypted_suffix",
  "encrypted_regex",
  "unencrypted_regex",
  "encrypted_comment_regex",
  "unencrypted_comment_regex",
];

/**
 * Reads the selection rule of a file or of a creation rule, where an empty field counts as absent.
 *
 * @param patternOf - text of a field, `""` if there is none
 * @param conflict - makes the error for more than one; gets the names of all fields, as a sentence has them
 */
export function readSelection(
  patternOf: (kind: SelectionKind) => string,
  conflict: (names: string) => SopsError,
): SelectionRule | undefined {
  const rules = SELECTION_FIELDS.map((kind) => ({ kind, pattern: patternOf(kind) })).filter(
    (rule) => rule.pattern !== "",
  );
  if (rules.length > 1)
    throw conflict(`${SELECTION_FIELDS.slice(0, -1).join(", ")}, or ${SELECTION_FIELDS.at(-1) ?? ""}`);
  return rules[0];
}
