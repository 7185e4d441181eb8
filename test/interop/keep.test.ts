import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatOfPath } from "../../src/formats/registry.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { set } from "../../src/operations/set.ts";
import { parseTreePath } from "../../src/document/path.ts";
import { leaf } from "../../src/document/model.ts";
import { bench, changedLines, policyOf } from "../support/operations.ts";
import { fixture } from "../support/vectors.ts";

const folder = new URL("../../fixtures/interop/plain/", import.meta.url);
const names = readdirSync(folder).filter((name) => !["binary"].includes(formatOfPath(name).name));
/**
 * Files that come back in another notation, the number of the first line that does, and why (design.md 1). Encrypting
 * them warns with the lines.
 */
const CHANGED: Readonly<Record<string, { readonly line: number; readonly reason: string }>> = {
  "anchors.yaml": {
    line: 7,
    reason: "a cell is bound to its path, so that an alias cannot share one: aliases are written out",
  },
  "ansible-vars.yml": { line: 11, reason: "0644 is an octal number; line folding" },
  "block-scalars.yaml": { line: 9, reason: "line folding, and a literal of blank lines only" },
  "comments.yaml": { line: 28, reason: "a date without a time" },
  "compose.yaml": { line: 12, reason: "aliases are written out; line folding" },
  "flow.yaml": { line: 7, reason: "line folding" },
  "lists.yaml": { line: 22, reason: "a date without a time; line folding" },
  "scalars.yaml": { line: 3, reason: "numbers, bools and dates that are not canonical" },
  "strings.yaml": { line: 34, reason: "character escapes" },
  "top.ini": { line: 15, reason: "a value continued over several lines" },
  "types.json": { line: 1, reason: "-0 is the integer 0" },
  "unicode.json": { line: 3, reason: "character escapes" },
  "unicode.yaml": { line: 6, reason: "character escapes" },
};

const VALUE = /"?a new key of ours"?: ?"?ENC\[/;
const MAC = /"?\bmac"?: ?"?ENC\[/;

async function encryptKeeping(name: string) {
  const { host, choice } = bench(formatOfPath(name).name);
  const plain = fixture(`interop/plain/${name}`);
  const options = { ...choice, policy: policyOf("age1"), strict: false, allowUnencrypted: false };
  return { host, options: choice, plain, encrypted: await encrypt(plain, options) };
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
    expect(firstChangedLine(plain.toString(), after.toString())).toBe(differing.line);
    expect(host.warnings).toEqual([
      expect.stringMatching(new RegExp(`lines? ${String(differing.line)}\\b.* another notation`)),
    ]);
  });

  it.each(names.filter((name) => name.endsWith("yaml") || name.endsWith("json")))(
    "setting a value of %s changes its line, the date and the MAC only",
    async (name) => {
      const { options, encrypted } = await encryptKeeping(name);
      const path = parseTreePath('["a new key of ours"]', "ERR_PATH");
      const added = await set(encrypted, path, leaf("one"), { ...options, idempotent: false });
      const changed = await set(added ?? encrypted, path, leaf("two"), { ...options, idempotent: false });
      const lines = changedLines(Buffer.from(added ?? []).toString(), Buffer.from(changed ?? []).toString());
      // The date is that of the test's clock. Metadata stand in every document.
      const documents = formatOfPath(name).read(encrypted).documents.length;
      expect(lines.filter((line) => VALUE.test(line))).toHaveLength(1);
      expect(lines.filter((line) => MAC.test(line))).toHaveLength(documents);
      // In a text of one line the two share it.
      expect(lines.filter((line) => !VALUE.test(line) && !MAC.test(line))).toEqual([]);
    },
  );
});

function firstChangedLine(before: string, after: string): number {
  const lines = after.split("\n");
  return before.split("\n").findIndex((line, index) => line !== lines[index]) + 1;
}
