import { describe, expect, it } from "vitest";
import { SopsError } from "../../../src/errors.ts";
import type { Host, ProcessOptions, ProcessResult } from "../../../src/host.ts";
import type { MasterKey } from "../../../src/keys/backend.ts";
import { pgp } from "../../../src/keys/pgp.ts";
import { fixture } from "../../support/sandbox.ts";
import { hostWith } from "../../servers/support/host.ts";

const FP = "B37988B07756DC2130717976ED140D0F6B9AC926";
const PART = Buffer.from("0123456789abcdef0123456789abcdef");
const MESSAGE = "-----BEGIN PGP MESSAGE-----\n\nfake\n-----END PGP MESSAGE-----";

interface Run {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: ProcessOptions;
}

/** A host whose gpg answers as told. */
function withGpg(
  result: Partial<{ status: number; stdout: string; stderr: string }> | null,
  env = {},
): Host & { readonly runs: Run[] } {
  const runs: Run[] = [];
  return {
    ...hostWith({ GNUPGHOME: "/none", ...env }),
    runs,
    run: (command, args, options = {}): Promise<ProcessResult> => {
      runs.push({ command, args, options });
      if (result === null)
        return Promise.reject(new SopsError("ERR_PROCESS", "gpg: executable file not found in $PATH"));
      const { status = 0, stdout = "", stderr = "" } = result;
      return Promise.resolve({ status, stdout: Buffer.from(stdout), stderr });
    },
  };
}

function keyOf(fingerprint: string): MasterKey {
  const [key] = pgp.parse(fingerprint, {});
  if (key === undefined) throw new Error("no key");
  return key;
}

const lines = (...words: string[]): string => words.map((word) => `[GNUPG:] ${word}\n`).join("");
const GOOD = lines(
  "ENC_TO 889C9C537AE4122F 1 0",
  "BEGIN_DECRYPTION",
  "PLAINTEXT 62 0",
  "DECRYPTION_OKAY",
  "GOODMDC",
  "END_DECRYPTION",
);

describe("gpg", () => {
  it.each([
    { fingerprint: FP, trusted: "ED140D0F6B9AC926" },
    { fingerprint: `${FP}!`, trusted: "ED140D0F6B9AC926!" },
  ])("is started for $fingerprint as the reference starts it", async ({ fingerprint, trusted }) => {
    const host = withGpg({ stdout: `${MESSAGE}\n` });
    expect(await keyOf(fingerprint).wrap(PART, host)).toBe(MESSAGE);
    expect(host.runs).toEqual([
      {
        command: "gpg",
        args: [
          "--no-default-recipient",
          "--yes",
          "--encrypt",
          "-a",
          "-r",
          fingerprint,
          "--trusted-key",
          trusted,
          "--no-encrypt-to",
        ],
        options: { input: PART, maxOutput: 65_536 },
      },
    ]);
  });

  it("is another program where SOPS_GPG_EXEC says so", async () => {
    const host = withGpg({ stdout: MESSAGE }, { SOPS_GPG_EXEC: "/opt/gpg2" });
    await keyOf(FP).wrap(PART, host);
    expect(host.runs[0]?.command).toBe("/opt/gpg2");
  });

  it("is believed when its status lines say that a message to a key was decrypted whole", async () => {
    const host = withGpg({ stdout: PART.toString(), stderr: GOOD });
    expect(Buffer.from(await keyOf(FP).unwrap(MESSAGE, host))).toEqual(PART);
    expect(host.runs[0]).toMatchObject({ args: ["--status-fd", "2", "-d"], options: { maxOutput: 1024 } });
  });

  it.each([
    { name: "without a word", stderr: "" },
    { name: "without DECRYPTION_OKAY", stderr: lines("ENC_TO 889C9C537AE4122F 1 0", "PLAINTEXT 62 0") },
    { name: "with NODATA", stderr: GOOD + lines("NODATA 3") },
    { name: "without a recipient", stderr: GOOD.replace(/ENC_TO.*/, "NEED_PASSPHRASE_SYM 9 3 2") },
    { name: "with BADMDC", stderr: GOOD + lines("BADMDC") },
    { name: "with words on its other lines only", stderr: "gpg: DECRYPTION_OKAY ENC_TO\n" },
  ])("is not believed $name", async ({ stderr }) => {
    const host = withGpg({ stdout: PART.toString(), stderr });
    await expect(keyOf(FP).unwrap(MESSAGE, host)).rejects.toThrow(/could not decrypt data key with PGP key/);
  });

  it.each([
    { status: 2, stdout: PART.toString(), stderr: GOOD, name: "fails all the same" },
    { status: 0, stdout: "", stderr: GOOD, name: "prints nothing" },
  ])("is not believed when it $name", async (result) => {
    await expect(keyOf(FP).unwrap(MESSAGE, withGpg(result))).rejects.toThrow(/could not decrypt data key/);
  });

  it.each([
    { words: "NO_SECKEY 889C9C537AE4122F", reason: "no secret key 889C9C537AE4122F (exit status 2)" },
    { words: "INV_RECP 9 889C9C537AE4122F", reason: "the key cannot be used (exit status 2)" },
    { words: "KEYEXPIRED 1700000000", reason: "the key has expired (exit status 2)" },
    { words: "MISSING_PASSPHRASE", reason: "no passphrase was given (exit status 2)" },
    { words: "__proto__ x", reason: "gpg failed (exit status 2)" },
  ])("fails with $words: $reason", async ({ words, reason }) => {
    const host = withGpg({ status: 2, stderr: `gpg: a sentence with Alice <alice@example.test>\n${lines(words)}` });
    await expect(keyOf(FP).unwrap(MESSAGE, host)).rejects.toThrow(
      `could not decrypt data key with PGP key: key ring error: there is neither secring.gpg nor pubring.gpg in /none; GnuPG binary error: failed to decrypt sops data key with pgp: ${reason}`,
    );
  });

  it.each(["", "not a message"])("prints %j for a message, which is none", async (stdout) => {
    await expect(keyOf(FP).wrap(PART, withGpg({ stdout }))).rejects.toThrow(/gpg printed no PGP message/);
  });

  it("is missed by name", async () => {
    await expect(keyOf(FP).wrap(PART, withGpg(null))).rejects.toThrow(
      "GnuPG binary error: failed to encrypt sops data key with pgp: gpg: executable file not found in $PATH",
    );
  });
});

describe("exported key rings", () => {
  const rings = (files: Readonly<Record<string, Uint8Array>>): Host => ({
    ...withGpg(null, { GNUPGHOME: "/g" }),
    readFile: (path) => files[path] ?? null,
  });
  const keys = [
    { name: "pgp-rsa", fingerprint: FP },
    { name: "pgp-ecc", fingerprint: "EDEA02A77FC7FAB73D52AB2C563D54B2A6077922" },
  ];
  const publicKey = (name: string): Buffer => fixture(`keys/${name}.pub.asc`);
  const secretKey = (name: string): Buffer => fixture(`keys/${name}.sec.asc`);

  it.each(keys)(
    "wrap with $name's public key and unwrap with its secret key, armored",
    async ({ name, fingerprint }) => {
      const key = keyOf(fingerprint.toLowerCase());
      const enc = await key.wrap(PART, rings({ "/g/pubring.gpg": publicKey(name) }));
      expect(enc).toMatch(/^-----BEGIN PGP MESSAGE-----\n\n[^]*-----END PGP MESSAGE-----$/);
      expect(Buffer.from(await key.unwrap(enc, rings({ "/g/secring.gpg": secretKey(name) })))).toEqual(PART);
    },
  );

  it("do not open what is for another key", async () => {
    const enc = await keyOf(FP).wrap(PART, rings({ "/g/pubring.gpg": publicKey("pgp-rsa") }));
    await expect(keyOf(FP).unwrap(enc, rings({ "/g/secring.gpg": secretKey("pgp-ecc") }))).rejects.toThrow(
      /no key ring has the secret key/,
    );
    await expect(keyOf(FP).unwrap(enc, rings({ "/g/pubring.gpg": publicKey("pgp-rsa") }))).rejects.toThrow(
      /no key ring has the secret key/,
    );
  });

  it("do not wrap for a key they do not have", async () => {
    await expect(keyOf(FP).wrap(PART, rings({ "/g/pubring.gpg": publicKey("pgp-ecc") }))).rejects.toThrow(
      `key ring error: no key ring has the key ${FP}`,
    );
  });

  it.each([
    {
      name: "no key ring",
      ring: Buffer.from("nothing of the sort"),
      enc: MESSAGE,
      message: "a key ring cannot be read",
    },
    { name: "no message", ring: null, enc: "nothing of the sort", message: "no PGP message" },
  ])("say that there is $name, and not what there is", async ({ ring, enc, message }) => {
    const host = rings({ "/g/secring.gpg": ring ?? secretKey("pgp-rsa") });
    const failure = await keyOf(FP)
      .unwrap(enc, host)
      .catch((error: unknown) => String(error));
    expect(failure).toContain(`key ring error: ${message}`);
    expect(failure).not.toContain("sort");
  });
});
