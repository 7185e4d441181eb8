import { describe, expect, it } from "vitest";
import { leaf } from "../../../src/document/model.ts";
import { parseTreePath } from "../../../src/document/path.ts";
import type { FormatName } from "../../../src/formats/format.ts";
import { addGroup, deleteGroup } from "../../../src/operations/groups.ts";
import { rotate } from "../../../src/operations/rotate.ts";
import { set, unset } from "../../../src/operations/set.ts";
import { fileStatus } from "../../../src/operations/status.ts";
import { loadFile } from "../../../src/operations/encrypted-file.ts";
import { applyKeyChanges, planKeyChanges } from "../../../src/operations/update-keys.ts";
import { ageKey, bench, policyOf, type Bench } from "../../support/operations.ts";

const policy = {
  ...policyOf("age1"),
  selection: { kind: "encrypted_regex", pattern: "^(secret|pin|added)$" },
  integrity: true,
} as const;

const TEXTS: Readonly<Record<FormatName, string>> = {
  yaml: '# about\nsecret: s\npin: "123"\nuser: ab\nhost: c\nmore:\n    - 1\n    - x\n',
  json: '{\n\t"secret": "s",\n\t"pin": "123",\n\t"user": "ab",\n\t"host": "c",\n\t"more": [\n\t\t1,\n\t\t"x"\n\t]\n}\n',
  dotenv: "# about\nsecret=s\npin=123\nuser=ab\nhost=c\n",
  ini: "; about\n[part]\nsecret = s\npin    = 123\nuser   = ab\nhost   = c\n",
  binary: "any bytes",
};
const FORMATS = Object.keys(TEXTS) as FormatName[];
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const path = (where: string) => parseTreePath(where, "ERR_PATH");

function integrityIn(at: Bench, encrypted: string): string | undefined {
  return fileStatus(Buffer.from(encrypted), at.choice.input, at.context).metadata?.integrity;
}

describe.each(["keep", "reference"] as const)("a file with an integrity, layout %s", (layout) => {
  it.each(FORMATS)("%s opens, and none is written unless it is asked for", async (format) => {
    const at = bench(format, layout);
    const encrypted = await at.encrypt(TEXTS[format], policy);
    expect(integrityIn(at, encrypted)).toMatch(/^v1:[\w+/]{43}=$/);
    expect(await at.decrypt(encrypted)).toBe(TEXTS[format]);
    const usual = await at.encrypt(TEXTS[format], { ...policy, integrity: false });
    expect(usual).not.toContain("integrity");
  });

  it.each(["yaml", "json", "dotenv"] as const)("%s keeps it right whatever is changed", async (format) => {
    const at = bench(format, layout, "age1", "age2");
    const options = { ...at.choice, idempotent: false };
    let file = await at.encrypt(TEXTS[format], policy);
    const seen = new Set([integrityIn(at, file)]);
    const next = async (change: (bytes: Buffer) => Promise<Uint8Array | undefined>): Promise<void> => {
      file = text(await change(Buffer.from(file)));
      await at.decrypt(file);
      seen.add(integrityIn(at, file));
    };
    await next((bytes) => set(bytes, path('["added"]'), leaf("new"), options));
    await next((bytes) => set(bytes, path('["host"]'), leaf("elsewhere"), options));
    await next((bytes) => unset(bytes, path('["user"]'), options));
    await next((bytes) => rotate(bytes, { ...at.choice, add: [ageKey("age2")], remove: [], group: 0 }));
    await next(async (bytes) => {
      const loaded = loadFile(bytes, at.choice.input, at.context);
      const wanted = { keyGroups: [[ageKey("age1"), ageKey("age3")]], shamirThreshold: 0 };
      return applyKeyChanges(loaded, await planKeyChanges(loaded, wanted, at.context), at.choice);
    });
    await next((bytes) => addGroup(bytes, [ageKey("age2")], { ...at.choice, shamirThreshold: 2 }));
    await next((bytes) => deleteGroup(bytes, 1, { ...at.choice, shamirThreshold: 1 }));
    expect(seen.size).toBe(8);
    expect(seen.has(undefined)).toBe(false);
  });

  it("is taken as it is once sops has dropped it", async () => {
    const at = bench("yaml", layout);
    const encrypted = await at.encrypt(TEXTS.yaml, policy);
    expect(await at.decrypt(encrypted.replace(/^ +integrity:.*\n/m, ""))).toBe(TEXTS.yaml);
  });
});

describe("what the MAC lets pass", () => {
  const attacks: readonly { name: string; from: string | RegExp; to: string }[] = [
    { name: "M8 a byte shifted between two clear values", from: /user: ab\nhost: c/, to: "user: a\nhost: bc" },
    { name: "M8 a clear key renamed", from: "user: ab", to: "owner: ab" },
    { name: "M8 an empty string added", from: "host: c", to: 'host: c\nPATH: ""' },
    { name: "M8 a null added", from: "host: c", to: "host: c\nx:" },
    { name: "M8 a comment changed", from: "# about", to: "# above" },
    { name: "C17 a word made a number", from: /(pin: "?ENC.*)type:str/, to: "$1type:int" },
    { name: "C30 a cell put into a list", from: /^pin: "?(ENC[^"\n]*)"?/m, to: 'pin: ["$1"]' },
    { name: "D10 a wider rule", from: "^(secret|pin|added)$", to: "^(secret|pin|addxx)$" },
    { name: "a threshold", from: /( +)version:/, to: "$1shamir_threshold: 1\n$1version:" },
    { name: "another integrity", from: /integrity: v1:./, to: "integrity: v1:+" },
  ];

  it.each(attacks)("$name is refused with an integrity, and with --ignore-mac a warning", async ({ from, to }) => {
    const at = bench("yaml");
    const encrypted = await at.encrypt(TEXTS.yaml, policy);
    const changed = encrypted.replace(from, to);
    expect(changed).not.toBe(encrypted);
    await expect(at.decrypt(changed)).rejects.toMatchObject({ code: "ERR_MAC_MISMATCH" });
    await expect(at.decrypt(changed)).rejects.toThrow(/Integrity mismatch/);
  });

  it.each(attacks.filter(({ name }) => !name.startsWith("another")))(
    "$name passes without one",
    async ({ from, to }) => {
      const at = bench("yaml");
      const encrypted = await at.encrypt(TEXTS.yaml, { ...policy, integrity: false });
      await expect(at.decrypt(encrypted.replace(from, to))).resolves.toBeDefined();
    },
  );

  it("a recipient added is refused, before anything is wrapped for him", async () => {
    const at = bench("yaml");
    const encrypted = await at.encrypt(TEXTS.yaml, policy);
    const added = encrypted.replace(/age:\n( +)- /, `age:\n$1- recipient: ${ageKey("age2").id}\n$1  enc: x\n$1- `);
    expect(added).not.toBe(encrypted);
    const options = { ...at.choice, add: [], remove: [], group: 0 };
    await expect(rotate(Buffer.from(added), options)).rejects.toMatchObject({ code: "ERR_MAC_MISMATCH" });
    await expect(
      addGroup(Buffer.from(added), [ageKey("age3")], { ...at.choice, shamirThreshold: 2 }),
    ).rejects.toMatchObject({ code: "ERR_MAC_MISMATCH" });
  });
});
