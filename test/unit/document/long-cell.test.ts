import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { encryptBytes, importDataKey } from "../../../src/bytes/aes-gcm.ts";
import { openCell, sealCell } from "../../../src/document/cell.ts";
import { LONG_VALUE } from "../../../src/document/long-cell.ts";
import { bench, policyOf } from "../../support/operations.ts";
import { decrypt } from "../../../src/operations/decrypt.ts";
import { encrypt } from "../../../src/operations/encrypt.ts";

const key = importDataKey(Buffer.alloc(32, 1));
const iv = Buffer.alloc(32, 2);
const PIECE = 3 * 2 ** 18;

describe("a value that is encrypted in pieces", () => {
  it.each([LONG_VALUE, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 2 * PIECE + 2])(
    "has the cell of one that is not: %d bytes",
    (length) => {
      const plain = randomBytes(length);
      const { data, tag } = encryptBytes(key, iv, Buffer.from("data:"), plain);
      const base64 = (bytes: Buffer): string => bytes.toString("base64");
      const cell = `ENC[AES256_GCM,data:${base64(data)},iv:${base64(iv)},tag:${base64(tag)},type:str]`;
      expect(sealCell(key, iv, "data:", plain, "str") === cell).toBe(true);
      const opened = openCell(key, cell, "data:");
      expect(typeof opened === "object" && opened.plain.equals(plain)).toBe(true);
    },
  );

  const cell = sealCell(key, iv, "data:", Buffer.alloc(2 * PIECE + 1, 7), "str");
  const start = "ENC[AES256_GCM,data:".length;
  const at = (offset: number, text: string): string =>
    cell.slice(0, start + offset) + text + cell.slice(start + offset + text.length);

  it.each([
    { name: "a character that is no base64", text: at(5, "*"), failure: "bad base64" },
    { name: "one in the last piece", text: at((2 * PIECE * 4) / 3 + 1, "*"), failure: "bad base64" },
    { name: "padding at the end of a piece", text: at((PIECE * 4) / 3 - 1, "="), failure: "bad base64" },
    { name: "a character less", text: cell.replace(/.,iv:/, ",iv:"), failure: "bad base64" },
    { name: "another character", text: at(5, cell[start + 5] === "A" ? "B" : "A"), failure: "wrong key or altered" },
    { name: "a tag of four bytes", text: cell.replace(/,tag:[^,]*/, ",tag:AAAAAA=="), failure: "wrong key or altered" },
  ])("is refused with $name", ({ text, failure }) => {
    expect(openCell(key, text, "data:")).toBe(failure);
  });

  it("may have line breaks in its base64, as short ones may", () => {
    const opened = openCell(key, `${cell.slice(0, 100)}\r${cell.slice(100)}`, "data:");
    expect(typeof opened === "object" && opened.plain.length).toBe(2 * PIECE + 1);
  });
});

describe("a binary file of 16 MiB", () => {
  it("comes back exactly", async () => {
    const { choice } = bench("binary");
    const plain = randomBytes(16 * 2 ** 20);
    const policy = policyOf("age1");
    const encrypted = await encrypt(plain, { ...choice, policy, strict: false, allowUnencrypted: false });
    expect(Buffer.from(await decrypt(encrypted, choice)).equals(plain)).toBe(true);
  });
});
