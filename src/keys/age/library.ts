import { KeyError } from "../../errors.ts";
import { decodeBech32 } from "../../bytes/bech32.ts";
import { quoted } from "../fields.ts";
import type { Identity, Recipient } from "./file.ts";

/** Recipients that age-encryption wraps for, by their Bech32 prefix, and the length of their keys in bytes. */
const RECIPIENT_LENGTHS: Readonly<Record<string, number>> = {
  age1pq: 1184 + 32, // ML-KEM-768 and X25519
  age1tag: 33, // P-256, compressed
  age1tagpq: 1184 + 65, // ML-KEM-768 and P-256
};

const HYBRID_IDENTITY_PREFIX = "age-secret-key-pq-";
const HYBRID_IDENTITY_LENGTH = 32;
const HYBRID_STANZA_TYPE = "mlkem768x25519";

/** What age-encryption says when an identity is simply another one. */
const NO_MATCH = "no identity matched";

/**
 * Reads a recipient that only the age-encryption package knows: hybrid (`age1pq1…`) or tag (`age1tag1…`).
 * The package is loaded when something is encrypted for it.
 *
 * @throws {KeyError} that says what is wrong with it
 */
export function parseLibraryRecipient(text: string): Recipient {
  const decoded = decodeBech32(text);
  const failure = `malformed recipient ${quoted(text)}`;
  if (typeof decoded === "string") throw new KeyError(`${failure}: ${decoded}`);
  if (decoded.bytes.length !== RECIPIENT_LENGTHS[decoded.prefix]) throw new KeyError(`${failure}: invalid key length`);
  return {
    async encrypt(plaintext) {
      const { Encrypter } = await import("age-encryption");
      const encrypter = new Encrypter();
      encrypter.addRecipient(text);
      return encrypter.encrypt(plaintext);
    },
  };
}

/**
 * Reads a hybrid identity, `AGE-SECRET-KEY-PQ-1…`. The package is loaded when a file has a stanza of its kind.
 *
 * @throws {KeyError} that says what is wrong, and nothing of the key
 */
export function parseLibraryIdentity(text: string): Identity {
  const decoded = decodeBech32(text);
  const failure = "malformed secret key";
  if (typeof decoded === "string") throw new KeyError(`${failure}: ${decoded}`);
  if (decoded.prefix !== HYBRID_IDENTITY_PREFIX || decoded.bytes.length !== HYBRID_IDENTITY_LENGTH) {
    throw new KeyError(`${failure}: invalid hybrid key`);
  }
  decoded.bytes.fill(0);
  return {
    async unwrap(header) {
      if (!header.stanzas.some(({ args }) => args[0] === HYBRID_STANZA_TYPE)) return null;
      const { Decrypter } = await import("age-encryption");
      const decrypter = new Decrypter();
      decrypter.addIdentity(text);
      try {
        return await decrypter.decryptHeader(header.bytes);
      } catch (error) {
        if (error instanceof Error && error.message.startsWith(NO_MATCH)) return null;
        throw new KeyError(`invalid ${HYBRID_STANZA_TYPE} recipient block`, { cause: error });
      }
    },
  };
}
