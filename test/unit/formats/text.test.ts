import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/errors.ts";
import { decodeText, encodePieces, positionAt, refuseTooLarge, validRuns } from "../../../src/formats/text.ts";

const bytes = (hex: string): Uint8Array => Buffer.from(hex, "hex");

describe("validRuns", () => {
  it.each([
    { name: "plain text", hex: "616263", runs: ["abc"] },
    { name: "nothing", hex: "", runs: [""] },
    { name: "every byte of a cut sequence", hex: "61e28262", runs: ["a", "", "b"] },
    { name: "a lone continuation byte", hex: "8061", runs: ["", "a"] },
    { name: "an overlong sequence", hex: "c0af", runs: ["", "", ""] },
    { name: "a surrogate", hex: "eda080", runs: ["", "", "", ""] },
    { name: "beyond Unicode", hex: "f490808061", runs: ["", "", "", "", "a"] },
    { name: "sequences of every length", hex: "61c3a9e4b8adf09f9880ff", runs: ["aé中😀", ""] },
    { name: "a sequence cut by the end", hex: "61f09f98", runs: ["a", "", "", ""] },
  ])("splits at each invalid byte: $name", ({ hex, runs }) => {
    expect(validRuns(bytes(hex))).toEqual(runs);
  });

  it("keeps every valid text whole", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(validRuns(Buffer.from(text))).toEqual([text]);
      }),
    );
  });
});

describe("decodeText", () => {
  it("names the line of the first invalid byte", () => {
    expect(() => decodeText(bytes("610a620aff0aff"))).toThrow(expect.objectContaining({ position: { line: 3 } }));
    expect(() => decodeText(bytes("ff"))).toThrow(/^line 1: the text is not valid UTF-8$/);
    expect(decodeText(bytes("efbbbf61"))).toBe("\ufeffa");
  });

  it("refuses more than one text can hold", () => {
    const huge = Object.defineProperty(new Uint8Array(), "length", { value: 511 * 2 ** 20 + 1 });
    expect(() => {
      refuseTooLarge(huge);
    }).toThrow(FormatError);
  });
});

it.each([
  { offset: 0, line: 1, column: 1 },
  { offset: 2, line: 1, column: 3 },
  { offset: 3, line: 2, column: 1 },
  { offset: 4, line: 3, column: 1 },
  { offset: 6, line: 3, column: 3 },
])("finds the position of offset $offset", ({ offset, line, column }) => {
  expect(positionAt("ab\n\ncd", offset)).toEqual({ line, column });
});

it("encodes long pieces and short ones alike", () => {
  const long = "é".repeat(2 ** 20);
  expect(Buffer.from(encodePieces(["a", long, "", "中"])).equals(Buffer.from(`a${long}中`))).toBe(true);
});
