import { describe, expect, it } from "vitest";
import { leaf } from "../../../src/document/model.ts";
import { parseTreePath } from "../../../src/document/path.ts";
import { set } from "../../../src/operations/set.ts";
import { bench, policyOf } from "../../support/operations.ts";

/** In the reference's layout the comment behind `[]` comes to stand above `j`, and decides about that. */
const TEXT = "k: [] # secret\nj: v\n# secret\nz: w\n";
const policy = { ...policyOf("age1"), selection: { kind: "encrypted_comment_regex", pattern: "secret" } } as const;

describe("a comment that decides what is encrypted and comes to stand elsewhere", () => {
  it("makes no file that does not open again", async () => {
    const failure = bench("yaml", "reference").encrypt(TEXT, policy);
    await expect(failure).rejects.toMatchObject({ code: "ERR_EMIT" });
    await expect(failure).rejects.toThrow(/\["j"\] would not open again/);
  });

  it("stays where it is in a layout that keeps the text", async () => {
    const at = bench("yaml");
    expect(await at.decrypt(await at.encrypt(TEXT, policy))).toBe(TEXT);
  });

  it("does not let a value be set so either", async () => {
    const at = bench("yaml");
    const encrypted = Buffer.from(await at.encrypt(TEXT, policy));
    const path = parseTreePath('["j"]', "ERR_PATH");
    const options = { ...at.choice, idempotent: false };
    expect(await set(encrypted, path, leaf("new"), options)).toBeDefined();
    await expect(set(encrypted, path, leaf("new"), { ...options, layout: "reference" })).rejects.toMatchObject({
      code: "ERR_EMIT",
    });
  });
});
