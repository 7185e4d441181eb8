import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/config/load.ts";
import { SELECTION_KINDS } from "../../../src/document/selection.ts";
import { fakeBackends } from "../metadata/fake-backends.ts";
import { configOf, failureOf, keysOf, oneRule, policyOf } from "./configs.ts";

describe("keys of a rule", () => {
  it.each([
    { name: "a string", lines: ["age: R1"], keys: ["age:R1"] },
    { name: "a comma string", lines: ["age: R1, R2"], keys: ["age:R1", "age:R2"] },
    { name: "a comma string over lines (CF-25)", lines: ["age: >-", "  R1,", "  R2"], keys: ["age:R1", "age:R2"] },
    { name: "a literal block", lines: ["age: |", "  R1,", "  R2,"], keys: ["age:R1", "age:R2"] },
    { name: "a trailing comma (CF-26, I-41)", lines: ['age: "R1,"'], keys: ["age:R1"] },
    { name: "a list (CF-27)", lines: ["age: [R1, R2]"], keys: ["age:R1", "age:R2"] },
    { name: "a list item holding two (CF-51)", lines: ['age: ["R1,R2"]'], keys: ["age:R1", "age:R2"] },
    { name: "null and empty items", lines: ["age: [null, '', ~, R1]"], keys: ["age:R1"] },
    { name: "duplicates (F6)", lines: ["age: [R1, R2, R1]"], keys: ["age:R1", "age:R2"] },
    { name: "fingerprints in two letter cases (I-41)", lines: ["pgp: [ab, AB, cd]"], keys: ["pgp:ab", "pgp:cd"] },
    {
      name: "two of PGP and one of age (CF-54)",
      lines: ['pgp: "A, B"', "age: R1"],
      keys: ["age:R1", "pgp:A", "pgp:B"],
    },
    { name: "null", lines: ["age:"], keys: [] },
    { name: "none (CF-36)", lines: ["path_regex: p"], keys: [] },
    { name: "hckms as a string (CF-42)", lines: ['hckms: "a:b,c:d"'], keys: ["hckms:a:b", "hckms:c:d"] },
    { name: "hc_vault_uris (I-36)", lines: ["hc_vault_uris: u"], keys: ["hc_vault:u"] },
    {
      name: "both spellings",
      lines: ["hc_vault_uris: u", "hc_vault_transit_uri: v"],
      keys: ["hc_vault:v", "hc_vault:u"],
    },
    { name: "mappings as in groups (I-36)", lines: ["kms: [{arn: a}]"], keys: ["kms:a"] },
  ])("reads $name", async ({ lines, keys }) => {
    expect(await keysOf(oneRule(...lines))).toEqual([keys]);
  });

  it("orders them by type", async () => {
    const lines = [
      "hc_vault_transit_uri: v",
      "azure_keyvault: z",
      "hckms: [h]",
      "gcp_kms: g",
      "kms: k",
      "pgp: p",
      "age: a",
    ];
    const keys = ["age:a", "pgp:p", "kms:k", "gcp_kms:g", "hckms:h", "azure_kv:z", "hc_vault:v"];
    expect(await keysOf(oneRule(...lines))).toEqual([keys]);
  });

  it("gives kms keys the rule's profile and the flags' context (I-33), not the flags' profile", async () => {
    const defaults = { awsProfile: "flag", encryptionContext: { a: "b" } };
    expect(await keysOf(oneRule("kms: x", "aws_profile: yy"), "p.yaml", defaults)).toEqual([['kms:x/yy/{"a":"b"}']]);
    expect(await keysOf(oneRule("kms: x"), "p.yaml", defaults)).toEqual([['kms:x/{"a":"b"}']]);
    expect(await keysOf(oneRule("key_groups: [{kms: [{arn: x}, y]}]"), "p.yaml", defaults)).toEqual([
      ["kms:x", "kms:y"],
    ]);
  });

  it.each([
    { line: "age: [1]", message: "2:11: invalid age key configuration: expected string in list, got int" }, // CF-28
    { line: "kms: [R, 1.5]", message: "2:14: invalid kms key configuration: expected string in list, got float64" },
    { line: "pgp: [true]", message: "2:11: invalid pgp key configuration: expected string in list, got bool" },
    {
      line: "gcp_kms: [[a]]",
      message: "2:15: invalid gcp_kms key configuration: expected string in list, got []interface {}",
    },
    { line: "age: 5", message: "2:10: invalid age key configuration: expected string, []string, or nil, got int" },
    {
      line: "age: {a: b}",
      message: "2:10: invalid age key configuration: expected string, []string, or nil, got map[string]interface {}",
    },
    {
      line: "hc_vault_uris: [1]",
      message: "2:21: invalid hc_vault_uris key configuration: expected string in list, got int",
    },
    { line: "age: [R1, malformed]", message: "2:15: not a age key" }, // F8
    { line: "key_groups: [{pgp: [malformed]}]", message: "2:25: not a pgp key" },
  ])("refuses $line", async ({ line, message }) => {
    expect(await failureOf(policyOf(oneRule(line)))).toMatchObject({
      code: "ERR_CONFIG",
      message: `.sops.yaml:${message}`,
    });
  });
});

describe("key groups", () => {
  it.each([
    { name: "two (CF-29)", groups: "[{age: [R1]}, {age: [R2]}]", keys: [["age:R1"], ["age:R2"]] },
    { name: "a single one", groups: "[{age: [R1], pgp: [P]}]", keys: [["age:R1", "pgp:P"]] },
    { name: "an empty one (CF-36)", groups: "[{}]", keys: [[]] },
    { name: "null items", groups: "[null, {age: [null, R1]}]", keys: [["age:R1"]] },
    { name: "null lists", groups: "[{age: , merge: , pgp: [P]}]", keys: [["pgp:P"]] },
    { name: "a string for a list (CF-50)", groups: '[{age: "R1,R2"}]', keys: [["age:R1", "age:R2"]] },
    { name: "an item holding two", groups: '[{age: ["R1,R2", ""]}]', keys: [["age:R1", "age:R2"]] },
    {
      name: "a number, which fingerprints may be",
      groups: "[{pgp: [0123456789012345]}]",
      keys: [["pgp:0123456789012345"]],
    },
    {
      name: "strings for mappings (CF-42)",
      groups: "[{kms: [a], gcp_kms: [g], azure_keyvault: [z]}]",
      keys: [["kms:a", "gcp_kms:g", "azure_kv:z"]],
    },
    { name: "hc_vault_transit_uri (CF-42)", groups: "[{hc_vault_transit_uri: u}]", keys: [["hc_vault:u"]] },
    { name: "hc_vault", groups: "[{hc_vault: [u]}]", keys: [["hc_vault:u"]] },
    {
      name: "mappings, with numbers as text and without null",
      groups: "[{kms: [{arn: a, role: , context: {k: 5, n: }, aws_profile: p}]}]",
      keys: [['kms:a/{"k":"5"}/p']],
    },
    {
      name: "every type in order",
      groups: "[{hc_vault: [v], azure_keyvault: [z], hckms: [h], gcp_kms: [g], kms: [k], pgp: [p], age: [a]}]",
      keys: [["age:a", "pgp:p", "kms:k", "gcp_kms:g", "hckms:h", "azure_kv:z", "hc_vault:v"]],
    },
    {
      name: "merged ones first, without duplicates (CF-31)",
      groups: "[{merge: [{age: [R2]}, {age: [R2, R3]}], age: [R1, R2]}]",
      keys: [["age:R2", "age:R3", "age:R1"]],
    },
    {
      name: "merged ones in merged ones",
      groups: "[{merge: [{merge: [{pgp: [P]}], age: [R1]}, null], age: [R2]}]",
      keys: [["pgp:P", "age:R1", "age:R2"]],
    },
  ])("reads $name", async ({ groups, keys }) => {
    expect(await keysOf(oneRule(`key_groups: ${groups}`))).toEqual(keys);
  });

  it("put the rule's own keys out of force (CF-30)", async () => {
    expect(await keysOf(oneRule("age: [5]", "key_groups: [{age: [R1]}]"))).toEqual([["age:R1"]]);
  });

  it.each(["[]", "", "[null]"])("count as absent: key_groups: %s (CF-36)", async (groups) => {
    expect(await keysOf(oneRule("age: R1", `key_groups: ${groups}`))).toEqual([["age:R1"]]);
    expect(await keysOf(oneRule(`key_groups: ${groups}`))).toEqual([[]]);
  });

  it("stay small when aliases merge one into the next many times over", async () => {
    const names = Array.from({ length: 40 }, (_, index) => `g${String(index)}`);
    const groups = names.map((name, index) => {
      const merged = index === 0 ? "age: [R1]" : `merge: [*g${String(index - 1)}, *g${String(index - 1)}]`;
      return `  - &${name} {${merged}}\n`;
    });
    const text = `bombs:\n${groups.join("")}${oneRule("key_groups: [*g39]")}`;
    expect(await keysOf(text)).toEqual([["age:R1"]]);
  });
});

describe("other settings", () => {
  it.each(SELECTION_KINDS)("hands on %s (CF-39)", async (kind) => {
    const { selection } = await policyOf(oneRule("age: R1", `${kind}: ^b$`));
    expect(selection).toEqual({ kind, pattern: "^b$" });
  });

  it("has no selection unless there is one, and takes numbers for text", async () => {
    expect((await policyOf(oneRule("age: R1"))).selection).toBeUndefined();
    expect((await policyOf(oneRule("encrypted_suffix: ''"))).selection).toBeUndefined();
    expect((await policyOf(oneRule("encrypted_suffix: 5"))).selection?.pattern).toBe("5");
  });

  it("refuses two selections (CF-38)", async () => {
    expect(await failureOf(policyOf(oneRule("age: R1", "encrypted_regex: a", "unencrypted_suffix: b")))).toMatchObject({
      code: "ERR_CONFIG",
      message:
        "error loading config: cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, " +
        "unencrypted_regex, encrypted_comment_regex, or unencrypted_comment_regex for the same rule",
      hint: "the rule stands at .sops.yaml:2:5",
    });
  });

  it("hands on the threshold, whatever it is (CF-32, CF-33, CF-34), mac_only_encrypted (CF-39) and integrity", async () => {
    const text = oneRule("age: R1", "shamir_threshold: 3", "mac_only_encrypted: true", "integrity: true");
    expect(await policyOf(text)).toMatchObject({ shamirThreshold: 3, macOnlyEncrypted: true, integrity: true });
    expect(await policyOf(oneRule("age: R1"))).toMatchObject({
      ...{ shamirThreshold: 0, macOnlyEncrypted: false, integrity: false },
    });
  });
});

it("ignores key lists of types that have no backend", async () => {
  const onlyAge = fakeBackends.filter(({ type }) => type === "age");
  const text = oneRule("age: R1", "pgp: P");
  const config = await parseConfig(Buffer.from(text), { path: "/repo/.sops.yaml", name: "c" }, onlyAge);
  expect(config.creationRules?.[0]?.flatKeys.map(({ type }) => type)).toEqual(["age"]);
  expect(config.warnings).toEqual(['c:3:5: ignoring the unknown field "pgp"']);
  expect((await configOf(text)).warnings).toEqual([]);
});
