import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";

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
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad);
  const head = cipher.update(plain);
  const tail = cipher.final();
  const data = tail.length === 0 ? head : Buffer.concat([head, tail]);
  return { data, tag: cipher.getAuthTag() };
}

/**
 * Opens what `encryptBytes` made; nothing is returned before the tag was verified.
 *
 * @returns undefined if key, IV, AAD, data and tag do not belong together
 */
export function decryptText(key: KeyObject, iv: Uint8Array, aad: Uint8Array, sealed: SealedText): Buffer | undefined {
  // Node 20 accepts tags of 4 bytes when it is not told the length: a forger's chance of one in 2^32.
  if (sealed.tag.length !== TAG_LENGTH || iv.length === 0) return undefined;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.tag);
    const head = decipher.update(sealed.data, "base64");
    const tail = decipher.final();
    return tail.length === 0 ? head : Buffer.concat([head, tail]);
  } catch {
    return undefined;
  }
}

/** Encrypts what comes in pieces, and hands each on as soon as it is ready. @returns the tag */
export function encryptPieces(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  pieces: Iterable<Uint8Array>,
  use: (data: Buffer) => void,
): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH });
  cipher.setAAD(aad);
  for (const piece of pieces) use(cipher.update(piece));
  cipher.final(); // GCM keeps nothing back
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
  if (tag.length !== TAG_LENGTH || iv.length === 0) return undefined;
  const plain = Buffer.allocUnsafe(length);
  let end = 0;
  try {
    const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_LENGTH });
    decipher.setAAD(aad);
    decipher.setAuthTag(tag);
    for (const piece of pieces) end += decipher.update(piece).copy(plain, end);
    decipher.final();
    return plain.subarray(0, end);
  } catch {
    plain.fill(0);
    return undefined;
  }
}
