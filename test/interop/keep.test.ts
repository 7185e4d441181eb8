import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatOfPath } from "../../src/formats/registry.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { set } from "../../src/operations/set.ts";
import { parseTreePath } from "../../src/document/path.ts";
import { leaf } from "../../src/document/model.ts";
import { keyBackends } from "../../src/keys/registry.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { fixture } from "../support/vectors.ts";

const folder = new URL("../../fixtures/interop/plain/", import.meta.url);
const names = readdirSync(folder).filter((name) => !["binary"].includes(formatOfPath(name).name));
const recipient =
  (JSON.parse(fixture("keys/keys.json").toString()) as Record<string, { recipient: string }>)["age1"]?.recipient ?? "";
const age = keyBackends.find(({ type }) => type === "age");

/**
 * Files that come back in another notation, and the lines that do (design.md 1): what a cell cannot hold is how a
 * number, date, bool or folded text was written. Encrypting them warns with just these lines.
 */
const CHANGED: Readonly<Record<string, string>> = {};

function choice(name: string) {
  const host = hostWithKeys("age1");
  const format = formatOfPath(name);
  return {
    host,
    options: {
      input: format,
      output: format,
      layout: "keep",
      style: {},
      context: testContext(host),
      ignoreMac: false,
    } as const,
  };
}

async function encryptKeeping(name: string) {
  const { host, options } = choice(name);
  const policy = {
    keyGroups: [age?.parse(recipient, {}) ?? []],
    shamirThreshold: 0,
    selection: undefined,
    macOnlyEncrypted: false,
  };
  const plain = fixture(`interop/plain/${name}`);
  const encrypted = await encrypt(plain, { ...options, policy, strict: false, allowUnencrypted: false });
  return { host, options, plain, encrypted };
}

describe("layout keep: decrypt(encrypt(x)) is x", () => {
  it.each(names)("%s", async (name) => {
    const { host, options, plain, encrypted } = await encryptKeeping(name);
    const after = Buffer.from(await decrypt(encrypted, options));
    const differing = CHANGED[name];
    if (differing === undefined) {
      expect(after.toString("latin1")).toBe(plain.toString("latin1"));
      expect(host.warnings).toEqual([]);
      return;
    }
    expect(changedLines(plain.toString(), after.toString())).toBe(differing);
    expect(host.warnings.join("\n")).toContain("in another notation");
  });

  it.each(names.filter((name) => name.endsWith("yaml") || name.endsWith("json")))(
    "setting a value of %s changes its line, the date and the MAC only",
    async (name) => {
      const { options, encrypted } = await encryptKeeping(name);
      const path = parseTreePath('["a new key of ours"]', "ERR_PATH");
      const added = await set(encrypted, path, leaf("one"), { ...options, idempotent: false });
      const changed = await set(added ?? encrypted, path, leaf("two"), { ...options, idempotent: false });
      const before = Buffer.from(added ?? [])
        .toString()
        .split("\n");
      const after = Buffer.from(changed ?? [])
        .toString()
        .split("\n");
      expect(after.length).toBe(before.length);
      const lines = before.flatMap((line, index) => (line === after[index] ? [] : [line]));
      for (const line of lines) expect(line).toMatch(/a new key of ours|lastmodified|mac/);
    },
  );
});

function changedLines(before: string, after: string): string {
  const [left, right] = [before.split("\n"), after.split("\n")];
  return left
    .flatMap((line, index) => (line === right[index] ? [] : [`${String(index + 1)}: ${line} -> ${right[index] ?? ""}`]))
    .join("\n");
}
