import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { loadChaCha20Poly1305 } from "./chacha20-poly1305.ts";
import { FILE_KEY_LENGTH, isHeaderAuthentic, parseHeader, writeHeader, type Header, type Stanza } from "./header.ts";
import { openPayload, PAYLOAD_NONCE_LENGTH, sealPayload } from "./payload.ts";

/** Somebody an age file can be written for. */
export interface Recipient {
  /** Writes a whole age file, not armored, that only this recipient can open. @throws {KeyError} */
  encrypt(plaintext: Uint8Array, host: Host): Promise<Uint8Array>;
}

/** Something that opens age files. */
export interface Identity {
  /** The recipient it belongs to, where that is known: it is tried first for files that name this one. */
  readonly recipient?: string;
  /**
   * The file key from one of the header's stanzas, or null when none of them is for this identity.
   *
   * @throws {KeyError} if a stanza is for it and malformed, or if it cannot do its work
   */
  unwrap(header: Header, host: Host): Promise<Uint8Array | null>;
}

/**
 * Encrypts for recipients that wrap a file key into stanzas.
 *
 * @param wrap - turns the file key, 16 random bytes, into the stanzas of the header
 */
export async function encryptFile(
  plaintext: Uint8Array,
  wrap: (fileKey: Uint8Array) => Promise<readonly Stanza[]>,
  host: Host,
): Promise<Uint8Array> {
  const cipher = await loadChaCha20Poly1305();
  const fileKey = host.randomBytes(FILE_KEY_LENGTH);
  try {
    const header = writeHeader(await wrap(fileKey), fileKey);
    const payload = sealPayload(fileKey, host.randomBytes(PAYLOAD_NONCE_LENGTH), plaintext, cipher);
    return Buffer.concat([header, payload]);
  } finally {
    fileKey.fill(0);
  }
}

/**
 * Decrypts an age file, not armored, with the first of the identities that one of its stanzas is for.
 *
 * @throws {KeyError} if there is none, or the file is not authentic
 */
export async function decryptFile(file: Uint8Array, identities: readonly Identity[], host: Host): Promise<Uint8Array> {
  const header = parseHeader(file);
  for (const identity of identities) {
    const fileKey = await identity.unwrap(header, host);
    if (fileKey !== null) return openFile(file, header, fileKey);
  }
  throw new KeyError(describeMismatch(identities.length));
}

/** Checks the header's MAC and opens the payload with a file key, which is overwritten. */
export async function openFile(file: Uint8Array, header: Header, fileKey: Uint8Array): Promise<Uint8Array> {
  const cipher = await loadChaCha20Poly1305();
  try {
    if (!isHeaderAuthentic(header, fileKey)) throw new KeyError("bad header MAC");
    return openPayload(fileKey, file.subarray(header.bytes.length), cipher);
  } finally {
    fileKey.fill(0);
  }
}

/** What is said when none of `count` identities opens a file. */
export function describeMismatch(count: number): string {
  return count === 1
    ? "identity did not match any of the recipients: incorrect identity for recipient block"
    : "no identity matched any of the recipients";
}
