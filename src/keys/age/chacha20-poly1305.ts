import { createCipheriv, createDecipheriv, getCipherInfo } from "node:crypto";

/** ChaCha20-Poly1305 (RFC 8439) without associated data: 32-byte key, 12-byte nonce, the tag after the ciphertext. */
export interface ChaCha20Poly1305 {
  seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): Uint8Array;
  /** Null when the tag does not match. */
  open(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array): Uint8Array | null;
}

const NAME = "chacha20-poly1305";
const TAG_LENGTH = 16;

const native: ChaCha20Poly1305 = {
  seal(key, nonce, plaintext) {
    const cipher = createCipheriv(NAME, key, nonce, { authTagLength: TAG_LENGTH });
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  },
  open(key, nonce, ciphertext) {
    if (ciphertext.length < TAG_LENGTH) return null;
    const decipher = createDecipheriv(NAME, key, nonce, { authTagLength: TAG_LENGTH });
    decipher.setAuthTag(ciphertext.subarray(-TAG_LENGTH));
    const plaintext = decipher.update(ciphertext.subarray(0, -TAG_LENGTH));
    try {
      decipher.final();
      return plaintext;
    } catch {
      plaintext.fill(0); // not authenticated: nobody may see it
      return null;
    }
  },
};

/** The runtime's own implementation, or, where it has none (Bun), the one of @noble/ciphers, loaded on first use. */
export async function loadChaCha20Poly1305(): Promise<ChaCha20Poly1305> {
  return getCipherInfo(NAME) === undefined ? loadNoble() : native;
}

async function loadNoble(): Promise<ChaCha20Poly1305> {
  const { chacha20poly1305 } = await import("@noble/ciphers/chacha.js");
  return {
    seal: (key, nonce, plaintext) => chacha20poly1305(key, nonce).encrypt(plaintext),
    open(key, nonce, ciphertext) {
      if (ciphertext.length < TAG_LENGTH) return null;
      try {
        return chacha20poly1305(key, nonce).decrypt(ciphertext);
      } catch {
        return null;
      }
    },
  };
}
