import { createDecipheriv } from "node:crypto";

import { KeyError } from "../../errors.ts";
import { SshReader, UNSUPPORTED_KEY } from "./ssh-wire.ts";

/** What an OpenSSH private key file holds: the public key in the clear, the private part perhaps under a passphrase. */
export interface OpenSshKey {
  /** The public key in wire form. */
  readonly publicKey: Uint8Array;
  readonly isProtected: boolean;
  /** @throws {KeyError} "incorrect passphrase", or if the inner part is malformed */
  open(passphrase: string): Promise<OpenSshPrivateKey>;
  /** The same for a key that has no passphrase. */
  openPlain(): OpenSshPrivateKey;
}

/** The private numbers, big-endian. */
export type OpenSshPrivateKey =
  | { readonly kind: "ssh-ed25519"; readonly seed: Buffer; readonly publicKey: Buffer }
  | { readonly kind: "ssh-rsa"; readonly numbers: OpenSshRsaNumbers };

/** The numbers of an RSA key as OpenSSH stores them. */
export type OpenSshRsaNumbers = Readonly<Record<"n" | "e" | "d" | "iqmp" | "p" | "q", Buffer>>;

const MAGIC = "openssh-key-v1\0";
/** Ciphers of protected keys by OpenSSH's name, with OpenSSL's; all have 32 bytes of key and 16 of IV. */
const CIPHERS: Readonly<Record<string, string>> = { "aes256-ctr": "aes-256-ctr", "aes256-cbc": "aes-256-cbc" };
const KEY_LENGTH = 32;
const IV_LENGTH = 16;
/** Ours: ssh-keygen's default is 24; a file that asks for millions only means to keep us busy. */
const MAX_ROUNDS = 10_000;

/**
 * Reads the binary inside `-----BEGIN OPENSSH PRIVATE KEY-----`.
 *
 * @throws {KeyError} that says what is wrong, and nothing of the key
 * @see OpenSSH, PROTOCOL.key
 */
export function parseOpenSshKey(bytes: Uint8Array): OpenSshKey {
  const reader = new SshReader(bytes);
  if (bytes.length < MAGIC.length || reader.take(MAGIC.length).toString("latin1") !== MAGIC) {
    throw new KeyError("ssh: invalid openssh private key format");
  }
  const cipher = reader.text();
  const kdf = reader.text();
  const kdfOptions = reader.string();
  if (reader.uint32() !== 1) throw new KeyError("ssh: multi-key files are not supported");
  const publicKey = reader.string();
  const sealed = reader.string();
  const isProtected = kdf !== "none" || cipher !== "none";
  return {
    publicKey,
    isProtected,
    open: async (passphrase) => parsePrivatePart(await decrypt(sealed, passphrase, { cipher, kdf, kdfOptions })),
    openPlain: () => parsePrivatePart(sealed),
  };
}

async function decrypt(
  sealed: Buffer,
  passphrase: string,
  how: { readonly cipher: string; readonly kdf: string; readonly kdfOptions: Buffer },
): Promise<Buffer> {
  const cipher = Object.hasOwn(CIPHERS, how.cipher) ? CIPHERS[how.cipher] : undefined;
  if (how.kdf !== "bcrypt" || cipher === undefined) {
    throw new KeyError(
      "ssh: unsupported protection of the private key: age takes bcrypt with aes256-ctr or aes256-cbc",
    );
  }
  const options = new SshReader(how.kdfOptions);
  const salt = options.string();
  const rounds = options.uint32();
  if (rounds > MAX_ROUNDS) throw new KeyError(`ssh: more than ${String(MAX_ROUNDS)} rounds of bcrypt`);
  const { bcryptPbkdf } = await import("./bcrypt-pbkdf.ts");
  const derived = bcryptPbkdf(Buffer.from(passphrase, "utf8"), salt, rounds, KEY_LENGTH + IV_LENGTH);
  const decipher = createDecipheriv(cipher, derived.subarray(0, KEY_LENGTH), derived.subarray(KEY_LENGTH));
  decipher.setAutoPadding(false);
  try {
    return Buffer.concat([decipher.update(sealed), decipher.final()]);
  } catch {
    throw new KeyError("ssh: malformed private key");
  } finally {
    derived.fill(0);
  }
}

function parsePrivatePart(bytes: Buffer): OpenSshPrivateKey {
  const reader = new SshReader(bytes);
  // Two equal numbers show that the passphrase was right.
  if (reader.uint32() !== reader.uint32()) throw new KeyError("incorrect passphrase");
  const kind = reader.text();
  if (kind === "ssh-ed25519") {
    const publicKey = reader.string();
    const seedAndPublicKey = reader.string();
    if (publicKey.length !== 32 || seedAndPublicKey.length !== 64 || !seedAndPublicKey.subarray(32).equals(publicKey)) {
      throw new KeyError("ssh: malformed Ed25519 private key");
    }
    return { kind, seed: seedAndPublicKey.subarray(0, 32), publicKey };
  }
  if (kind === "ssh-rsa") {
    const next = (): Buffer => reader.mpint();
    return { kind, numbers: { n: next(), e: next(), d: next(), iqmp: next(), p: next(), q: next() } };
  }
  throw new KeyError(UNSUPPORTED_KEY);
}
