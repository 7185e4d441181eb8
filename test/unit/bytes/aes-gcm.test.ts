import { describe, expect, it } from "vitest";
import { decryptPieces, decryptText, encryptBytes, encryptPieces, importDataKey } from "../../../src/bytes/aes-gcm.ts";

const key = importDataKey(Buffer.alloc(32, 1));
const iv = Buffer.alloc(32, 2);
const aad = Buffer.from("a:");
const plain = Buffer.from("plain");
const { data, tag } = encryptBytes(key, iv, aad, plain);

const open = {
  text: (ownIv: Buffer, ownTag: Buffer) => decryptText(key, ownIv, aad, { data: data.toString("base64"), tag: ownTag }),
  pieces: (ownIv: Buffer, ownTag: Buffer) =>
    decryptPieces(key, ownIv, aad, { pieces: [data.subarray(0, 2), data.subarray(2)], length: 9, tag: ownTag }),
};

describe("a data key", () => {
  it.each([0, 16, 24, 31, 33])("has 32 bytes, and not %d", (length) => {
    expect(() => importDataKey(Buffer.alloc(length))).toThrow(new RangeError("a data key has 32 bytes"));
  });
});

describe("AES-256-GCM", () => {
  it("makes the same in pieces as in one", () => {
    const made: Buffer[] = [];
    const pieces = [plain.subarray(0, 2), plain.subarray(2)];
    expect(encryptPieces(key, iv, aad, pieces, (piece) => made.push(piece)).equals(tag)).toBe(true);
    expect(Buffer.concat(made).equals(data)).toBe(true);
  });

  it.each(["text", "pieces"] as const)("opens what it made, and nothing else, in %s", (way) => {
    expect(open[way](iv, tag)?.toString()).toBe("plain");
    expect(open[way](Buffer.alloc(32, 3), tag)).toBeUndefined();
    expect(open[way](iv, Buffer.alloc(16))).toBeUndefined();
  });

  it.each([0, 4, 8, 12, 15, 17])("takes no tag of %d bytes, right as they may be", (length) => {
    const cut = Buffer.concat([tag, tag]).subarray(0, length);
    expect(open.text(iv, cut)).toBeUndefined();
    expect(open.pieces(iv, cut)).toBeUndefined();
  });

  it("takes no empty IV", () => {
    expect(open.text(Buffer.alloc(0), tag)).toBeUndefined();
    expect(open.pieces(Buffer.alloc(0), tag)).toBeUndefined();
  });
});
