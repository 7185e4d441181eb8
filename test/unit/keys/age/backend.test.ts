import { spawnSync } from "node:child_process";
import { createECDH } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";

import { encodeBech32 } from "../../../../src/bytes/bech32.ts";
import { age } from "../../../../src/keys/age.ts";
import { armor, dearmor } from "../../../../src/keys/age/armor.ts";
import { parseHeader } from "../../../../src/keys/age/header.ts";
import { keyFile, recipientOf, testHost, testKeys } from "./host.ts";

const AGE1 = recipientOf("age1");
const PART = new Uint8Array(32).fill(7);
const host = testHost({ env: { SOPS_AGE_KEY_FILE: "k" }, files: { k: keyFile("age1.txt") } });
const [key1 = age.fromRecord({})] = age.parse(AGE1, {});

describe("age.parse", () => {
  it("splits at commas, trims, and drops what is empty", () => {
    const ssh = recipientOf("ssh-ed25519");
    const keys = age.parse(` ${AGE1} ,, ${ssh},\n${recipientOf("agepq")},`, {});
    expect(keys.map(({ id }) => id)).toEqual([AGE1, ssh, recipientOf("agepq")]);
    expect(keys.map((key) => key.toRecord())).toEqual(keys.map(({ id }) => ({ recipient: id })));
    expect(keys.every(({ type }) => type === "age")).toBe(true);
  });

  const bech32 = "failed to parse input as Bech32-encoded age public key: malformed recipient";
  it.each([
    { text: "foo", message: 'failed to parse input, unknown recipient type: "foo"' },
    { text: AGE1.toUpperCase(), message: `failed to parse input, unknown recipient type: "${AGE1.toUpperCase()}"` },
    { text: "age1aaa", message: `${bech32} "age1aaa": separator '1' at invalid position: pos=3, len=7` },
    { text: AGE1.replace(/m$/, "a"), message: `${bech32} "${AGE1.replace(/m$/, "a")}": invalid checksum` },
    { text: "age1pq1aaa", message: `${bech32} "age1pq1aaa": separator '1' at invalid position: pos=6, len=10` },
    { text: encodeBech32("age", new Uint8Array(31)), message: "invalid X25519 key" },
    { text: encodeBech32("age1pq", new Uint8Array(32)), message: "invalid key length" },
    {
      text: "age1test1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs",
      message: "failed to parse input as age key from age plugin: invalid recipient encoding: invalid checksum",
    },
    {
      text: "ssh-foo",
      message: 'failed to parse input as age-ssh public key: malformed SSH recipient: "ssh-foo": ssh: no key found',
    },
  ])("refuses $text", ({ text, message }) => {
    expect(() => age.parse(`${AGE1},${text}`, {})).toThrow(
      expect.objectContaining({ code: "ERR_KEY", message: expect.stringContaining(message) as string }),
    );
  });

  it.each(["AGE-SECRET-KEY-1QQQQ", "AGE-PLUGIN-X-1QQQQ", "-----BEGIN OPENSSH PRIVATE KEY-----"])(
    "does not repeat %s, a secret given by mistake",
    (text) => {
      expect(() => age.parse(text, {})).toThrow(
        /^failed to parse input, unknown recipient type: this looks like a secret key$/,
      );
    },
  );
});

describe("age.fromGroupEntry", () => {
  it("takes texts, also with several recipients", () => {
    expect(age.fromGroupEntry(`${AGE1}, ${recipientOf("age2")}`).map(({ id }) => id)).toEqual([
      AGE1,
      recipientOf("age2"),
    ]);
  });

  it.each([{ recipient: AGE1 }, [AGE1], 1, null])("refuses %j", (item) => {
    expect(() => age.fromGroupEntry(item)).toThrow("an age key is a recipient in text");
  });
});

describe("age.fromRecord", () => {
  it("takes recipients of unknown kinds, which still can be opened, but not wrapped for", async () => {
    const key = age.fromRecord({ recipient: " age9unknown ", enc: "ignored" });
    expect(key.toRecord()).toEqual({ recipient: "age9unknown" });
    expect(await key.unwrap(await key1.wrap(PART, host), host)).toEqual(Buffer.from(PART));
    await expect(key.wrap(PART, host)).rejects.toThrow("unknown recipient type");
  });
});

describe("wrap and unwrap", () => {
  it.each(["age1", "agepq"])("give back any part, for %s", async (name) => {
    const [key = key1] = age.parse(recipientOf(name), {});
    const own = testHost({
      env: { SOPS_AGE_KEY_FILE: "k" },
      files: { k: keyFile(testKeys[name]?.identity_file ?? "") },
    });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 0, maxLength: 40 }), async (part) => {
        const enc = await key.wrap(part, own);
        expect(enc).toMatch(
          /^-----BEGIN AGE ENCRYPTED FILE-----\n(?:.{64}\n)*.{1,64}\n-----END AGE ENCRYPTED FILE-----\n$/,
        );
        expect(await key.unwrap(enc, own)).toEqual(Buffer.from(part));
      }),
      { numRuns: name === "age1" ? 100 : 5 },
    );
  });

  it("do so for parts of more than one chunk", async () => {
    const part = Buffer.alloc(2 * 65536, 1);
    expect(await key1.unwrap(await key1.wrap(part, host), host)).toEqual(part);
  });

  it("write for tag recipients, whose identities are in hardware", async () => {
    const pair = createECDH("prime256v1");
    pair.generateKeys();
    const point = pair.getPublicKey(null, "compressed");
    const [key = key1] = age.parse(encodeBech32("age1tag", point), {});
    expect(parseHeader(dearmor(await key.wrap(PART, host))).stanzas.map(({ args }) => args[0])).toEqual(["p256tag"]);
  });

  it("never give the same text twice", async () => {
    expect(await key1.wrap(PART, host)).not.toBe(await key1.wrap(PART, host));
  });

  it("notice any flipped bit", async () => {
    const file = dearmor(await key1.wrap(PART, host));
    for (let bit = 0; bit < file.length * 8; bit += 1) {
      const changed = Buffer.from(file);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await expect(key1.unwrap(armor(changed), host), `bit ${String(bit)}`).rejects.toThrow(
        expect.objectContaining({ code: "ERR_KEY" }),
      );
    }
  });

  it.each([
    { name: "blank lines in front", change: (enc: string) => `\n\n${enc}` },
    { name: "white space after the last line", change: (enc: string) => `${enc} \n\t\n` },
    { name: "CRLF", change: (enc: string) => enc.replaceAll("\n", "\r\n") },
    { name: "no final newline", change: (enc: string) => enc.trimEnd() },
  ])("accept $name", async ({ change }) => {
    expect(await key1.unwrap(change(await key1.wrap(PART, host)), host)).toEqual(Buffer.from(PART));
  });

  it.each([
    { name: "nothing", change: () => "", message: "invalid armor: invalid first line" },
    {
      name: "lines of other widths",
      change: (enc: string) => enc.replace(/(.{60})(.{4})\n/, "$1\n$2"),
      message: "invalid armor: a line of",
    },
    {
      name: "one long line",
      change: (enc: string) => enc.replace(/(.{64})\n(.{64})\n/, "$1$2"),
      message: "invalid armor: a line of",
    },
    {
      name: "lines folded into one",
      change: (enc: string) => enc.trim().replaceAll("\n", " "),
      message: "invalid armor",
    },
    { name: "an empty line", change: (enc: string) => enc.replace("\n", "\n\n"), message: "invalid armor: a line of" },
    {
      name: "a text without end",
      change: (enc: string) => enc.repeat(3000),
      message: "longer than 1048576 characters",
    },
  ])("refuse $name", async ({ change, message }) => {
    const enc = change(await key1.wrap(PART, host));
    await expect(key1.unwrap(enc, host)).rejects.toThrow(
      `failed to create reader for decrypting sops data key with age: ${message}`,
    );
  });
});

describe.skipIf(spawnSync("age", ["--version"]).status !== 0)("the age program (if installed)", () => {
  const folder = mkdtempSync(join(tmpdir(), "age-program-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const run = (args: readonly string[], input: Uint8Array | string): Buffer => {
    const { status, stdout, stderr } = spawnSync("age", args, { input });
    expect(`${String(status)} ${stderr.toString()}`).toBe("0 ");
    return stdout;
  };

  it.each(["age1", "ssh-ed25519", "ssh-rsa"])("opens what we wrap for %s, and we open what it wraps", async (name) => {
    const file = testKeys[name]?.identity_file ?? testKeys[name]?.private_key_file ?? "";
    const identity = join(folder, file);
    writeFileSync(identity, keyFile(file), { mode: 0o600 });
    const [key = key1] = age.parse(recipientOf(name), {});
    expect(run(["--decrypt", "--identity", identity], await key.wrap(PART, host))).toEqual(Buffer.from(PART));

    const env = name === "age1" ? { SOPS_AGE_KEY_FILE: "k" } : { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "k" };
    const enc = run(["--armor", "--recipient", recipientOf(name)], PART).toString("latin1");
    expect(await key.unwrap(enc, testHost({ env, files: { k: keyFile(file) } }))).toEqual(Buffer.from(PART));
  });
});
