import { describe, expect, it } from "vitest";
import { formatOfName } from "../../../src/formats/registry.ts";
import { loadFile } from "../../../src/operations/encrypted-file.ts";
import { addGroup, deleteGroup } from "../../../src/operations/groups.ts";
import { fileStatus } from "../../../src/operations/status.ts";
import { applyKeyChanges, planKeyChanges } from "../../../src/operations/update-keys.ts";
import { ageKey, bench, policyOf, type Bench } from "../../support/operations.ts";

const TEXT = "a: secret\n";

async function update(
  at: Bench,
  encrypted: string,
  keyGroups: readonly (readonly string[])[],
  shamirThreshold = 0,
): Promise<string> {
  const file = loadFile(Buffer.from(encrypted), at.choice.input, at.context);
  const changes = await planKeyChanges(
    file,
    { keyGroups: keyGroups.map((group) => group.map(ageKey)), shamirThreshold },
    at.context,
  );
  return Buffer.from(await applyKeyChanges(file, changes, at.choice)).toString();
}

function keysOf(at: Bench, encrypted: string): { threshold: number; groups: number[] } {
  const { metadata } = fileStatus(Buffer.from(encrypted), at.choice.input, at.context);
  return { threshold: metadata?.shamirThreshold ?? -1, groups: metadata?.groups.map((group) => group.length) ?? [] };
}

describe("updating keys", () => {
  it("plans what stays, comes and goes, group by group", async () => {
    const at = bench("yaml");
    const file = loadFile(Buffer.from(await at.encrypt(TEXT, policyOf("age1", "age2"))), at.choice.input, at.context);
    const plan = await planKeyChanges(
      file,
      { keyGroups: [[ageKey("age3"), ageKey("age2")], [ageKey("age1")]], shamirThreshold: 0 },
      at.context,
    );
    const ids = (keys: readonly { id: string }[] | undefined): string[] => (keys ?? []).map(({ id }) => id);
    expect(ids(plan.groups[0]?.kept)).toEqual([ageKey("age2").id]);
    expect(ids(plan.groups[0]?.added)).toEqual([ageKey("age3").id]);
    expect(ids(plan.groups[0]?.removed)).toEqual([ageKey("age1").id]);
    expect(ids(plan.groups[1]?.added)).toEqual([ageKey("age1").id]);
    expect(plan.isUpToDate).toBe(false);
  });

  it("is up to date whatever the order of keys", async () => {
    const at = bench("yaml");
    const file = loadFile(Buffer.from(await at.encrypt(TEXT, policyOf("age1", "age2"))), at.choice.input, at.context);
    const plan = await planKeyChanges(
      file,
      { keyGroups: [[ageKey("age2"), ageKey("age1")]], shamirThreshold: 0 },
      at.context,
    );
    expect(plan.isUpToDate).toBe(true);
  });

  it("leaves values, MAC and date alone, and what a kept key wrapped", async () => {
    const at = bench("yaml");
    const before = await at.encrypt(TEXT);
    const after = await update(at, before, [["age1", "age2"]]);
    const added = after.split("\n").filter((line) => !before.split("\n").includes(line));
    const kept = before.split("\n").filter((line) => !after.split("\n").includes(line));
    expect(kept).toEqual([]);
    expect(added.join("\n")).toContain(ageKey("age2").id);
    expect(await bench("yaml", "keep", "age2").decrypt(after)).toBe(TEXT);
  });

  it.each([
    { name: "one group to two", groups: [["age1"], ["age2"]], threshold: 0, then: { threshold: 2, groups: [1, 1] } },
    {
      name: "three, of which two are needed",
      groups: [["age1"], ["age2"], ["age3"]],
      threshold: 2,
      then: { threshold: 2, groups: [1, 1, 1] },
    },
  ])("goes from $name", async ({ groups, threshold, then }) => {
    const at = bench("yaml", "keep", "age1", "age2");
    const after = await update(at, await at.encrypt(TEXT), groups, threshold);
    expect(keysOf(at, after)).toEqual(then);
    expect(await at.decrypt(after)).toBe(TEXT);
    const back = await update(at, after, [["age1"]]);
    expect(back).not.toContain("key_groups");
    expect(await bench("yaml").decrypt(back)).toBe(TEXT);
  });

  it("refuses an empty group, and a file it cannot open", async () => {
    const at = bench("yaml");
    const encrypted = await at.encrypt(TEXT);
    await expect(update(at, encrypted, [[]])).rejects.toMatchObject({ code: "ERR_WRAP" });
    await expect(update(bench("yaml", "keep", "age2"), encrypted, [["age2"]])).rejects.toMatchObject({
      code: "ERR_DATA_KEY",
    });
  });
});

describe("key groups", () => {
  it("are added and deleted", async () => {
    const at = bench("yaml", "keep", "age1", "age2");
    const options = { ...at.choice, shamirThreshold: 0 };
    const two = Buffer.from(await addGroup(Buffer.from(await at.encrypt(TEXT)), [ageKey("age2")], options));
    expect(keysOf(at, two.toString())).toEqual({ threshold: 2, groups: [1, 1] });
    await expect(deleteGroup(two, 1, options)).rejects.toThrow(/make the Shamir threshold impossible to satisfy/);
    const one = Buffer.from(await deleteGroup(two, 1, { ...options, shamirThreshold: 1 }));
    expect(await bench("yaml").decrypt(one.toString())).toBe(TEXT);
  });

  it.each([
    { name: "an index that is none", index: 7, message: /no key group with index 7/ },
    { name: "the only group", index: 0, message: /only key group/ },
  ])("cannot be deleted: $name", async ({ index, message }) => {
    const at = bench("yaml");
    const encrypted = Buffer.from(await at.encrypt(TEXT));
    await expect(deleteGroup(encrypted, index, { ...at.choice, shamirThreshold: 0 })).rejects.toThrow(message);
  });

  it("are not added empty", async () => {
    const at = bench("yaml");
    await expect(
      addGroup(Buffer.from(await at.encrypt(TEXT)), [], { ...at.choice, shamirThreshold: 0 }),
    ).rejects.toMatchObject({ code: "ERR_USAGE" });
  });
});

describe("status", () => {
  const { context } = bench("yaml");

  it.each([
    { name: "plain YAML", format: "yaml", text: TEXT },
    { name: "plain text of an unknown ending (I-49)", format: "binary", text: "not JSON at all" },
    { name: "plain JSON", format: "binary", text: '{"a": 1}' },
  ] as const)("$name is not encrypted", ({ format, text }) => {
    expect(fileStatus(Buffer.from(text), formatOfName(format), context)).toEqual({ isEncrypted: false });
  });

  it("tells version, date and keys of an encrypted file", async () => {
    const encrypted = Buffer.from(await bench("yaml").encrypt(TEXT));
    expect(fileStatus(encrypted, formatOfName("yaml"), context)).toMatchObject({
      isEncrypted: true,
      metadata: { version: "3.13.2", lastModified: "2026-01-02T03:04:05Z" },
    });
  });

  it("refuses metadata that make no sense", () => {
    expect(() => fileStatus(Buffer.from("sops: 1\n"), formatOfName("yaml"), context)).toThrow(/not a mapping/);
  });
});
