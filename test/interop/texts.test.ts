import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { firstDifference } from "../../src/document/compare.ts";
import { emitPlain, formatOfName, formatOfPath, readPlain } from "../../src/formats/registry.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { policyOf } from "../support/operations.ts";
import { decryptWithSops, hasSops, sopsNote } from "../support/reference.ts";
import { fixture } from "../support/vectors.ts";

const names = readdirSync(new URL("../../fixtures/texts/", import.meta.url));

/** Texts in which some values are to stay as they are. */
const CLEAR: Readonly<Record<string, { readonly pattern: string; readonly reason: string }>> = {
  "compose.yaml": {
    pattern: "PASSWORD|DATABASE_URL",
    reason:
      "a cell is bound to its path, so that an alias cannot share one: aliases of encrypted values are written out",
  },
};

/** Encrypts a text, all of it or what its selection says. */
async function encryptText(name: string, hasSelection = true) {
  const host = hostWithKeys("age1");
  const format = formatOfPath(name);
  const choice = { input: format, output: format, layout: "keep", style: {}, context: testContext(host) } as const;
  const plain = fixture(`texts/${name}`);
  const pattern = hasSelection ? CLEAR[name]?.pattern : undefined;
  const selection = pattern === undefined ? {} : { selection: { kind: "encrypted_regex", pattern } as const };
  const policy = { ...policyOf("age1"), ...selection };
  const encrypted = await encrypt(plain, { ...choice, policy, strict: false, allowUnencrypted: false });
  return { host, choice, plain, encrypted };
}

describe("a text as people have it", () => {
  it.each(names)("comes back byte for byte, without a warning: %s", async (name) => {
    const { host, choice, plain, encrypted } = await encryptText(name);
    const after = Buffer.from(await decrypt(encrypted, { ...choice, ignoreMac: false }));
    expect(after.toString("latin1")).toBe(plain.toString("latin1"));
    expect(host.warnings).toEqual([]);
  });

  it("comes back with its aliases written out, and a warning, if all of it is encrypted: compose.yaml", async () => {
    const { host, choice, plain, encrypted } = await encryptText("compose.yaml", false);
    const after = await decrypt(encrypted, { ...choice, ignoreMac: false });
    const [before, read] = [plain, after].map((bytes) => readPlain(choice.input, bytes).documents);
    expect(firstDifference(before ?? [], read ?? [], { withComments: true })).toBeUndefined();
    expect(host.warnings).toEqual([expect.stringContaining("line 17: decrypting gives the same values in another")]);
  });

  it("is there in every format", () => {
    expect(new Set(names.map((name) => formatOfPath(name).name)).size).toBe(5);
  });
});

/** Texts that sops cannot print, whoever encrypted them; their values can be had in another format. */
const CRASHES: Readonly<Record<string, string>> = {
  "php.ini": "file-format.md 7.6: an empty line inside a comment, which is what a line of semicolons is, crashes it",
};

describe.skipIf(!hasSops)(`a text as people have it is opened by sops (${sopsNote})`, () => {
  it.each(names)("%s", async (name) => {
    const { choice, plain, encrypted } = await encryptText(name);
    const isCrashing = CRASHES[name] !== undefined;
    expect(decryptWithSops(name, encrypted).status).toBe(isCrashing ? 2 : 0);
    const opened = decryptWithSops(name, encrypted, ...(isCrashing ? ["--output-type", "json"] : []));
    expect(opened).toMatchObject({ status: 0 });
    if (choice.input.name === "binary") {
      expect(opened.stdout.equals(plain)).toBe(true);
      return;
    }
    const { documents } = readPlain(choice.input, plain);
    const printed = isCrashing ? emitPlain(formatOfName("json"), documents, {}) : plain;
    const format = isCrashing ? formatOfName("json") : choice.input;
    const [before, after] = [printed, opened.stdout].map((bytes) => readPlain(format, bytes).documents);
    expect(firstDifference(before ?? [], after ?? [], { withComments: false })).toBeUndefined();
  });
});
