import { createCipheriv, createDecipheriv, createSecretKey, type DecipherGCM, type KeyObject } from "node:crypto";

/** Bytes of a data key, an IV as we draw it, and an authentication tag. */
export const DATA_KEY_LENGTH = 32;
export const IV_LENGTH = 32;
export const TAG_LENGTH = 16;

const ALGORITHM = "aes-256-gcm";

/** A ciphertext without its tag, and the tag. */
export interface Sealed {
  readonly data: Buffer;
  readonly tag: Buffer;
}

/** The same with the ciphertext as strict base64. */
export interface SealedText {
  readonly data: string;
  readonly tag: Uint8Array;
}

/** Imports a data key once: a raw key costs four times as much per value (design.md 6). */
export function importDataKey(bytes: Uint8Array): KeyObject {
  if (bytes.length !== DATA_KEY_LENGTH) throw new RangeError("a data key has 32 bytes");
  return createSecretKey(bytes);
}

/** AES-256-GCM with an IV of any length; the format's own are 32 bytes (file-format.md 2.2). */
export function encryptBytes(key: KeyObject, iv: Uint8Array, aad: Uint8Array, plain: Uint8Array): Sealed {
  const cipher = createCipheriv(ALGORITHM, key, iv);
  cipher.setAAD(aad);
  const data = cipher.update(plain);
  cipher.final(); // GCM keeps nothing back
  return { data, tag: cipher.getAuthTag() };
}

/**
 * Opens what `encryptBytes` made; nothing is returned before the tag was verified.
 *
 * @returns undefined if key, IV, AAD, data and tag do not belong together
 */
export function decryptText(key: KeyObject, iv: Uint8Array, aad: Uint8Array, sealed: SealedText): Buffer | undefined {
  try {
    const decipher = startToOpen(key, iv, aad, sealed.tag);
    const plain = decipher.update(sealed.data, "base64");
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

/** @throws {Error} for an empty IV, and for a tag of another length: of 4 bytes, a forger hits one in 2^32 */
function startToOpen(key: KeyObject, iv: Uint8Array, aad: Uint8Array, tag: Uint8Array): DecipherGCM {
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH });
  decipher.setAAD(aad);
  decipher.setAuthTag(tag);
  return decipher;
}

/** Encrypts what comes in pieces, and hands each on as soon as it is ready. @returns the tag */
export function encryptPieces(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  pieces: Iterable<Uint8Array>,
  use: (data: Buffer) => void,
): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, iv);
  cipher.setAAD(aad);
  for (const piece of pieces) use(cipher.update(piece));
  cipher.final();
  return cipher.getAuthTag();
}

/** A ciphertext that comes in pieces. */
export interface SealedPieces {
  readonly pieces: Iterable<Uint8Array>;
  /** At least as many bytes as the pieces have together. */
  readonly length: number;
  readonly tag: Uint8Array;
}

/**
 * Opens what comes in pieces; nothing is returned before the tag was verified.
 *
 * @returns undefined if key, IV, AAD, data and tag do not belong together
 */
export function decryptPieces(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  { pieces, length, tag }: SealedPieces,
): Buffer | undefined {
  const plain = Buffer.allocUnsafe(length);
  let end = 0;
  try {
    const decipher = startToOpen(key, iv, aad, tag);
    for (const piece of pieces) end += decipher.update(piece).copy(plain, end);
    decipher.final();
    return plain.subarray(0, end);
  } catch {
    plain.fill(0);
    return undefined;
  }
}
