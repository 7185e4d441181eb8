import { createHash } from "node:crypto";
import { inflateSync } from "node:zlib";

import * as files from "cctv-age";
import { describe, expect, it } from "vitest";

import { dearmor } from "../../../../src/keys/age/armor.ts";
import { decryptFile, type Identity } from "../../../../src/keys/age/file.ts";
import { parseLibraryIdentity } from "../../../../src/keys/age/library.ts";
import { passphraseIdentity } from "../../../../src/keys/age/protected-identity.ts";
import { parseX25519Identity } from "../../../../src/keys/age/x25519.ts";
import { testHost } from "./host.ts";

/** What our error says for each outcome of the vectors. */
const MESSAGES: Readonly<Record<string, RegExp>> = {
  "header failure":
    /^failed to read header|^invalid .* recipient block|^an scrypt recipient must|^scrypt work factor too large/,
  "HMAC failure": /^bad header MAC$/,
  "armor failure": /^invalid armor: /,
  "payload failure": /^failed to decrypt and authenticate payload chunk|^the last payload chunk is empty/,
  "no match": /^identity did not match any|^no identity matched any|^incorrect passphrase$/,
};

/** The vectors by name; the module's other export is itself. */
const vectors = Object.entries(files).filter((entry): entry is [string, Uint8Array] => entry[1] instanceof Uint8Array);

describe("the age test vectors of CCTV", () => {
  it("are all here", () => {
    expect(vectors).toHaveLength(143);
  });

  it.each(vectors)("%s", async (_name, content) => {
    const { fields, file } = parseVector(content);
    const expected = fields.get("expect")?.[0] ?? "";
    const opened = open(fields, file);
    if (expected === "success") {
      const digest = createHash("sha256")
        .update(await opened)
        .digest("hex");
      expect(digest).toBe(fields.get("payload")?.[0]);
    } else {
      await expect(opened).rejects.toThrow(MESSAGES[expected] ?? `the outcome "${expected}"`);
    }
  });
});

async function open(fields: ReadonlyMap<string, readonly string[]>, file: Buffer): Promise<Uint8Array> {
  const identities: Identity[] = [
    ...(fields.get("passphrase") ?? []).map(passphraseIdentity),
    ...(fields.get("identity") ?? []).map((text) =>
      text.startsWith("AGE-SECRET-KEY-PQ-") ? parseLibraryIdentity(text) : parseX25519Identity(text),
    ),
  ];
  const binary = fields.has("armored") ? dearmor(file.toString("latin1")) : file;
  return decryptFile(binary, identities, testHost());
}

function parseVector(content: Uint8Array): { fields: ReadonlyMap<string, string[]>; file: Buffer } {
  const bytes = Buffer.from(content);
  const end = bytes.indexOf("\n\n");
  const fields = new Map<string, string[]>();
  for (const line of bytes.subarray(0, end).toString("utf8").split("\n")) {
    const [name = "", ...value] = line.split(": ");
    fields.set(name, [...(fields.get(name) ?? []), value.join(": ")]);
  }
  const file = bytes.subarray(end + 2);
  return { fields, file: fields.has("compressed") ? inflateSync(file) : file };
}
