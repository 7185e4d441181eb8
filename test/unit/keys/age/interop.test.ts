import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { age } from "../../../../src/keys/age.ts";
import { keyFile, testHost, testKeys } from "./host.ts";

interface Case {
  readonly id: string;
  readonly encrypted: string;
}

const index = JSON.parse(read("index.json")) as { readonly cases: readonly Case[] };
const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";

/** What the reference wrapped for age keys, one per recipient and length of part, with the recipient it names. */
const wrapped = index.cases.flatMap(({ id, encrypted }) => entriesOf(id, read(encrypted)));

describe("data keys that the reference wrapped", () => {
  const kinds = Object.entries(testKeys).filter(([, key]) =>
    wrapped.some(({ recipient }) => recipient === key.recipient),
  );

  it("are there for every kind of key", () => {
    expect(kinds.map(([name]) => name)).toEqual(["age1", "age2", "age3", "agepq", "ssh-ed25519", "ssh-rsa"]);
  });

  it.each(kinds)("for %s open with its identity, and only with it", async (name, key) => {
    const env = Object.hasOwn(key, "identity_file")
      ? { SOPS_AGE_KEY_FILE: "/key" }
      : { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "/key" };
    const host = testHost({ env, files: { "/key": keyFile(key.identity_file ?? key.private_key_file ?? "") } });
    for (const entry of wrapped) {
      const masterKey = age.fromRecord({ recipient: entry.recipient });
      expect(masterKey.id).toBe(entry.recipient);
      const opened = masterKey.unwrap(entry.enc, host);
      if (entry.recipient === key.recipient) {
        expect([32, 33], `${entry.id} for ${name}`).toContain((await opened).length);
      } else {
        await expect(opened, `${entry.id} for ${name}`).rejects.toThrow("identity did not match any of the recipients");
      }
    }
    expect(host.reads.filter((file) => file === "/key")).toHaveLength(1);
  });
});

function read(path: string): string {
  return readFileSync(new URL(`../../../../fixtures/interop/${path}`, import.meta.url), "utf8");
}

/** Finds the entries in a file of any format by the armor alone, so that this test needs no reader of formats. */
function entriesOf(id: string, text: string): { id: string; recipient: string; enc: string }[] {
  const plain = text.replaceAll("\\n", "\n");
  const recipients = [...plain.matchAll(/(?:age1|ssh-(?:ed25519|rsa) )[A-Za-z0-9+/= _-]*/g)].map(([match]) =>
    match.trim(),
  );
  const encs = plain
    .split(BEGIN)
    .slice(1)
    .map((rest) => {
      const lines = rest.split(END)[0]?.split("\n") ?? [];
      return `${[BEGIN, ...lines.map((line) => line.trim()).filter((line) => line !== ""), END].join("\n")}\n`;
    });
  const known = new Set(Object.values(testKeys).map(({ recipient }) => recipient));
  const named = recipients.filter((recipient) => known.has(recipient));
  return encs.map((enc, position) => ({ id, enc, recipient: named[position] ?? "" }));
}
