import path from "node:path";
import { describe, expect, it } from "vitest";
import { matchRule, noMatchingRule, ruleSubject } from "../../../src/config/rules.ts";
import { configOf, failureOf, keysOf, oneRule } from "./configs.ts";

async function matches(pattern: string, file: string): Promise<boolean> {
  const config = await configOf(oneRule(`path_regex: '${pattern}'`));
  return (await matchRule(config, file)) !== undefined;
}

describe("path patterns", () => {
  it.each([
    { name: "relative to the configuration (CF-11)", pattern: "^sub/", file: "/repo/sub/p.yaml", matching: true },
    { name: "cleaned first", pattern: "^sub/p", file: "/repo/x/.././sub//p.yaml", matching: true },
    { name: "anywhere in the path (CF-12)", pattern: "dev", file: "/repo/x/devel/y.yaml", matching: true },
    { name: "anchored at the end (CF-13)", pattern: "\\.dev\\.yaml$", file: "/repo/a.dev.yaml", matching: true },
    {
      name: "anchored at the end, another name (CF-13)",
      pattern: "\\.dev\\.yaml$",
      file: "/repo/p.yaml",
      matching: false,
    },
    {
      name: "outside the configuration's directory, absolute (CF-14)",
      pattern: "^/other/p",
      file: "/other/p.yaml",
      matching: true,
    },
    {
      name: "in a directory whose name only begins alike",
      pattern: "^/repository/",
      file: "/repository/p.yaml",
      matching: true,
    },
    { name: "empty matches all (CF-15)", pattern: "", file: "/other/p.yaml", matching: true },
    { name: "case counts", pattern: "^P", file: "/repo/p.yaml", matching: false },
    { name: "RE2 syntax", pattern: "(?i)^P\\.[[:alpha:]]+\\z", file: "/repo/p.yaml", matching: true },
  ])("$name", async ({ pattern, file, matching }) => {
    expect(await matches(pattern, file)).toBe(matching);
  });

  it.each([
    { name: "an invalid one (CF-16)", pattern: "(" },
    { name: "look-ahead (CF-18)", pattern: "(?=p)" },
    { name: "a back-reference", pattern: "(p)\\1" },
  ])("refuses $name", async ({ pattern }) => {
    const error = await failureOf(matches(pattern, "/repo/p.yaml"));
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message).toMatch(/^\.sops\.yaml:2:17: can not compile regexp: /);
    expect(error.hint).toContain("RE2");
  });
});

describe("which rule", () => {
  it("is the first that matches (CF-10)", async () => {
    expect(await keysOf("creation_rules:\n  - path_regex: yaml$\n    age: R1\n  - age: R2\n")).toEqual([["age:R1"]]);
  });

  it("is the next if the first does not match", async () => {
    const text = "creation_rules:\n  - path_regex: ^prod/\n    age: R2\n  - age: R1\n";
    expect(await keysOf(text, "p.yaml")).toEqual([["age:R1"]]);
    expect(await keysOf(text, "prod/x.yaml")).toEqual([["age:R2"]]); // CF-44: the name given in place of the file's
  });

  it("is not looked for in null items (CF-46)", async () => {
    expect(await keysOf("creation_rules:\n  -\n  - age: R1\n")).toEqual([["age:R1"]]);
  });

  it.each([
    { name: "pattern (CF-17)", second: "path_regex: '('" },
    { name: "key", second: "age: [5]" },
    { name: "selection", second: "{encrypted_regex: a, encrypted_suffix: b}" },
  ])("does not care for a wrong $name after it", async ({ second }) => {
    expect(await keysOf(`${oneRule("age: R1")}  - ${second}\n`)).toEqual([["age:R1"]]);
  });

  it("stops at a wrong pattern before it (F3)", async () => {
    const text = "creation_rules:\n  - path_regex: '('\n  - age: R1\n";
    expect((await failureOf(keysOf(text))).message).toContain("can not compile regexp: ");
  });

  it("is none, and the error lists the patterns (CF-19, F2)", async () => {
    const config = await configOf("creation_rules:\n  - path_regex: zzz\n  - path_regex: ^prod/\n");
    expect(await matchRule(config, "/repo/x/p.yaml")).toBeUndefined();
    expect(noMatchingRule(config, "/repo/x/p.yaml")).toMatchObject({
      code: "ERR_CONFIG",
      message: "error loading config: no matching creation rules found",
      hint: '.sops.yaml has no rule for "x/p.yaml"; its rules are for "zzz", "^prod/"',
    });
  });

  it("is none of an empty list, and of many the first are listed", async () => {
    const empty = await configOf("creation_rules: []\n");
    expect(await matchRule(empty, "/repo/p.yaml")).toBeUndefined();
    expect(noMatchingRule(empty, "/repo/p.yaml").hint).toBe('.sops.yaml has no rule for "p.yaml"');
    const listed = '"x", '.repeat(7) + '"x"';
    for (const [count, rest] of [
      [8, ""],
      [9, ", and 1 more"],
      [20, ", and 12 more"],
    ] as const) {
      const many = await configOf(`creation_rules: [${"{path_regex: x}, ".repeat(count)}]\n`);
      expect(noMatchingRule(many, "/repo/p.yaml").hint).toMatch(new RegExp(`its rules are for ${listed}${rest}$`));
    }
  });

  it("is none where a configuration has no rules at all", async () => {
    const config = await configOf("stores: {}\n");
    expect(await matchRule(config, "/repo/p.yaml")).toBeUndefined();
    expect(noMatchingRule(config, "/repo/p.yaml").hint).toBe('.sops.yaml has no rule for "p.yaml"');
  });
});

describe("what patterns are matched against", () => {
  it.each([
    { config: "/repo/.sops.yaml", file: "/repo/a/b.yaml", subject: "a/b.yaml" },
    { config: "/repo/conf/../.sops.yaml", file: "/repo/a.yaml", subject: "a.yaml" },
    { config: "/.sops.yaml", file: "/a/b.yaml", subject: "/a/b.yaml" }, // as in the reference
    { config: "/repo/.sops.yaml", file: "/repo.yaml", subject: "/repo.yaml" },
    { config: "/repo/.sops.yaml", file: "/repo/a\\b.yaml", subject: "a\\b.yaml" },
  ])("$file under $config: $subject", ({ config, file, subject }) => {
    expect(ruleSubject(config, file, path.posix)).toBe(subject);
  });

  it.each([
    { config: "C:\\repo\\.sops.yaml", file: "C:\\repo\\a\\b.yaml", subject: "a/b.yaml" },
    { config: "C:\\repo\\.sops.yaml", file: "D:\\a\\b.yaml", subject: "D:/a/b.yaml" },
    { config: "C:\\repo\\.sops.yaml", file: "C:/repo/a/b.yaml", subject: "a/b.yaml" },
  ])("on Windows, with slashes (I-39, F11): $file is $subject", ({ config, file, subject }) => {
    expect(ruleSubject(config, file, path.win32)).toBe(subject);
  });
});
