import { constants, createHash, createPrivateKey, createPublicKey, privateDecrypt, type KeyObject } from "node:crypto";

import { KeyError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { decodeBase64 } from "../../bytes/base64.ts";
import { asBuffer } from "../../bytes/utf8.ts";
import { quoted } from "../fields.ts";
import { loadChaCha20Poly1305 } from "./chacha20-poly1305.ts";
import type { Identity } from "./file.ts";
import { decodeUnpadded, FILE_KEY_LENGTH, type Header, type Stanza } from "./header.ts";
import { parseOpenSshKey, type OpenSshPrivateKey, type OpenSshRsaNumbers } from "./openssh-key.ts";
import {
  ed25519PublicKey,
  ed25519WrapKey,
  parseSshPublicKey,
  RSA_LABEL,
  rsaPublicKey,
  sshTag,
  type SshPublicKey,
} from "./ssh-recipient.ts";
import { UNSUPPORTED_KEY } from "./ssh-wire.ts";
import { importX25519PrivateKey, x25519SharedSecret } from "./x25519.ts";

/** Where a key came from. Without a file it cannot be asked for a passphrase, nor have its public key beside it. */
export interface SshKeyOrigin {
  readonly file?: string;
}

/** A private key that is ready for use. */
interface SshPrivateKey {
  readonly publicKey: SshPublicKey;
  /** The file key from a stanza that names this key. @throws {KeyError} if the stanza does not hold one */
  unwrap(stanza: Stanza): Promise<Uint8Array>;
}

/** Ours: a private key of RSA at its longest takes some ten thousand bytes. */
const MAX_KEY_FILE_LENGTH = 1 << 20;
const PEM = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/;
const TAG_LENGTH = 16;
const ZERO_NONCE = Buffer.alloc(12);

/**
 * Reads an SSH private key: OpenSSH's own form, PKCS #1 or PKCS #8, with or without a passphrase.
 *
 * A passphrase is asked for only when a file was encrypted for the key, and once.
 *
 * @throws {KeyError} that says what is wrong, and nothing of the key
 */
export function parseSshIdentity(content: Uint8Array, origin: SshKeyOrigin): Identity {
  if (content.length > MAX_KEY_FILE_LENGTH) throw new KeyError("larger than 1 MiB");
  const pem = asBuffer(content).toString("latin1");
  const [, label, body = ""] = PEM.exec(pem) ?? [];
  if (label === undefined) throw new KeyError("ssh: no key found");
  if (label === "OPENSSH PRIVATE KEY") return openSshIdentity(decodeBody(body), origin);
  if (label === "ENCRYPTED PRIVATE KEY" || body.includes("ENCRYPTED")) return protectedPemIdentity(pem, origin);
  return plainIdentity(importPem(pem));
}

/** Blanks may stand in the base64 of PEM, as line breaks do. */
function decodeBody(text: string): Buffer {
  const bytes = decodeBase64(text.replace(/[ \t]/g, ""));
  if (bytes === undefined) throw new KeyError("ssh: no key found");
  return bytes;
}

function openSshIdentity(bytes: Uint8Array, origin: SshKeyOrigin): Identity {
  const container = parseOpenSshKey(bytes);
  if (!container.isProtected) return plainIdentity(importOpenSsh(container.openPlain()));
  const publicKey = parseSshPublicKey(container.publicKey);
  return protectedIdentity(
    () => publicKey,
    origin,
    async (passphrase) => importOpenSsh(await container.open(passphrase)),
  );
}

function protectedPemIdentity(pem: string, origin: SshKeyOrigin): Identity {
  const publicKeyOf = (host: Host): SshPublicKey => {
    const line = origin.file === undefined ? null : host.readFile(`${origin.file}.pub`);
    if (line === null) throw new KeyError("no public key beside the protected SSH key: run ssh-keygen -y to make one");
    const [, encoded = ""] = asBuffer(line).toString("latin1").trim().split(/\s+/);
    return parseSshPublicKey(decodeBody(encoded));
  };
  return protectedIdentity(publicKeyOf, origin, (passphrase) => Promise.resolve(importPem(pem, passphrase)));
}

function plainIdentity(key: SshPrivateKey): Identity {
  return { unwrap: (header) => unwrapWith(key, stanzasFor(header, key.publicKey)) };
}

/** Opens the key on the first stanza that names it, and keeps it. */
function protectedIdentity(
  publicKeyOf: (host: Host) => SshPublicKey,
  origin: SshKeyOrigin,
  open: (passphrase: string) => Promise<SshPrivateKey>,
): Identity {
  const { file } = origin;
  if (file === undefined) throw new KeyError("ssh: this private key is passphrase protected");
  let opened: Promise<SshPrivateKey> | undefined;
  return {
    async unwrap(header, host) {
      if (!header.stanzas.some(({ args }) => args[0]?.startsWith("ssh-"))) return null;
      const stanzas = stanzasFor(header, publicKeyOf(host));
      if (stanzas.length === 0) return null;
      opened ??= askPassphrase(file, host).then(open);
      return unwrapWith(await opened, stanzas);
    },
  };
}

function askPassphrase(file: string, host: Host): Promise<string> {
  const name = quoted(file);
  return host.askPassphrase(`Enter passphrase for ${name}: `).catch((error: unknown) => {
    const reason = `failed to obtain passphrase: could not read passphrase for ${name}`;
    throw new KeyError(`${reason}: ${messageOf(error)}`, { cause: error });
  });
}

function stanzasFor(header: Header, key: SshPublicKey): Stanza[] {
  const tag = sshTag(key.wire);
  return header.stanzas.filter(({ args }) => args[0] === key.kind && args[1] === tag);
}

/** All stanzas name the key, so the first one decides. */
async function unwrapWith(key: SshPrivateKey, [stanza]: readonly Stanza[]): Promise<Uint8Array | null> {
  return stanza === undefined ? null : key.unwrap(stanza);
}

function importOpenSsh(key: OpenSshPrivateKey): SshPrivateKey {
  return key.kind === "ssh-ed25519" ? ed25519PrivateKey(key.seed, key.publicKey) : importRsaNumbers(key.numbers);
}

function ed25519PrivateKey(seed: Uint8Array, publicPoint: Uint8Array): SshPrivateKey {
  const publicKey = ed25519PublicKey(publicPoint);
  // The scalar of RFC 8032; X25519 does the clamping.
  const key = importX25519PrivateKey(createHash("sha512").update(seed).digest().subarray(0, 32));
  return {
    publicKey,
    async unwrap({ args, body }) {
      const share = args.length === 3 ? decodeUnpadded(args[2]) : undefined;
      if (share?.length !== 32 || body.length !== FILE_KEY_LENGTH + TAG_LENGTH) {
        throw new KeyError("invalid ssh-ed25519 recipient block");
      }
      const cipher = await loadChaCha20Poly1305();
      const wrapKey = ed25519WrapKey(x25519SharedSecret(key, share), share, publicKey);
      const fileKey = wrapKey === null ? null : cipher.open(wrapKey, ZERO_NONCE, body);
      if (fileKey === null) throw new KeyError("failed to decrypt file key");
      return fileKey;
    },
  };
}

function rsaPrivateKey(key: KeyObject, publicKey: SshPublicKey): SshPrivateKey {
  const oaep = {
    key,
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: "sha256",
    oaepLabel: Buffer.from(RSA_LABEL),
  };
  return {
    publicKey,
    // eslint-disable-next-line @typescript-eslint/require-await -- the other kind has something to wait for
    async unwrap({ args, body }) {
      if (args.length !== 2) throw new KeyError("invalid ssh-rsa recipient block");
      try {
        const fileKey = privateDecrypt(oaep, body);
        if (fileKey.length === FILE_KEY_LENGTH) return fileKey;
      } catch {
        // Why it failed would help an attacker more than a user.
      }
      throw new KeyError("failed to decrypt file key");
    },
  };
}

/** OpenSSH leaves out two numbers that OpenSSL wants. */
function importRsaNumbers({ n, e, d, iqmp, p, q }: OpenSshRsaNumbers): SshPrivateKey {
  const publicKey = rsaPublicKey(n, e);
  const exponentFor = (prime: Buffer): Buffer => bytesOf(numberOf(d) % (numberOf(prime) - 1n));
  try {
    const numbers = { n, e, d, p, q, dp: exponentFor(p), dq: exponentFor(q), qi: iqmp };
    const texts = Object.entries(numbers).map(([name, bytes]) => [name, bytes.toString("base64url")] as const);
    const jwk = { kty: "RSA", ...Object.fromEntries(texts) };
    return rsaPrivateKey(createPrivateKey({ key: jwk, format: "jwk" }), publicKey);
  } catch {
    throw new KeyError("ssh: malformed RSA private key");
  }
}

/** @throws {KeyError} that does not tell a wrong passphrase from a damaged file, as OpenSSL does not */
function importPem(pem: string, passphrase?: string): SshPrivateKey {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: "pem", ...(passphrase !== undefined && { passphrase }) });
  } catch {
    throw new KeyError(passphrase === undefined ? "ssh: malformed private key" : "incorrect passphrase");
  }
  if (key.asymmetricKeyType === "ed25519") {
    const { x = "", d = "" } = key.export({ format: "jwk" });
    return ed25519PrivateKey(Buffer.from(d, "base64url"), Buffer.from(x, "base64url"));
  }
  if (key.asymmetricKeyType !== "rsa") throw new KeyError(UNSUPPORTED_KEY);
  const { n = "", e = "" } = createPublicKey(key).export({ format: "jwk" });
  return rsaPrivateKey(key, rsaPublicKey(Buffer.from(n, "base64url"), Buffer.from(e, "base64url")));
}

function numberOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString("hex")}`);
}

function bytesOf(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}
