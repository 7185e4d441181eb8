import { describe, expect, it } from "vitest";
import { compilePattern } from "../../../src/go/re2.ts";

describe("RE2 patterns", () => {
  it.each([
    ["^(data|stringData)$", "data", true],
    ["^(data|stringData)$", "metadata", false],
    ["data", "metadata", true],
    ["^pass", "password", true],
    ["^pass", "bypass", false],
    ["_secret$", "db_secret", true],
    ["word$", "words", false],
    ["^exact$", "exact", true],
    ["^(a|)$", "", true],
    ["", "anything", true],
    ["^", "anything", true],
    ["^$", "", true],
    ["^$", "anything", false],
    ["(?i)PASS", "my-password", true],
    ["(?P<name>a+)b", "xaab", true],
    ["\\Apre", "prefix", true],
    ["[[:digit:]]{3}", "a123", true],
    ["\\pL", "1é", true],
    ["^.$", "😀", true],
    ["\\.enc\\.ya?ml$", "a.enc.yaml", true],
  ])("%s on %s", async (pattern, text, matches) => {
    expect((await compilePattern(pattern, "place")).matches(text)).toBe(matches);
  });

  it.each(["(", "(?=a)", "(?<!a)b", "(a)\\1", "a{1001}", "\\8", "[z-a]"])("refuses %s", async (pattern) => {
    await expect(compilePattern(pattern, "place")).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringMatching(/^place: can not compile regexp: "/) as string,
      hint: expect.stringContaining("RE2") as string,
    });
  });

  it("takes no longer for a pattern that hangs JavaScript's own engine", async () => {
    const pattern = await compilePattern("(a+)+$", "place");
    expect(pattern.matches(`${"a".repeat(5000)}b`)).toBe(false);
  });
});
