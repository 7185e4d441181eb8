import { hkdfSync } from "node:crypto";

import { KeyError } from "../../errors.ts";
import type { ChaCha20Poly1305 } from "./chacha20-poly1305.ts";

/** Length in bytes of the nonce that a payload starts with. */
export const PAYLOAD_NONCE_LENGTH = 16;

const CHUNK_LENGTH = 64 * 1024;
const TAG_LENGTH = 16;

/**
 * Encrypts a payload with STREAM: chunks of 64 KiB, each sealed under a counter and a mark on the last.
 *
 * @param nonce - 16 random bytes
 */
export function sealPayload(
  fileKey: Uint8Array,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  cipher: ChaCha20Poly1305,
): Buffer {
  const key = payloadKey(fileKey, nonce);
  const chunks = cut(plaintext, CHUNK_LENGTH).map((chunk, index, all) =>
    cipher.seal(key, chunkNonce(index, index === all.length - 1), chunk),
  );
  key.fill(0);
  return Buffer.concat([nonce, ...chunks]);
}

/**
 * Decrypts a payload, whole or not at all.
 *
 * @throws {KeyError} if it is not what was sealed under this file key
 */
export function openPayload(fileKey: Uint8Array, payload: Uint8Array, cipher: ChaCha20Poly1305): Buffer {
  const nonce = payload.subarray(0, PAYLOAD_NONCE_LENGTH);
  if (nonce.length < PAYLOAD_NONCE_LENGTH) throw new KeyError("failed to read header: the payload has no nonce");
  const key = payloadKey(fileKey, nonce);
  const chunks: Uint8Array[] = [];
  for (const [index, sealed] of cut(payload.subarray(PAYLOAD_NONCE_LENGTH), CHUNK_LENGTH + TAG_LENGTH).entries()) {
    const isLast = PAYLOAD_NONCE_LENGTH + (index + 1) * (CHUNK_LENGTH + TAG_LENGTH) >= payload.length;
    const chunk = cipher.open(key, chunkNonce(index, isLast), sealed);
    if (chunk === null) {
      throw new KeyError("failed to decrypt and authenticate payload chunk, file may be corrupted or tampered with");
    }
    // Only an empty payload may end in an empty chunk: otherwise there would be two writings of one text.
    if (chunk.length === 0 && index > 0) throw new KeyError("the last payload chunk is empty");
    chunks.push(chunk);
  }
  key.fill(0);
  return Buffer.concat(chunks);
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", fileKey, nonce, "payload", 32));
}

/** Eleven bytes of counter, big-endian, and one that is 1 for the last chunk. */
function chunkNonce(index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 5, 6);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Pieces of `length` bytes; the last may be shorter, and no bytes at all are one empty piece. */
function cut(bytes: Uint8Array, length: number): Uint8Array[] {
  const count = Math.max(1, Math.ceil(bytes.length / length));
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * length, (index + 1) * length));
}
