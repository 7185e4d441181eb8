import { describe, expect, it } from "vitest";
import { compileSelection, SELECT_ALL, SELECTION_KINDS } from "../../../src/document/selection.ts";

describe("a selection", () => {
  it.each([
    { kind: "unencrypted_suffix", by: "key", hitMeansEncrypted: false, hits: ["a_x", "_x"], misses: ["_xa", "x"] },
    { kind: "encrypted_suffix", by: "key", hitMeansEncrypted: true, hits: ["a_x"], misses: ["_xa"] },
    { kind: "unencrypted_regex", by: "key", hitMeansEncrypted: false, hits: ["a_xa"], misses: ["x"] },
    { kind: "encrypted_regex", by: "key", hitMeansEncrypted: true, hits: ["_x"], misses: ["x_"] },
    { kind: "unencrypted_comment_regex", by: "comment", hitMeansEncrypted: false, hits: [" _x "], misses: [""] },
    { kind: "encrypted_comment_regex", by: "comment", hitMeansEncrypted: true, hits: [" _x"], misses: [" x"] },
  ] as const)("by $kind", async ({ kind, by, hitMeansEncrypted, hits, misses }) => {
    const rule = { kind, pattern: "_x" };
    const selection = await compileSelection(rule);
    expect(selection).toMatchObject({ rule, by, hitMeansEncrypted });
    for (const text of hits) expect(selection.hits(text)).toBe(true);
    for (const text of misses) expect(selection.hits(text)).toBe(false);
  });

  it.each(SELECTION_KINDS.filter((kind) => kind.endsWith("_regex")))("names the field of a bad %s", async (kind) => {
    await expect(compileSelection({ kind, pattern: "(" })).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: `${kind}: can not compile regexp: "(" is not a pattern of RE2`,
      hint: expect.stringContaining("RE2") as string,
    });
  });

  it.each(["(", "a+"])("by suffix is no pattern: %s", async (pattern) => {
    const selection = await compileSelection({ kind: "encrypted_suffix", pattern });
    expect(selection.hits(`a${pattern}`)).toBe(true);
    expect(selection.hits("aa")).toBe(false);
  });

  it("of everything is hit by nothing, and encrypts what is not hit", () => {
    expect(SELECT_ALL).toMatchObject({ by: "key", hitMeansEncrypted: false });
    expect(SELECT_ALL.hits("_unencrypted")).toBe(false);
  });
});
