import { createPublicKey, generateKeyPairSync } from "node:crypto";

import { describe, expect, it } from "vitest";

import { age } from "../../../../src/keys/age.ts";
import { bcryptPbkdf } from "../../../../src/keys/age/bcrypt-pbkdf.ts";
import { ed25519ToX25519PublicKey } from "../../../../src/keys/age/ed25519.ts";
import { parseSshPublicKey } from "../../../../src/keys/age/ssh-recipient.ts";
import { parseSshIdentity } from "../../../../src/keys/age/ssh-identity.ts";
import { sshMpint, sshString } from "../../../../src/keys/age/ssh-wire.ts";
import { keyFile, recipientOf, testHost, type TestHostOptions } from "./host.ts";

const PART = new Uint8Array(33).fill(9);
const PASSPHRASE = "correct horse";

/** Keys that ssh-keygen made with this passphrase and two rounds; they protect nothing. */
const PROTECTED = [
  {
    name: "aes256-ctr",
    recipient: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEi9vIi+AH9neUNKsUbi9kduoccSUClzSj6Utt/2DqdT",
    file: openSsh(`
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBReMMEBB
wdyaffGKUpmX6iAAAAAgAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIEi9vIi+AH9neUNK
sUbi9kduoccSUClzSj6Utt/2DqdTAAAAkHBzwCnSBm3t5VWSF0xESE02NGnhjGjPNppGXS
X0yzq6D2DfD2921rEXMhULaAA4wgzg8FUQPLAgOu2KnPA7iEjEv2wvMYFYATXM6TNFWbmG
u5/OU7CdOsVmEdPbZrT5aFnX+3TAXcxl7sjzKDxZc05ikkaI1mtCM0AhDeLmceiph90l2k
IdFdhIeTtTe5U3lw==`),
  },
  {
    name: "aes256-cbc",
    recipient: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIifAZQQdrQqRDeb9w0uZ3IRQ8hiblqhcK9uZlMTI06",
    file: openSsh(`
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jYmMAAAAGYmNyeXB0AAAAGAAAABD7yfLMYI
fRu78pOy9SbDAoAAAAAgAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAILIifAZQQdrQqRDe
b9w0uZ3IRQ8hiblqhcK9uZlMTI06AAAAkHvMGeb2IvfScES2Oiix0fLSjBd4kUhheHlMZr
j2qWb0P27VG5kEA68s4Umv7jW43/40rKLOkUR5gAIOZh19xiodyLStJGm/NyQezYxslwiz
5MRTJfxTOd8pmoeuRK39a404wdahIMsEG67waTorI4qYUiENybJ6F5I6c9yg2usBqlRFRp
60nzHL6y6wtuJyLg==`),
  },
];

async function unwrap(recipient: string, options: TestHostOptions): Promise<readonly string[]> {
  const [key] = age.parse(recipient, {});
  const host = testHost(options);
  const enc = (await key?.wrap(PART, testHost())) ?? "";
  expect(await key?.unwrap(enc, host)).toEqual(Buffer.from(PART));
  expect(await key?.unwrap(enc, host)).toEqual(Buffer.from(PART));
  return host.prompts;
}

describe("SSH keys", () => {
  it.each(["ssh-ed25519", "ssh-rsa"])("%s wraps and unwraps, from every place", async (name) => {
    const file = name.replace("-", "_");
    const content = keyFile(file);
    const places: TestHostOptions[] = [
      { env: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "k" }, files: { k: content } },
      { env: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "k" }, files: { k: content.replaceAll("\n", "\r\n") } },
      { env: { HOME: "/h" }, files: { [`/h/.ssh/${name === "ssh-rsa" ? "id_rsa" : "id_ed25519"}`]: content } },
      { env: { SOPS_AGE_SSH_PRIVATE_KEY_CMD: "show" }, run: () => ({ stdout: Buffer.from(content) }) },
    ];
    for (const place of places) expect(await unwrap(recipientOf(name), place)).toEqual([]);
  });

  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n = "", e = "" } = pair.publicKey.export({ format: "jwk" });
  const wire = Buffer.concat([sshString("ssh-rsa"), sshMpint(fromUrl(e)), sshMpint(fromUrl(n))]);
  const rsa = `ssh-rsa ${wire.toString("base64")}`;
  const secret = { cipher: "aes-256-cbc", passphrase: PASSPHRASE } as const;

  it.each([
    { name: "PKCS #1", file: pair.privateKey.export({ format: "pem", type: "pkcs1" }), prompts: 0 },
    { name: "PKCS #8", file: pair.privateKey.export({ format: "pem", type: "pkcs8" }), prompts: 0 },
    {
      name: "PKCS #1 under a passphrase",
      file: pair.privateKey.export({ format: "pem", type: "pkcs1", ...secret }),
      prompts: 1,
    },
    {
      name: "PKCS #8 under a passphrase",
      file: pair.privateKey.export({ format: "pem", type: "pkcs8", ...secret }),
      prompts: 1,
    },
  ])("are read from $name", async ({ file, prompts }) => {
    const asked = await unwrap(rsa, {
      env: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "/k" },
      files: { "/k": file, "/k.pub": `${rsa} me@here\n` },
      passphrases: [PASSPHRASE],
    });
    expect(asked).toEqual(Array(prompts).fill('Enter passphrase for "/k": '));
  });

  it("of Ed25519 are read from PKCS #8", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const { x = "" } = createPublicKey(publicKey.export({ format: "pem", type: "spki" })).export({ format: "jwk" });
    const recipient = Buffer.concat([sshString("ssh-ed25519"), sshString(fromUrl(x))]).toString("base64");
    const files = { k: privateKey.export({ format: "pem", type: "pkcs8" }) };
    await unwrap(`ssh-ed25519 ${recipient} comment with blanks`, {
      env: { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "k" },
      files,
    });
  });

  describe.each(PROTECTED)("under a passphrase with $name", ({ recipient, file }) => {
    const env = { SOPS_AGE_SSH_PRIVATE_KEY_FILE: "/k" };

    it("ask once", async () => {
      const prompts = await unwrap(recipient, { env, files: { "/k": file }, passphrases: [PASSPHRASE] });
      expect(prompts).toEqual(['Enter passphrase for "/k": ']);
    });

    it("say that the passphrase was wrong", async () => {
      await expect(unwrap(recipient, { env, files: { "/k": file }, passphrases: ["no"] })).rejects.toThrow(
        "failed to create reader for decrypting sops data key with age: incorrect passphrase",
      );
    });

    it("say that there is no terminal", async () => {
      await expect(unwrap(recipient, { env, files: { "/k": file } })).rejects.toThrow(
        'failed to obtain passphrase: could not read passphrase for "/k": standard input is not a terminal',
      );
    });

    it("do not ask for files of other keys", async () => {
      const host = testHost({ env, files: { "/k": file }, passphrases: [PASSPHRASE] });
      for (const other of [recipientOf("ssh-ed25519"), recipientOf("ssh-rsa"), recipientOf("age1")]) {
        const [key] = age.parse(other, {});
        await expect(key?.unwrap(await key.wrap(PART, host), host)).rejects.toThrow("did not match");
      }
      expect(host.prompts).toEqual([]);
    });
  });

  it("are refused when they are larger than any key", () => {
    expect(() => parseSshIdentity(new Uint8Array((1 << 20) + 1), {})).toThrow("larger than 1 MiB");
  });

  it("under a passphrase are refused from a command", async () => {
    const options = {
      env: { SOPS_AGE_SSH_PRIVATE_KEY_CMD: "show" },
      run: () => ({ stdout: Buffer.from(PROTECTED[0]?.file ?? "") }),
    };
    await expect(unwrap(recipientOf("ssh-rsa"), options)).rejects.toThrow("this private key is passphrase protected");
  });

  it.each(["ssh_ed25519", "ssh_rsa"])("are hostile input: %s, cut or changed, is an identity or a KeyError", (name) => {
    const bytes = Buffer.from(keyFile(name).split("\n").slice(1, -2).join(""), "base64");
    for (let index = 0; index < bytes.length; index += 1) {
      const changed = Buffer.from(bytes);
      changed[index] = (changed[index] ?? 0) ^ 0x80;
      for (const content of [changed, bytes.subarray(0, index)]) {
        const outcome = attempt(() =>
          parseSshIdentity(Buffer.from(openSsh(content.toString("base64"))), { file: "k" }),
        );
        expect(outcome).toMatch(/^(?:identity|KeyError)$/);
      }
    }
  });

  it.each([
    {
      name: "no key at all",
      line: "ssh-foo",
      message: 'age-ssh public key: malformed SSH recipient: "ssh-foo": ssh: no key found',
    },
    { name: "a short key", line: "ssh-ed25519 AAAA", message: "ssh: short read" },
    {
      name: "a kind that is not the key's",
      line: recipientOf("ssh-rsa").replace("ssh-rsa", "ssh-ed25519"),
      message: "no key found",
    },
    { name: "a small RSA key", line: rsaLine(1024), message: "RSA key size is too small" },
    { name: "a huge RSA key", line: rsaLine(16392), message: "RSA key size is too large" },
    { name: "a point off the curve", line: ed25519Line(2), message: "invalid Ed25519 public key" },
    { name: "the neutral point", line: ed25519Line(1), message: "invalid Ed25519 public key" },
  ])("as recipients are refused: $name", ({ line, message }) => {
    expect(() => age.parse(line, {})).toThrow(message);
  });
});

describe("parseSshPublicKey", () => {
  it("takes no other kinds", () => {
    expect(() => parseSshPublicKey(sshString("sk-ssh-ed25519@openssh.com"))).toThrow("unsupported SSH key type");
  });
});

describe("ed25519ToX25519PublicKey", () => {
  it("maps the base point to 9", () => {
    const u = ed25519ToX25519PublicKey(Buffer.from(`58${"66".repeat(31)}`, "hex"));
    expect(Buffer.from(u ?? []).toString("hex")).toBe(`09${"00".repeat(31)}`);
  });
});

describe("bcryptPbkdf", () => {
  // The first of the test vectors of golang.org/x/crypto/ssh/internal/bcrypt_pbkdf
  it("derives what OpenBSD's does", () => {
    const key = bcryptPbkdf(Buffer.from("password"), Buffer.from("salt"), 12, 32);
    expect(key.toString("hex")).toBe("1ae42c05d487bc02f64921a4ebe4ea93bcacfe135fda99974c06b7b01fae149a");
  });
});

function openSsh(base64: string): string {
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64.trim()}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function fromUrl(text: string): Buffer {
  return Buffer.from(text, "base64url");
}

function rsaLine(bits: number): string {
  const modulus = Buffer.alloc(bits / 8, 0xff);
  const wire = Buffer.concat([sshString("ssh-rsa"), sshMpint(Buffer.from([1, 0, 1])), sshMpint(modulus)]);
  return `ssh-rsa ${wire.toString("base64")}`;
}

function ed25519Line(y: number): string {
  const point = Buffer.alloc(32);
  point[0] = y;
  return `ssh-ed25519 ${Buffer.concat([sshString("ssh-ed25519"), sshString(point)]).toString("base64")}`;
}

function attempt(parse: () => unknown): string {
  try {
    parse();
    return "identity";
  } catch (error) {
    return error instanceof Error ? error.name : "no error";
  }
}
