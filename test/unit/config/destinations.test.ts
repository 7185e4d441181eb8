import { describe, expect, it } from "vitest";
import { matchDestination, type Destination } from "../../../src/config/destinations.ts";
import { policyFromRule } from "../../../src/config/policy.ts";
import { fakeBackends } from "../metadata/fake-backends.ts";
import { configOf, failureOf } from "./configs.ts";

async function publication(
  rules: string,
  filePath = "/repo/x/e.yaml",
  givenPath = "e.yaml",
): ReturnType<typeof matchDestination> {
  return matchDestination(await configOf(`destination_rules: ${rules}\n`), filePath, givenPath);
}

describe("destinations", () => {
  const vault = { kind: "vault", address: "", mount: "secret/", path: "p/", version: 2 } as const;

  it.each<{ rule: string; destination: Destination }>([
    { rule: "{s3_bucket: b}", destination: { kind: "s3", bucket: "b", prefix: "" } },
    { rule: "{s3_bucket: b, s3_prefix: p/}", destination: { kind: "s3", bucket: "b", prefix: "p/" } },
    { rule: "{gcs_bucket: b, gcs_prefix: p}", destination: { kind: "gcs", bucket: "b", prefix: "p" } },
    { rule: "{vault_path: p}", destination: vault },
    { rule: "{vault_path: p/, vault_kv_version: 7}", destination: vault },
    { rule: "{vault_path: p, vault_kv_version: 1}", destination: { ...vault, version: 1 } },
    { rule: "{vault_path: p, vault_kv_mount_name: m}", destination: { ...vault, mount: "m/" } },
    { rule: "{vault_path: p, vault_address: 'https://v:1'}", destination: { ...vault, address: "https://v:1" } },
    { rule: "{s3_bucket: b, vault_address: 'https://v:1'}", destination: { kind: "s3", bucket: "b", prefix: "" } },
  ])("reads $rule", async ({ rule, destination }) => {
    expect((await publication(`[${rule}]`)).destination).toEqual(destination);
  });

  it.each([
    { name: "two", rule: "{s3_bucket: b, gcs_bucket: c}" },
    { name: "Vault and another", rule: "{s3_bucket: b, vault_path: c}" },
  ])("refuses $name in one rule", async ({ rule }) => {
    expect(await failureOf(publication(`[${rule}]`))).toMatchObject({
      code: "ERR_CONFIG",
      message:
        "error loading config: more than one destinations were found in a single destination rule, you can only use one per rule",
      hint: "the rule stands at .sops.yaml:1:21",
    });
  });

  it("refuses a rule without any", async () => {
    expect((await failureOf(publication("[{path_regex: ''}]"))).message).toBe(
      "no destination configured for this file",
    );
  });

  it("are not looked at when files are encrypted (CF-55)", async () => {
    const { destinationRules } = await configOf("destination_rules: [{s3_bucket: b, gcs_bucket: c}]\n");
    expect(destinationRules[0]?.destinations).toHaveLength(2);
  });
});

describe("which rule", () => {
  it.each([
    {
      name: "the first that matches",
      rules: "[{path_regex: z, s3_bucket: a}, {path_regex: e, s3_bucket: b}, {s3_bucket: c}]",
      bucket: "b",
    },
    { name: "relative to the configuration (I-27)", rules: "[{path_regex: ^x/, s3_bucket: a}]", bucket: "a" },
    { name: "or as the path was given", rules: "[{path_regex: ^e, s3_bucket: a}]", bucket: "a" },
  ])("$name", async ({ rules, bucket }) => {
    expect((await publication(rules)).destination).toMatchObject({ bucket });
  });

  it.each(["", "[]", "[{path_regex: z, s3_bucket: a}]"])("none: %s", async (rules) => {
    expect((await failureOf(publication(rules))).message).toBe(
      "error loading config: no matching destination found in config",
    );
  });

  it("refuses a pattern that RE2 does not know, which the reference passes over", async () => {
    const error = await failureOf(publication("[{path_regex: '(', s3_bucket: a}, {s3_bucket: b}]"));
    expect(error.message).toMatch(/^\.sops\.yaml:1:34: can not compile regexp: /);
  });
});

describe("recreation rules", () => {
  it("are creation rules", async () => {
    const { rule } = await publication(
      "[{s3_bucket: b, omit_extensions: true, recreation_rule: {age: R1, encrypted_suffix: s, shamir_threshold: 2}}]",
    );
    expect(rule.omitExtensions).toBe(true);
    if (rule.recreationRule === undefined) throw new Error("a recreation rule was expected");
    expect(policyFromRule(rule.recreationRule, fakeBackends, {})).toMatchObject({
      keyGroups: [[{ type: "age", id: "R1" }]],
      selection: { kind: "encrypted_suffix", pattern: "s" },
      shamirThreshold: 2,
    });
  });

  it("are none when null or absent", async () => {
    expect((await publication("[{s3_bucket: b, recreation_rule: }]")).rule.recreationRule).toBeUndefined();
    expect((await publication("[{s3_bucket: b}]")).rule).toMatchObject({
      recreationRule: undefined,
      omitExtensions: false,
    });
  });
});
