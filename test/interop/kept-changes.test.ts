// Changes whose new value stands among odd lines, as the fuzzer found them: what is decrypted is what was meant.
import { describe, expect, it } from "vitest";
import { firstDifference } from "../../src/document/compare.ts";
import { leaf } from "../../src/document/model.ts";
import { withNodeAt, withoutNodeAt } from "../../src/document/path.ts";
import type { SelectionRule } from "../../src/document/selection.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { set, unset } from "../../src/operations/set.ts";
import { bench, policyOf } from "../support/operations.ts";

interface Change {
  readonly text: string;
  readonly key: string;
  /** What is set; undefined where the key is removed. */
  readonly value?: string | number | bigint | boolean;
  /** Whether the text has no place for the value where that is not encrypted: it is refused, and the file stays. */
  readonly isRefusedInClear?: true;
}

const CHANGES: readonly Change[] = [
  { text: "a: ry gA==\n\u0085", key: "new key", value: "a\n\n\n" },
  { text: "k:\n  l:\n    - v\n \u0085z: 1\n", key: "k", value: "a\n\n\n", isRefusedInClear: true },
  { text: "k: v\u2028 # a\n", key: "k", value: " x\n\ty", isRefusedInClear: true },
  { text: "a: |2#c\n  ", key: "a", value: 1.5 },
  { text: "a: 1\n\n---\nk: v\n", key: "a", value: "\n" },
  { text: 'k: "x"# # a\n', key: "k", value: -1n },
  { text: 'k: "x"# # a\n', key: "k", value: true },
  { text: 'k: "x"# # a\n', key: "k", value: 1.5 },
  { text: "k: 'x'# # a\n", key: "k", value: "y" },
  { text: "k: v\n\n     # z\n\n---\n\n# y\n\nj: w\n", key: "new key", value: "a\n\n\n" },
  { text: "a: 1[sops]\n\n...\n", key: "new key", value: "\n" },
  { text: "---\n!t # a\n\nk: v\n", key: "k" },
  { text: "a: 1\n\n---", key: "a", value: "\n" },
  { text: "a: 1\n\n... # x| # c\n", key: "a", value: "\n" },
];

/** Values that are encrypted, values that are not, and those that a comment rules over. */
const RULES: readonly SelectionRule[] = [
  { kind: "unencrypted_suffix", pattern: "_unencrypted" },
  { kind: "encrypted_regex", pattern: "^none$" },
  { kind: "unencrypted_comment_regex", pattern: "^ [A-Z]" },
  { kind: "encrypted_comment_regex", pattern: "e" },
  { kind: "unencrypted_regex", pattern: "[0-9]|s" },
];

describe.each(RULES)("a change in layout keep, $kind", (selection) => {
  it.each(CHANGES)("$text: $key, $value", async ({ text, key, value, isRefusedInClear }) => {
    const { choice } = bench("yaml", "keep");
    const policy = { ...policyOf("age1"), selection };
    const encrypted = await encrypt(Buffer.from(text), { ...choice, policy, strict: false, allowUnencrypted: true });
    const path = [{ kind: "key", key, literal: key }] as const;
    const [first, ...others] = choice.output.read(await decrypt(encrypted, choice)).documents;
    if (first === undefined) throw new Error("no document");
    const options = { ...choice, idempotent: false };
    const change = value === undefined ? unset(encrypted, path, options) : set(encrypted, path, leaf(value), options);
    if (isRefusedInClear === true && selection.kind.startsWith("encrypted_")) {
      await expect(change).rejects.toMatchObject({ code: "ERR_EMIT" });
      return;
    }
    const result = choice.output.read(await decrypt((await change) ?? encrypted, choice)).documents;
    const meant = value === undefined ? withoutNodeAt(first, path) : withNodeAt(first, path, leaf(value));
    expect(firstDifference([meant, ...others], result, { withComments: false })).toBeUndefined();
  });
});
