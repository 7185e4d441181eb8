// Changes whose new value stands among odd lines, as the fuzzer found them: what is decrypted is what was set.
import { describe, expect, it } from "vitest";
import { findEntry, leaf } from "../../src/document/model.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { set } from "../../src/operations/set.ts";
import { bench, policyOf } from "../support/operations.ts";

const CASES: readonly [text: string, key: string, value: string | number][] = [
  ["k: v  # a\n", "k", " x\n\ty"],
  ["a: |2#c\n  \n", "a", 1.5],
  ["a: 1\n\n---\nk: v\n", "a", "\n"],
  ["a: 1\n\n---", "a", "\n"],
  ["a: 1\n\n... # x| # c\n", "a", "\n"],
  ["a: 1[sops]\n\n...\n", "new key", "\n"],
  ["a: ry gA==\n", "new key", "a\n\n\n"],
  ["k: v\n\n # z\n\n---\n\n# y\n\nj: w\n", "new key", "a\n\n\n"],
  ['k: "x"# # a\n', "k", "-1"],
];

describe("a value set in layout keep", () => {
  it.each(CASES)("in %j, %s: %j", async (text, key, value) => {
    const { choice } = bench("yaml", "keep");
    const policy = policyOf("age1");
    const encrypted = await encrypt(Buffer.from(text), { ...choice, policy, strict: false, allowUnencrypted: true });
    const path = [{ kind: "key", key, literal: key }] as const;
    const changed = await set(encrypted, path, leaf(value), { ...choice, idempotent: false });
    const [document] = choice.output.read(await decrypt(changed ?? encrypted, choice)).documents;
    expect(document && findEntry(document, key)?.value).toMatchObject({ value });
  });
});
