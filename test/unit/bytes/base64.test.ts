import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../../src/bytes/base64.ts";

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

  it.each(["QQ", "QQ=", "Q===", "QU JD", "QUJ-", "QUJ_", "====", "QQ==QQ==", "QUJDé", "=QQ="])("refuses %j", (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });
});
