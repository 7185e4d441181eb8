import { describe, expect, it } from "vitest";
import { entry, leaf, mapping, sequence } from "../../../src/document/model.ts";
import { parseTreePath } from "../../../src/document/path.ts";
import { set, unset, type SetOptions } from "../../../src/operations/set.ts";
import { rotate } from "../../../src/operations/rotate.ts";
import { fileStatus } from "../../../src/operations/status.ts";
import { formatOfName } from "../../../src/formats/registry.ts";
import { ageKey, bench, changedLines, policyOf } from "../../support/operations.ts";

const TEXT = `# settings
db:
  user: admin   # who
  "password": "s3cr3t"
  ports: [1, 2]
  hosts:
  - one
  - two
`;

const path = (text: string) => parseTreePath(text, "ERR_PATH");
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();

describe("set and unset, layout keep", () => {
  const at = bench("yaml");
  const options: SetOptions = { ...at.choice, idempotent: false };

  it("changes the value's line, the date and the MAC", async () => {
    const before = await at.encrypt(TEXT);
    const after = text(await set(Buffer.from(before), path('["db"]["user"]'), leaf("root"), options));
    for (const line of changedLines(before, after)) expect(line).toMatch(/user:|lastmodified:|mac:/);
    expect(await at.decrypt(after)).toBe(TEXT.replace("admin", "root"));
  });

  it.each([
    { what: "a new key", where: '["db"]["new"]', value: leaf(5n), then: `${TEXT}  new: 5\n` },
    {
      what: "a list where there was a value",
      where: '["db"]["user"]',
      value: sequence([leaf("a"), leaf("b")]),
      then: TEXT.replace("user: admin   # who", "user:   # who\n    - a\n    - b"),
    },
    {
      what: "a mapping",
      where: '["more"]',
      value: mapping([entry("k", leaf(true))]),
      then: `${TEXT}more:\n  k: true\n`,
    },
    {
      what: "an item at the end of a list",
      where: '["db"]["hosts"][9]',
      value: leaf("three"),
      then: `${TEXT}  - three\n`,
    },
  ])("sets $what", async ({ where, value, then }) => {
    const after = await set(Buffer.from(await at.encrypt(TEXT)), path(where), value, options);
    expect(await at.decrypt(text(after))).toBe(then);
  });

  it.each([
    { where: '["db"]["user"]', then: TEXT.replace("  user: admin   # who\n", "") },
    { where: '["db"]["hosts"][0]', then: TEXT.replace("  - one\n", "") },
    { where: '["db"]["ports"][1]', then: TEXT.replace("[1, 2]", "[1]") },
  ])("unsets $where", async ({ where, then }) => {
    const after = await unset(Buffer.from(await at.encrypt(TEXT)), path(where), options);
    expect(await at.decrypt(text(after))).toBe(then);
  });

  it("does nothing where nothing would change, if it is asked to", async () => {
    const before = Buffer.from(await at.encrypt(TEXT));
    const idempotent = { ...options, idempotent: true };
    expect(await set(before, path('["db"]["user"]'), leaf("admin"), idempotent)).toBeUndefined();
    expect(await unset(before, path('["nope"]'), idempotent)).toBeUndefined();
    expect(await set(before, path('["db"]["ports"][0]'), leaf(1), idempotent)).toBeDefined(); // a float is another type
  });

  it.each([
    {
      name: "the place of the metadata",
      run: (bytes: Buffer) => set(bytes, path('["sops"]["x"]'), leaf("x"), options),
      code: "ERR_ALREADY_ENCRYPTED",
    },
    {
      name: "what is not there",
      run: (bytes: Buffer) => unset(bytes, path('["x"]'), options),
      code: "ERR_PATH_NOT_FOUND",
    },
    {
      name: "a document that is not there",
      run: (bytes: Buffer) => set(bytes, path('["x"]'), leaf("x"), { ...options, document: 1 }),
      code: "ERR_PATH_NOT_FOUND",
    },
  ])("refuses $name", async ({ run, code }) => {
    await expect(run(Buffer.from(await at.encrypt(TEXT)))).rejects.toMatchObject({ code });
  });
});

describe("rotate", () => {
  it("changes every cell, keeps IVs, and nothing else", async () => {
    const at = bench("yaml");
    const before = await at.encrypt(TEXT);
    const after = text(await rotate(Buffer.from(before), { ...at.choice, add: [], remove: [], group: 0 }));
    expect(await at.decrypt(after)).toBe(TEXT);
    const ivs = (of: string): string[] => [...of.matchAll(/iv:([^,]+)/g)].map((match) => match[1] ?? "").slice(0, -1);
    expect(ivs(after)).toEqual(ivs(before));
    expect(changedLines(before, after).length).toBeGreaterThan(7);
  });

  it("adds and removes keys, each once", async () => {
    const at = bench("yaml", "keep", "age2");
    const encrypted = await at.encrypt(TEXT, policyOf("age1", "age2"));
    const options = { ...at.choice, add: [ageKey("age3"), ageKey("age2")], remove: [ageKey("age1")], group: 0 };
    const after = await rotate(Buffer.from(encrypted), options);
    const { metadata } = fileStatus(after, formatOfName("yaml"), at.context);
    expect(metadata?.groups.map((group) => group.map(({ key }) => key.id))).toEqual([
      [ageKey("age2").id, ageKey("age3").id],
    ]);
  });

  it("refuses to leave a file without keys, and a group that is not there", async () => {
    const at = bench("yaml");
    const before = Buffer.from(await at.encrypt(TEXT));
    const options = { ...at.choice, add: [], remove: [ageKey("age1")], group: 0 };
    await expect(rotate(before, options)).rejects.toMatchObject({ code: "ERR_WRAP" });
    await expect(rotate(before, { ...options, add: [ageKey("age2")], group: 1 })).rejects.toMatchObject({
      code: "ERR_USAGE",
    });
  });
});
