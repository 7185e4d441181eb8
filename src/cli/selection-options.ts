import { SELECTION_KINDS, type SelectionRule } from "../document/selection.ts";
import { SopsError } from "../errors.ts";
import type { OptionName, OptionValues } from "./options.ts";

/**
 * The selection that options and a rule give together: an option overrides the same setting of the rule and leaves the
 * others, of which at most one may be there in the end (cli-behaviour.md 2.0).
 *
 * @throws {SopsError} ERR_CONFLICTING_OPTIONS for two of them
 */
export function selectionFromOptions(values: OptionValues, rule: SelectionRule | undefined): SelectionRule | undefined {
  const given = SELECTION_KINDS.flatMap((kind) => {
    const pattern = values[kind.replaceAll("_", "-") as Extract<OptionName, `${string}-suffix` | `${string}-regex`>];
    return pattern === undefined || pattern === "" ? [] : [{ kind, pattern }];
  });
  const isOverridden = given.some(({ kind }) => kind === rule?.kind);
  const all = rule === undefined || isOverridden ? given : [...given, rule];
  if (all.length > 1) {
    throw new SopsError(
      "ERR_CONFLICTING_OPTIONS",
      "Error: cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex in the same file",
      {
        hint: `given are ${all.map(({ kind }) => kind).join(" and ")}, by option or by the rule of the configuration file`,
      },
    );
  }
  return all[0];
}
