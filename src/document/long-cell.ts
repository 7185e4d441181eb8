import type { KeyObject } from "node:crypto";
import { decryptPieces, encryptPieces, TAG_LENGTH } from "../bytes/aes-gcm.ts";
import { decodeBase64, encodeBase64 } from "../bytes/base64.ts";
import { garbageCounter } from "../bytes/garbage.ts";

/** From this many bytes on a value is encrypted piece by piece: a large file does not fit in memory many times. */
export const LONG_VALUE: number = 2 ** 20;

/** Bytes of a piece: three bytes are four characters of base64, so only the last piece has padding. */
const PIECE = 3 * 2 ** 14;
const PIECE_CHARACTERS = (PIECE / 3) * 4;

/** Encrypts a value to base64, and puts that between the two ends of its cell, which is ASCII. */
export function sealLong(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  plain: Uint8Array,
  cell: { readonly start: string; readonly end: (tag: Buffer) => string },
): Buffer {
  const rest = cell.end(Buffer.alloc(TAG_LENGTH)).length;
  const text = Buffer.allocUnsafe(cell.start.length + Math.ceil(plain.length / 3) * 4 + rest);
  let at = text.write(cell.start, "latin1");
  const discard = garbageCounter();
  const tag = encryptPieces(key, iv, aad, cut(plain), (piece) => {
    at += text.write(encodeBase64(piece), at, "latin1");
    discard(piece.length);
  });
  text.write(cell.end(tag), at, "latin1");
  return text;
}

/** Decrypts a value from base64; the bytes are handed out once the tag was verified. */
export function openLong(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  data: string | Buffer,
  tag: Uint8Array,
): Buffer | "bad base64" | "wrong key or altered" {
  let isBase64 = data.length % 4 === 0;
  const discard = garbageCounter();
  function* pieces(): Generator<Uint8Array> {
    for (let start = 0; start < data.length && isBase64; start += PIECE_CHARACTERS) {
      const end = start + PIECE_CHARACTERS;
      const text = typeof data === "string" ? data.slice(start, end) : data.toString("latin1", start, end);
      const piece = end < data.length && text.endsWith("=") ? undefined : decodeBase64(text);
      if (piece === undefined) isBase64 = false;
      else yield piece;
      discard(text.length);
    }
  }
  const plain = decryptPieces(key, iv, aad, { pieces: pieces(), length: (data.length / 4) * 3, tag });
  return isBase64 ? (plain ?? "wrong key or altered") : "bad base64";
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE) yield bytes.subarray(start, start + PIECE);
}
