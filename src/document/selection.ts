import { compilePattern } from "../go/re2.ts";

/** The six fields of the metadata that choose values, of which a file has at most one (file-format.md 3.1). */
export const SELECTION_KINDS = [
  "unencrypted_suffix",
  "encrypted_suffix",
  "unencrypted_regex",
  "encrypted_regex",
  "unencrypted_comment_regex",
  "encrypted_comment_regex",
] as const;

/** Name of a selection field. */
export type SelectionKind = (typeof SELECTION_KINDS)[number];

/** Which values of a file are encrypted, as it is stored. */
export interface SelectionRule {
  readonly kind: SelectionKind;
  readonly pattern: string;
}

/** What a file without any selection field means, and what is written when a user asks for none. */
export const DEFAULT_SELECTION: SelectionRule = { kind: "unencrypted_suffix", pattern: "_unencrypted" };

/**
 * A rule made ready to use: whether a key (or a comment, for the two comment rules) is hit, and what a hit means.
 * A hit decides for everything below it.
 */
export interface Selection {
  readonly rule: SelectionRule;
  readonly by: "key" | "comment";
  /** What a hit leads to; values without a hit get the opposite. */
  readonly hitMeansEncrypted: boolean;
  hits(text: string): boolean;
}

/** Everything is encrypted: binary files. */
export const SELECT_ALL: Selection = {
  rule: DEFAULT_SELECTION,
  by: "key",
  hitMeansEncrypted: false,
  hits: () => false,
};

/** @throws {ConfigError} if the rule holds a pattern that RE2 does not accept */
export async function compileSelection(rule: SelectionRule): Promise<Selection> {
  const common = {
    rule,
    by: rule.kind.includes("comment") ? "comment" : "key",
    hitMeansEncrypted: rule.kind.startsWith("encrypted_"),
  } as const;
  if (rule.kind.endsWith("_suffix")) return { ...common, hits: (key) => key.endsWith(rule.pattern) };
  const pattern = await compilePattern(rule.pattern, rule.kind);
  return { ...common, hits: (text) => pattern.matches(text) };
}
