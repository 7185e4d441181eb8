import { KeyError, SopsError } from "../errors.ts";
import type { Host, ProcessResult } from "../host.ts";
import type { KeyBackend, MasterKey } from "./backend.ts";
import { isMapping, memberText, printable, requiredText, splitList, withoutBlanks } from "./fields.ts";

/**
 * Data keys wrapped by OpenPGP keys: with the user's `gpg`, whose agent and cards hold the secret keys; without one, or
 * where it has not the key, with the exported key rings `secring.gpg` and `pubring.gpg` of the GnuPG home.
 */
export const pgp: KeyBackend = {
  type: "pgp",
  title: "PGP",
  names: { rule: "pgp", group: "pgp", flag: "pgp", short: "p", env: "SOPS_PGP_FP" },
  dated: true,
  parse: (text) => splitList(text).map(masterKey),
  fromGroupEntry: (item) => splitList(typeof item === "string" ? item : groupFingerprint(item)).map(masterKey),
  fromRecord: (record) => masterKey(requiredText(record, "fp")),
};

function groupFingerprint(item: unknown): string {
  if (!isMapping(item)) throw new KeyError("a pgp key of a key group is a fingerprint");
  return memberText(item, "fp");
}

/** @param text - a fingerprint, with blanks as people copy it; a `!` at its end chooses that very subkey */
function masterKey(text: string): MasterKey {
  const fingerprint = withoutBlanks(text);
  return {
    type: "pgp",
    id: isFingerprint(fingerprint) ? fingerprint.toUpperCase().replace(/^0X/, "") : fingerprint,
    wrap: (part, host) => encrypt(fingerprint, part, host),
    unwrap: (enc, host) => decrypt(enc, host),
    toRecord: () => ({ fp: fingerprint }),
  };
}

/** Long key id, or fingerprint of a version 4 or 5 key. Nothing shorter, and no name: those match more than one key. */
function isFingerprint(text: string): boolean {
  return /^(0x)?([0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64})!?$/i.test(text);
}

async function encrypt(fingerprint: string, part: Uint8Array, host: Host): Promise<string> {
  if (!isFingerprint(fingerprint)) {
    throw new KeyError(`${JSON.stringify(printable(fingerprint))} is not a PGP fingerprint of 16, 40 or 64 hex digits`);
  }
  const program = await attempt(() => encryptWithGpg(fingerprint, part, host));
  if ("value" in program) return program.value;
  const { encryptWithKeyring } = await import("./pgp-keyring.ts");
  const keyring = await attempt(() => encryptWithKeyring(fingerprint, part, host));
  if ("value" in keyring) return keyring.value;
  throw new KeyError(
    `could not encrypt data key with PGP key: key ring error: ${keyring.failure}; ` +
      `GnuPG binary error: failed to encrypt sops data key with pgp: ${program.failure}`,
  );
}

async function decrypt(enc: string, host: Host): Promise<Uint8Array> {
  const program = await attempt(() => decryptWithGpg(enc, host));
  if ("value" in program) return program.value;
  const { decryptWithKeyring } = await import("./pgp-keyring.ts");
  const keyring = await attempt(() => decryptWithKeyring(enc, host));
  if ("value" in keyring) return keyring.value;
  throw new KeyError(
    `could not decrypt data key with PGP key: key ring error: ${keyring.failure}; ` +
      `GnuPG binary error: failed to decrypt sops data key with pgp: ${program.failure}`,
  );
}

type Attempt<T> = { readonly value: T } | { readonly failure: string };

async function attempt<T>(work: () => Promise<T>): Promise<Attempt<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    if (error instanceof SopsError) return { failure: error.message };
    throw error;
  }
}

/** A wrapped data key has some hundred bytes, the key itself 32 or 33. */
const MAX_MESSAGE = 64 * 1024;
const MAX_DATA_KEY = 1024;

function gpgProgram(host: Host): string {
  const program = host.env["SOPS_GPG_EXEC"] ?? "";
  return program === "" ? "gpg" : program;
}

/** The arguments are the reference's, which wrapper scripts may count on. */
async function encryptWithGpg(fingerprint: string, part: Uint8Array, host: Host): Promise<string> {
  const trusted = fingerprint.slice(fingerprint.endsWith("!") ? -17 : -16);
  const result = await host.run(
    gpgProgram(host),
    [
      ...["--no-default-recipient", "--yes", "--encrypt", "-a", "-r", fingerprint],
      ...["--trusted-key", trusted, "--no-encrypt-to"],
    ],
    { input: part, maxOutput: MAX_MESSAGE },
  );
  const message = Buffer.from(result.stdout).toString("latin1").trimEnd();
  if (result.status !== 0) throw new KeyError(describeFailure(result));
  if (!message.startsWith("-----BEGIN PGP MESSAGE-----")) throw new KeyError("gpg printed no PGP message");
  return message;
}

/**
 * Takes what gpg prints only if its status lines say that it was encrypted to a key and decrypted whole: `gpg -d` also
 * prints what was never encrypted.
 */
async function decryptWithGpg(enc: string, host: Host): Promise<Uint8Array> {
  const result = await host.run(gpgProgram(host), ["--status-fd", "2", "-d"], {
    input: Buffer.from(enc),
    maxOutput: MAX_DATA_KEY,
  });
  const words = new Set(statusLines(result.stderr).map(([word]) => word));
  const isSound = words.has("DECRYPTION_OKAY") && words.has("ENC_TO") && !words.has("NODATA") && !words.has("BADMDC");
  if (result.status !== 0 || !isSound) throw new KeyError(describeFailure(result));
  if (result.stdout.length === 0) throw new KeyError("gpg printed nothing");
  return result.stdout;
}

/** The words of gpg's status lines: `[GNUPG:] NO_SECKEY 889C9C537AE4122F` as `["NO_SECKEY", "889C9C537AE4122F"]`. */
function statusLines(stderr: string): string[][] {
  return stderr
    .split(/\r?\n/)
    .filter((line) => line.startsWith("[GNUPG:] "))
    .map((line) => line.slice("[GNUPG:] ".length).split(" "));
}

const REASONS: Readonly<Record<string, string>> = {
  NO_SECKEY: "no secret key",
  NO_PUBKEY: "no public key",
  INV_RECP: "the key cannot be used",
  KEYEXPIRED: "the key has expired",
  KEYREVOKED: "the key is revoked",
  NODATA: "no PGP message",
  BADMDC: "the message was changed",
  BAD_PASSPHRASE: "wrong passphrase",
  MISSING_PASSPHRASE: "no passphrase was given",
  CARDCTRL: "the card is not there",
  SC_OP_FAILURE: "the card refused",
};

/** Says in our words what the status lines say, with key ids; gpg's sentences are translated and hold user ids. */
function describeFailure(result: ProcessResult): string {
  const lines = statusLines(result.stderr);
  const reasons = lines.flatMap(([word = "", argument = ""]) => {
    const reason = Object.hasOwn(REASONS, word) ? REASONS[word] : undefined;
    if (reason === undefined) return [];
    return /^[0-9A-F]{16,64}$/.test(argument) ? [`${reason} ${argument}`] : [reason];
  });
  const summary = reasons.length > 0 ? [...new Set(reasons)].join(", ") : "gpg failed";
  return `${summary} (exit status ${String(result.status)})`;
}
