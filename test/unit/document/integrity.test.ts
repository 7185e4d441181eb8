import { createHmac, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { firstDifference } from "../../../src/document/compare.ts";
import { integrityOf, isSameIntegrity } from "../../../src/document/integrity.ts";
import { comment, entry, leaf, mapping, sequence, Timestamp, UnsignedInteger } from "../../../src/document/model.ts";
import { documents } from "../../support/trees.ts";

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

describe("the integrity of trees", () => {
  it("is HMAC-SHA-256 over parts with their lengths, as docs/integrity.md has it", () => {
    const document = mapping([
      comment(" é"),
      entry("a", leaf("x")),
      entry("l", sequence([leaf(1n), leaf(1.5), leaf(true), leaf(null), leaf(new Timestamp("2024-01-02T03:04:05Z"))])),
      entry("u", leaf(new UnsignedInteger("18446744073709551615"))),
      entry("b", leaf(Uint8Array.of(0xff, 0x00))),
    ]);
    const text =
      "file 1:1name 3:macfact 4:cell" +
      "documents 1:1mapping 1:5comment 3: ékey 1:astr 1:x" +
      "key 1:lsequence 1:5int 1:1float 3:1.5bool 4:truenull 0:time 20:2024-01-02T03:04:05Z" +
      "key 1:uuint 20:18446744073709551615key 1:bstr 2:";
    const key = Buffer.from(hkdfSync("sha256", KEY, "", "leafcrypt sops.integrity v1", 32));
    const expected = createHmac("sha256", key)
      .update(Buffer.concat([Buffer.from(text), Buffer.of(0xff, 0x00)]))
      .digest("base64");
    expect(integrityOf(KEY, [document], [["mac", "cell"]])).toBe(`v1:${expected}`);
  });

  it("is the same for bytes that are text and that text", () => {
    const of = (value: string | Uint8Array): string => integrityOf(KEY, [mapping([entry("data", leaf(value))])], []);
    expect(of(Buffer.from("ENC[x]"))).toBe(of("ENC[x]"));
  });

  it("is another for another key, document, name or fact", () => {
    const tree = mapping([entry("a", leaf("x"))]);
    const all = [
      integrityOf(KEY, [tree], []),
      integrityOf(
        KEY.map((byte) => byte ^ 1),
        [tree],
        [],
      ),
      integrityOf(KEY, [tree, tree], []),
      integrityOf(KEY, [], []),
      integrityOf(KEY, [tree], [["a", ""]]),
      integrityOf(KEY, [tree], [["", "a"]]),
      integrityOf(KEY, [mapping([entry("b", leaf("x"))])], []),
      integrityOf(KEY, [mapping([entry("a", sequence([leaf("x")]))])], []),
      integrityOf(KEY, [mapping([entry("a", leaf("x")), entry("b", leaf(null))])], []),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it("tells any two trees apart that differ in what is stored", () => {
    fc.assert(
      fc.property(documents(), documents(), (one, other) => {
        fc.pre(firstDifference([one], [other], { withComments: true }) !== undefined);
        expect(integrityOf(KEY, [one], [])).not.toBe(integrityOf(KEY, [other], []));
      }),
    );
  });
});

it.each([
  ["v1:a", "v1:a", true],
  ["v1:a", "v1:b", false],
  ["v1:a", "v1:", false],
])("compares %s and %s", (a, b, isSame) => {
  expect(isSameIntegrity(a, b)).toBe(isSame);
});
