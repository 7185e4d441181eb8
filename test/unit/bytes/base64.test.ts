import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, decodeBase64Into, encodeBase64 } from "../../../src/bytes/base64.ts";

describe("strict base64", () => {
  it("decodes what it encodes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64(encodeBase64(bytes))).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each([
    ["QUJD\r\nREVG", "ABCDEF"],
    ["QQ==", "A"],
    ["QR==", "A"], // spare bits are ignored, as Go does
    ["", ""],
  ])("decodes %j", (text, plain) => {
    expect(decodeBase64(text)?.toString()).toBe(plain);
  });

  it.each(["QQ", "QQ=", "Q===", "QU JD", "QUJ-", "QUJ_", "====", "QQ==QQ==", "QUJDé", "QUJŁ", "=QQ="])(
    "refuses %j",
    (text) => {
      expect(decodeBase64(text)).toBeUndefined();
    },
  );

  it("decodes the same into bytes that are used again, whatever their number", () => {
    const text = fc.oneof(fc.uint8Array({ maxLength: 40 }).map(encodeBase64), fc.string({ maxLength: 60 }));
    fc.assert(
      fc.property(text, fc.nat({ max: 40 }), (base64, length) => {
        const target = Buffer.alloc(length, 0xff);
        const decoded = decodeBase64Into(target, base64);
        expect(decoded).toEqual(decodeBase64(base64));
        expect(decoded === target).toBe(decoded?.length === length);
      }),
    );
  });
});
