import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { decodeBech32, encodeBech32 } from "../../../src/bytes/bech32.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

describe("decodeBech32", () => {
  // Valid texts of BIP 173 whose data are whole bytes.
  it.each([
    { text: "A12UEL5L", prefix: "a", bytes: "" },
    { text: "a12uel5l", prefix: "a", bytes: "" },
    {
      text: "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
      bytes: "",
      prefix: "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio",
    },
    {
      text: "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
      prefix: "abcdef",
      bytes: "00443214c74254b635cf84653a56d7c675be77df",
    },
    {
      text: "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
      prefix: "split",
      bytes: "c5f38b70305f519bf66d85fb6cf03058f3dde463ecd7918f2dc743918f2d",
    },
    { text: "?1ezyfcl", prefix: "?", bytes: "" },
  ])("reads $text", ({ text, prefix, bytes }) => {
    const decoded = decodeBech32(text);
    expect(decoded).toMatchObject({ prefix });
    expect(typeof decoded === "string" ? decoded : hex(decoded.bytes)).toBe(bytes);
  });

  it.each([
    { name: "mixed case", text: "A12uEL5L", reason: "mixed case" },
    { name: "a wrong checksum", text: "a12uel5q", reason: "invalid checksum" },
    { name: "no separator", text: "pzry9x0s0muk", reason: "separator '1' at invalid position: pos=-1, len=12" },
    { name: "an empty prefix", text: "1pzry9x0s0muk", reason: "separator '1' at invalid position: pos=0, len=13" },
    { name: "a checksum too short", text: "li1dgmt3", reason: "separator '1' at invalid position: pos=2, len=8" },
    { name: "a character that no data has", text: "x1b4n0q5v", reason: "invalid character in data part" },
    {
      name: "a prefix with a control character",
      text: "\u007f1axkwrx",
      reason: "invalid character in human-readable part",
    },
    { name: "an empty text", text: "", reason: "separator '1' at invalid position: pos=-1, len=0" },
    { name: "bits left over that are not zero", text: "a1lmyple6", reason: "invalid padding" },
    { name: "a whole group left over", text: "a1qqqd87cpp", reason: "invalid padding" },
  ])("refuses $name", ({ text, reason }) => {
    expect(decodeBech32(text)).toBe(reason);
  });
});

describe("encodeBech32", () => {
  it("is undone by decoding, for keys of any length", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1300 }),
        fc.constantFrom("age", "age1pq", "age-plugin-x-"),
        (bytes, prefix) => {
          const text = encodeBech32(prefix, bytes);
          expect(decodeBech32(text)).toEqual({ prefix, bytes });
          expect(decodeBech32(text.toUpperCase())).toEqual({ prefix, bytes });
        },
      ),
    );
  });

  it("makes one wrong character show", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.nat(57),
        fc.constantFrom("q", "p", "z", "7"),
        (bytes, at, other) => {
          const text = encodeBech32("age", bytes);
          fc.pre(text[at + 4] !== other);
          expect(decodeBech32(`${text.slice(0, at + 4)}${other}${text.slice(at + 5)}`)).toBe("invalid checksum");
        },
      ),
    );
  });
});
