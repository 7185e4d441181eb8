import { constants, createHash, createPublicKey, hkdfSync, publicEncrypt, type KeyObject } from "node:crypto";

import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { decodeBase64 } from "../../bytes/base64.ts";
import { quoted } from "../fields.ts";
import { loadChaCha20Poly1305 } from "./chacha20-poly1305.ts";
import { ed25519ToX25519PublicKey } from "./ed25519.ts";
import { encryptFile, type Recipient } from "./file.ts";
import { encodeUnpadded, type Stanza } from "./header.ts";
import { sshMpint, SshReader, sshString, UNSUPPORTED_KEY } from "./ssh-wire.ts";
import { importX25519PrivateKey, x25519PublicKey, x25519SharedSecret } from "./x25519.ts";

const ED25519_LABEL = "age-encryption.org/v1/ssh-ed25519";
/** The OAEP label of an ssh-rsa stanza. */
export const RSA_LABEL = "age-encryption.org/v1/ssh-rsa";

const MIN_RSA_BITS = 2048;
/** Ours: larger keys serve only to keep us busy. */
const MAX_RSA_BITS = 16384;
const ZERO_NONCE = Buffer.alloc(12);

/** An Ed25519 public key: as SSH writes it, and as the X25519 key it corresponds to. */
export interface Ed25519PublicKey {
  readonly kind: "ssh-ed25519";
  readonly wire: Uint8Array;
  readonly montgomery: Uint8Array;
}

/** An RSA public key. */
export interface RsaPublicKey {
  readonly kind: "ssh-rsa";
  readonly wire: Uint8Array;
  readonly key: KeyObject;
}

/** A public key of SSH that age can encrypt for. */
export type SshPublicKey = Ed25519PublicKey | RsaPublicKey;

/**
 * Reads a line of an OpenSSH public key file: `ssh-ed25519` or `ssh-rsa`, base64, and perhaps a comment.
 *
 * @throws {KeyError} that says what is wrong with it
 */
export function parseSshRecipient(line: string): Recipient {
  const [kind, encoded = ""] = line.trim().split(/[ \t]+/);
  const failure = `malformed SSH recipient: ${quoted(line)}`;
  const wire = decodeBase64(encoded);
  if (wire === undefined || wire.length === 0) throw new KeyError(`${failure}: ssh: no key found`);
  try {
    const key = parseSshPublicKey(wire);
    if (key.kind !== kind) throw new KeyError("ssh: no key found");
    return { encrypt: (plaintext, host) => encryptFile(plaintext, (fileKey) => wrapFileKey(fileKey, key, host), host) };
  } catch (error) {
    throw error instanceof KeyError ? new KeyError(`${failure}: ${error.message}`) : error;
  }
}

/** Reads a public key in wire form (RFC 4253, 6.6). @throws {KeyError} if it is of another kind, or malformed */
export function parseSshPublicKey(wire: Uint8Array): SshPublicKey {
  const reader = new SshReader(wire);
  const kind = reader.text();
  if (kind === "ssh-ed25519") return ed25519PublicKey(reader.string());
  if (kind === "ssh-rsa") {
    const exponent = reader.mpint();
    return rsaPublicKey(reader.mpint(), exponent);
  }
  throw new KeyError(UNSUPPORTED_KEY);
}

/** @param key - 32 bytes, RFC 8032 */
export function ed25519PublicKey(key: Uint8Array): Ed25519PublicKey {
  const montgomery = key.length === 32 ? ed25519ToX25519PublicKey(key) : undefined;
  if (montgomery === undefined) throw new KeyError("invalid Ed25519 public key");
  return { kind: "ssh-ed25519", wire: Buffer.concat([sshString("ssh-ed25519"), sshString(key)]), montgomery };
}

/** Takes big-endian numbers without zero bytes in front. */
export function rsaPublicKey(modulus: Buffer, exponent: Buffer): RsaPublicKey {
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < MIN_RSA_BITS) throw new KeyError("RSA key size is too small");
  if (bits > MAX_RSA_BITS || exponent.length > 4) throw new KeyError("RSA key size is too large");
  const wire = Buffer.concat([sshString("ssh-rsa"), sshMpint(exponent), sshMpint(modulus)]);
  const jwk = { kty: "RSA", n: modulus.toString("base64url"), e: exponent.toString("base64url") };
  try {
    return { kind: "ssh-rsa", wire, key: createPublicKey({ key: jwk, format: "jwk" }) };
  } catch {
    throw new KeyError("invalid RSA public key");
  }
}

/** The start of the key's hash by which a stanza names its recipient. */
export function sshTag(wire: Uint8Array): string {
  return encodeUnpadded(createHash("sha256").update(wire).digest().subarray(0, 4));
}

/** The scalar that ties an Ed25519 exchange to this very SSH key: its HKDF, as a private key. */
function ed25519Tweak(wire: Uint8Array): KeyObject {
  return importX25519PrivateKey(new Uint8Array(hkdfSync("sha256", "", wire, ED25519_LABEL, 32)));
}

async function wrapFileKey(fileKey: Uint8Array, key: SshPublicKey, host: Host): Promise<Stanza[]> {
  const tag = sshTag(key.wire);
  if (key.kind === "ssh-rsa") {
    const oaep = { key: key.key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
    const body = publicEncrypt({ ...oaep, oaepLabel: Buffer.from(RSA_LABEL) }, fileKey);
    return [{ args: ["ssh-rsa", tag], body }];
  }
  const cipher = await loadChaCha20Poly1305();
  const ephemeral = importX25519PrivateKey(host.randomBytes(32));
  const share = x25519PublicKey(ephemeral);
  const wrapKey = ed25519WrapKey(x25519SharedSecret(ephemeral, key.montgomery), share, key);
  if (wrapKey === null) throw new KeyError("the recipient is a point of low order");
  return [{ args: ["ssh-ed25519", tag, encodeUnpadded(share)], body: cipher.seal(wrapKey, ZERO_NONCE, fileKey) }];
}

/** The key a file key is wrapped with, from either side's shared secret; null where a point is of low order. */
export function ed25519WrapKey(secret: Uint8Array | null, share: Uint8Array, key: Ed25519PublicKey): Uint8Array | null {
  const tweaked = secret === null ? null : x25519SharedSecret(ed25519Tweak(key.wire), secret);
  if (tweaked === null) return null;
  return new Uint8Array(hkdfSync("sha256", tweaked, Buffer.concat([share, key.montgomery]), ED25519_LABEL, 32));
}
