import { armor as ageArmor, Encrypter } from "age-encryption";
import { beforeAll, describe, expect, it } from "vitest";

import { age } from "../../../../src/keys/age.ts";
import { keyFile, recipientOf, testHost, type TestHost } from "./host.ts";

const PART = new Uint8Array(32).fill(5);
const PROMPT = "Enter passphrase for identity 'SOPS_AGE_KEY_FILE': ";
const [key = age.fromRecord({})] = age.parse(recipientOf("age1"), {});

describe("an identity file under a passphrase", () => {
  let file = new Uint8Array(0);
  let enc = "";

  beforeAll(async () => {
    file = await protect(keyFile("age1.txt"));
    enc = await key.wrap(PART, testHost());
  });

  const host = (content: Uint8Array | string, ...passphrases: string[]): TestHost =>
    testHost({ env: { HOME: "/h", SOPS_AGE_KEY_FILE: "k" }, files: { k: content }, passphrases });

  it("is opened, binary or armored, with one question for all files", async () => {
    for (const content of [file, ageArmor.encode(file), `${ageArmor.encode(file)}\n \n`]) {
      const own = host(content, "pw");
      for (let count = 0; count < 3; count += 1) expect(await key.unwrap(enc, own)).toEqual(Buffer.from(PART));
      expect(own.prompts).toEqual([PROMPT]);
    }
  });

  it("is not asked for when another identity fits before it", async () => {
    const own = testHost({
      env: { SOPS_AGE_KEY: keyFile("age1.txt"), SOPS_AGE_KEY_FILE: "k" },
      files: { k: file },
      passphrases: ["pw"],
    });
    expect(await key.unwrap(enc, own)).toEqual(Buffer.from(PART));
    expect(own.prompts).toEqual([]);
  });

  it("can hold hybrid identities", async () => {
    const [hybrid = key] = age.parse(recipientOf("agepq"), {});
    const own = host(await protect(keyFile("agepq.txt")), "pw");
    expect(await hybrid.unwrap(await hybrid.wrap(PART, own), own)).toEqual(Buffer.from(PART));
  });

  const failure = "failed to create reader for decrypting sops data key with age: ";
  it.each([
    {
      name: "the passphrase is wrong",
      passphrases: ["no"],
      message: `${failure}incorrect passphrase. Did not find keys in`,
    },
    {
      name: "the passphrase is empty",
      passphrases: [""],
      message: `${failure}incorrect passphrase. Did not find keys in`,
    },
    {
      name: "there is no terminal",
      passphrases: [],
      message: `${failure}failed to decrypt identity file: could not read passphrase: standard input is not a terminal, and /dev/tty is not available. Did`,
    },
  ])("fails when $name, after one question", async ({ passphrases, message }) => {
    const own = host(file, ...passphrases, "pw");
    if (passphrases.length > 0) await expect(key.unwrap(enc, own)).rejects.toThrow(message);
    else await expect(key.unwrap(enc, host(file))).rejects.toThrow(message);
    expect(own.prompts.length).toBe(passphrases.length);
  });

  it.each([
    {
      name: "a header that is none",
      text: "age-encryption.org/v1\n-> scrypt x 1\ny\n--- z\n",
      message: "failed to read header: parsing age header: ",
    },
    { name: "armor that is none", text: "-----BEGIN AGE ENCRYPTED FILE-----\nx\n", message: "invalid armor: " },
  ])("is not asked for when it has $name", async ({ text, message }) => {
    const own = host(text, "pw");
    await expect(key.unwrap(enc, own)).rejects.toThrow(`${failure}failed to decrypt identity file: ${message}`);
    expect(own.prompts).toEqual([]);
  });

  it("with a work factor that would take hours is refused", async () => {
    const text = Buffer.from(file)
      .toString("latin1")
      .replace(/(-> scrypt \S+) 10\n/, "$1 30\n");
    await expect(key.unwrap(enc, host(Buffer.from(text, "latin1"), "pw"))).rejects.toThrow(
      "scrypt work factor too large: 30",
    );
  });
});

/** Encrypts with the passphrase "pw" at a work factor that tests can afford. */
async function protect(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase("pw");
  encrypter.setScryptWorkFactor(10);
  return new Uint8Array(await encrypter.encrypt(text));
}
