import { describe, expect, it } from "vitest";
import { configOf, failureOf, oneRule } from "./configs.ts";

const PREFIX = "error loading config: Could not unmarshal config file: .sops.yaml:";

describe("types", () => {
  it.each([
    { name: "a list at the top", text: "- a\n", at: "1:1: expected a mapping with creation_rules, got a list" },
    { name: "text at the top", text: "text\n", at: "1:1: expected a mapping with creation_rules, got text" },
    {
      name: "rules that are text (CF-56)",
      text: "creation_rules: text\n",
      at: "1:17: expected a list of creation rules, got text",
    },
    {
      name: "rules that are a mapping",
      text: "creation_rules: {}\n",
      at: "1:17: expected a list of creation rules, got a mapping",
    },
    { name: "a rule that is text", text: "creation_rules: [x]\n", at: "1:18: expected a creation rule, got text" },
    { name: "a rule that is a list", text: "creation_rules: [[]]\n", at: "1:18: expected a creation rule, got a list" },
    { name: "a pattern that is a list", text: oneRule("path_regex: [a]"), at: "2:17: expected text, got a list" },
    {
      name: "a threshold in words (CF-58)",
      text: oneRule("age: R", "shamir_threshold: two"),
      at: "3:23: expected a whole number, got text",
    },
    {
      name: "a threshold in quotes",
      text: oneRule("shamir_threshold: '2'"),
      at: "2:23: expected a whole number, got text",
    },
    {
      name: "half a threshold",
      text: oneRule("shamir_threshold: 2.5"),
      at: "2:23: expected a whole number, got a number",
    },
    {
      name: "a threshold that is true",
      text: oneRule("shamir_threshold: true"),
      at: "2:23: expected a whole number, got true or false",
    },
    {
      name: "a number for a boolean",
      text: oneRule("mac_only_encrypted: 1"),
      at: "2:25: expected true or false, got a number",
    },
    {
      name: "text for a boolean",
      text: oneRule("mac_only_encrypted: 'true'"),
      at: "2:25: expected true or false, got text",
    },
    {
      name: "groups that are a mapping",
      text: oneRule("key_groups: {age: [R]}"),
      at: "2:17: expected a list of key groups, got a mapping",
    },
    { name: "a group that is text", text: oneRule("key_groups: [x]"), at: "2:18: expected a key group, got text" },
    {
      name: "a merge that is a mapping",
      text: oneRule("key_groups: [{merge: {age: [R]}}]"),
      at: "2:26: expected a list of key groups, got a mapping",
    },
    {
      name: "a list in a group's list",
      text: oneRule("key_groups: [{age: [[R]]}]"),
      at: "2:25: expected text, or a list of text or mappings",
    },
    {
      name: "a mapping for a group's list",
      text: oneRule("key_groups: [{kms: {arn: a}}]"),
      at: "2:24: expected text, or a list of text or mappings",
    },
    {
      name: "a list in a key",
      text: oneRule("key_groups: [{kms: [{arn: [a]}]}]"),
      at: "2:31: expected text, got a list",
    },
    { name: "stores that are text", text: "stores: x\n", at: "1:9: expected a mapping of stores, got text" },
    {
      name: "settings that are text",
      text: "stores: {dotenv: x}\n",
      at: "1:18: expected a mapping of settings, got text",
    },
    {
      name: "an indent in words (CF-57)",
      text: "stores: {json: {indent: many}}\n",
      at: "1:25: expected a whole number, got text",
    },
    {
      name: "an indent in quotes",
      text: "stores: {yaml: {indent: '2'}}\n",
      at: "1:25: expected a whole number, got text",
    },
    {
      name: "destination rules that are text",
      text: "destination_rules: x\n",
      at: "1:20: expected a list of destination rules, got text",
    },
    {
      name: "a version of kv in words",
      text: "destination_rules: [{vault_kv_version: x}]\n",
      at: "1:40: expected a whole number, got text",
    },
    {
      name: "a number for omit_extensions",
      text: "destination_rules: [{omit_extensions: 1}]\n",
      at: "1:39: expected true or false, got a number",
    },
    {
      name: "a recreation rule that is text",
      text: "destination_rules: [{recreation_rule: x}]\n",
      at: "1:39: expected a creation rule, got text",
    },
  ])("refuses $name", async ({ text, at }) => {
    expect(await failureOf(configOf(text))).toMatchObject({ code: "ERR_CONFIG", message: PREFIX + at });
  });

  it.each([
    { written: "2", threshold: 2 },
    { written: "2.0", threshold: 2 },
    { written: "0x2", threshold: 2 },
    { written: "-1", threshold: -1 },
    { written: "", threshold: 0 },
    { written: "null", threshold: 0 },
  ])("reads the threshold $written as $threshold", async ({ written, threshold }) => {
    const { creationRules } = await configOf(oneRule(`shamir_threshold: ${written}`));
    expect(creationRules?.[0]?.shamirThreshold).toBe(threshold);
  });

  it.each([
    ...["true", "True", "TRUE", "yes", "on", "y", "Y"].map((written) => ({ written, expected: true })),
    ...["false", "no", "off", "n", "N", "null", ""].map((written) => ({ written, expected: false })),
  ])("reads the boolean $written as $expected", async ({ written, expected }) => {
    const { creationRules } = await configOf(oneRule(`mac_only_encrypted: ${written}`));
    expect(creationRules?.[0]?.macOnlyEncrypted).toBe(expected);
  });

  it.each([
    { written: "1.50", text: "1.50" },
    { written: "true", text: "true" },
    { written: "'a''b'", text: "a'b" },
    { written: '"\\x61"', text: "a" },
    { written: "null", text: "" },
    { written: "", text: "" },
  ])("takes $written for text as it is written", async ({ written, text }) => {
    const { creationRules } = await configOf(oneRule(`path_regex: ${written}`));
    expect(creationRules?.[0]?.pathRegex.text).toBe(text);
  });
});

describe("stores", () => {
  it.each([
    { text: "stores:\n", stores: {} },
    { text: "stores: {yaml: , dotenv: {}, ini: {a: 1}}\n", stores: {} },
    { text: "stores: {yaml: {indent: 2}}\n", stores: { yaml: 2 } },
    { text: "stores: {yaml: {indent: 0}}\n", stores: {} },
    { text: "stores: {yaml: {indent: -3}}\n", stores: { yaml: -3 } }, // CF-49: refused by who writes YAML
    { text: "stores: {json: {indent: 0}, json_binary: {indent: -1}}\n", stores: { json: 0, jsonBinary: -1 } },
    { text: "stores: {json: {indent: 2.0}}\n", stores: { json: 2 } },
  ])("reads $text", async ({ text, stores }) => {
    expect((await configOf(text)).stores).toEqual(stores);
  });
});

describe("unknown fields (I-36, F7)", () => {
  it.each([
    { name: "of a rule", text: oneRule("age: R", "foo: bar"), warnings: ['3:5: ignoring the unknown field "foo"'] },
    {
      name: "with the nearest name",
      text: oneRule("pgp_keys: R"),
      warnings: ['2:5: ignoring the unknown field "pgp_keys"; did you mean "pgp"?'],
    },
    {
      name: "in another letter case",
      text: oneRule("Age: R"),
      warnings: ['2:5: ignoring the unknown field "Age"; did you mean "age"?'],
    },
    {
      name: "mistyped",
      text: oneRule("pathregex: R"),
      warnings: ['2:5: ignoring the unknown field "pathregex"; did you mean "path_regex"?'],
    },
    {
      name: "of a group",
      text: oneRule("key_groups: [{azure_keyvalt: [x]}]"),
      warnings: ['2:19: ignoring the unknown field "azure_keyvalt"; did you mean "azure_keyvault"?'],
    },
    {
      name: "of a destination rule",
      text: "destination_rules: [{s3_buket: x}]\n",
      warnings: ['1:22: ignoring the unknown field "s3_buket"; did you mean "s3_bucket"?'],
    },
    {
      name: "of a recreation rule",
      text: "destination_rules: [{recreation_rule: {x: y}}]\n",
      warnings: ['1:40: ignoring the unknown field "x"'],
    },
    {
      name: "at the top, mistyped",
      text: "creation_rule: []\n",
      warnings: ['1:1: ignoring the unknown field "creation_rule"; did you mean "creation_rules"?'],
    },
    { name: "at the top, others (CF-40)", text: "keys: []\nanchors: {}\nx: 1\n", warnings: [] },
    {
      name: "control characters are escaped",
      text: oneRule('"\\e[2J": R'),
      warnings: ['2:5: ignoring the unknown field "\\u001b[2J"'],
    },
  ])("$name", async ({ text, warnings }) => {
    expect((await configOf(text)).warnings).toEqual(warnings.map((warning) => `.sops.yaml:${warning}`));
  });

  it("does not warn of any field that is documented", async () => {
    const text = oneRule(
      "path_regex: x",
      "kms: a",
      "aws_profile: a",
      "age: a",
      "pgp: a",
      "gcp_kms: a",
      "azure_keyvault: a",
      "hc_vault_transit_uri: a",
      "hc_vault_uris: a",
      "hckms: [a]",
      "key_groups: [{merge: [], age: [], pgp: [], kms: [], gcp_kms: [], hckms: [], azure_keyvault: [], hc_vault: []}]",
      "shamir_threshold: 1",
      "unencrypted_suffix: ''",
      "encrypted_suffix: ''",
      "unencrypted_regex: ''",
      "encrypted_regex: ''",
      "unencrypted_comment_regex: ''",
      "encrypted_comment_regex: ''",
      "mac_only_encrypted: true",
      "integrity: true",
    );
    expect((await configOf(text)).warnings).toEqual([]);
  });
});
