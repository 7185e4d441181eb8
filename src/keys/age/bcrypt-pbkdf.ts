import { createHash } from "node:crypto";

import { Blowfish, initialTables } from "./blowfish.ts";

const HASH_LENGTH = 32;
const EXPANSIONS = 64;
const MAGIC = Buffer.from("OxychromaticBlowfishSwatDynamite", "latin1");

/**
 * Derives a key as OpenSSH does for private keys under a passphrase. Some hundred milliseconds at 24 rounds.
 *
 * @param length - bytes wanted, up to 1024
 * @see OpenBSD, bcrypt_pbkdf(3)
 */
export function bcryptPbkdf(passphrase: Uint8Array, salt: Uint8Array, rounds: number, length: number): Buffer {
  const tables = initialTables();
  const hashedPassphrase = words(sha512(passphrase));
  const blocks = Math.ceil(length / HASH_LENGTH);
  const key = Buffer.alloc(length);
  for (let block = 0; block < blocks; block += 1) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(block + 1);
    let hash = bcryptHash(hashedPassphrase, words(sha512(Buffer.concat([salt, counter]))), tables);
    const sum = Buffer.from(hash);
    for (let round = 1; round < rounds; round += 1) {
      hash = bcryptHash(hashedPassphrase, words(sha512(hash)), tables);
      for (const [index, byte] of hash.entries()) sum[index] = (sum[index] ?? 0) ^ byte;
    }
    // The blocks do not stand one after the other: their bytes take turns.
    for (let index = 0; index * blocks + block < length; index += 1) key[index * blocks + block] = sum[index] ?? 0;
  }
  hashedPassphrase.fill(0);
  return key;
}

function bcryptHash(passphrase: Uint32Array, salt: Uint32Array, tables: Uint32Array): Buffer {
  const blowfish = new Blowfish(tables);
  blowfish.expand(passphrase, salt);
  for (let round = 0; round < EXPANSIONS; round += 1) {
    blowfish.expand(salt);
    blowfish.expand(passphrase);
  }
  const text = words(MAGIC);
  for (let round = 0; round < EXPANSIONS; round += 1) blowfish.encrypt(text);
  const hash = Buffer.alloc(HASH_LENGTH);
  for (const [index, word] of text.entries()) hash.writeUInt32LE(word, index * 4);
  return hash;
}

function words(bytes: Buffer): Uint32Array {
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32BE(index * 4));
}

function sha512(bytes: Uint8Array): Buffer {
  return createHash("sha512").update(bytes).digest();
}
