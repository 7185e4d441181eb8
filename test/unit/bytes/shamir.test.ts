import { randomBytes } from "node:crypto";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { combine, invert, multiply, split } from "../../../src/bytes/shamir.ts";
import { vectors } from "../../support/vectors.ts";

interface ShamirVectors {
  readonly gf_mul: readonly (readonly [number, number, number])[];
  readonly gf_inverse: readonly (readonly [number, number])[];
  readonly splits: readonly {
    readonly id: string;
    readonly parts: number;
    readonly threshold: number;
    readonly secret_hex: string;
    readonly coefficients_hex_per_secret_byte: readonly string[];
    readonly shares_hex: readonly string[];
  }[];
}

const vector = vectors("shamir") as ShamirVectors;
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

describe("the field", () => {
  it.each(vector.gf_mul)("multiplies %i and %i to %i", (a, b, product) => {
    expect(multiply(a, b)).toBe(product);
    expect(multiply(b, a)).toBe(product);
  });

  it.each(vector.gf_inverse)("inverts %i to %i", (a, inverse) => {
    expect(invert(a)).toBe(inverse);
  });

  it("has an inverse for everything but 0", () => {
    const products = Array.from({ length: 255 }, (_, index) => multiply(index + 1, invert(index + 1)));
    expect(new Set(products)).toEqual(new Set([1]));
    expect(invert(0)).toBe(0);
  });
});

describe("split", () => {
  it.each(vector.splits)("gives the shares of $id", (expected) => {
    const coefficients = bytes(expected.coefficients_hex_per_secret_byte.join(""));
    const shares = split(bytes(expected.secret_hex), expected.parts, expected.threshold, (size) => {
      expect(size).toBe(coefficients.length);
      return Uint8Array.from(coefficients);
    });
    expect(shares).toEqual(expected.shares_hex.map(bytes));
  });

  it.each([
    { parts: 3, threshold: 1, message: "threshold must be at least 2" },
    { parts: 3, threshold: 0, message: "threshold must be at least 2" },
    { parts: 3, threshold: -1, message: "threshold must be at least 2" },
    { parts: 2, threshold: 3, message: "parts cannot be less than threshold" },
    { parts: 256, threshold: 2, message: "parts cannot exceed 255" },
    { parts: 256, threshold: 256, message: "parts cannot exceed 255" },
  ])("refuses $threshold of $parts", ({ parts, threshold, message }) => {
    expect(() => split(new Uint8Array(32), parts, threshold, randomBytes)).toThrow(
      expect.objectContaining({ code: "ERR_KEY", message }),
    );
  });

  it("refuses an empty secret", () => {
    expect(() => split(new Uint8Array(0), 3, 2, randomBytes)).toThrow("empty");
  });
});

describe("combine", () => {
  it.each(vector.splits)("gives back the secret of $id from any $threshold shares, also from all", (expected) => {
    const shares = expected.shares_hex.map(bytes);
    for (const chosen of subsets(shares, expected.threshold))
      expect(combine(chosen)).toEqual(bytes(expected.secret_hex));
    expect(combine(shares)).toEqual(bytes(expected.secret_hex));
  });

  it.each([
    { name: "no share", shares: [], message: "less than two parts" },
    { name: "one share", shares: ["010203"], message: "less than two parts" },
    { name: "shares of one byte", shares: ["01", "02"], message: "at least two bytes" },
    { name: "shares of different lengths", shares: ["0101", "010102"], message: "same length" },
    { name: "two shares with one x", shares: ["0101", "0201"], message: "duplicate" },
    { name: "a share at x = 0", shares: ["0101", "0200"], message: "coordinate 0" },
  ])("refuses $name", ({ shares, message }) => {
    expect(() => combine(shares.map(bytes))).toThrow(
      expect.objectContaining({ code: "ERR_KEY", message: expect.stringContaining(message) as string }),
    );
  });
});

describe("split and combine", () => {
  const numbers = Array.from({ length: 5 }, (_, n) =>
    Array.from({ length: n + 1 }, (_empty, m) => [m + 2, n + 2] as const),
  );

  // A secret of 32 bytes comes out of too few shares by chance once in 2^256 times.
  it.each(numbers.flat())("recover with any %i of %i shares, and with no fewer", (threshold, parts) => {
    const secret = new Uint8Array(randomBytes(32));
    const shares = split(secret, parts, threshold, randomBytes);
    for (let count = 2; count <= parts; count += 1) {
      for (const chosen of subsets(shares, count)) {
        if (count >= threshold) expect(combine(chosen)).toEqual(secret);
        else expect(combine(chosen)).not.toEqual(secret);
      }
    }
  });

  it("recover any secret, in any order of shares", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 64 }),
        fc
          .integer({ min: 2, max: 255 })
          .chain((parts) => fc.tuple(fc.constant(parts), fc.integer({ min: 2, max: Math.min(parts, 12) }))),
        fc.nat(),
        (secret, [parts, threshold], offset) => {
          const shares = split(secret, parts, threshold, randomBytes);
          const turned = shares.map((_, index) => shares[(index + offset) % parts] ?? secret).reverse();
          expect(combine(turned.slice(0, threshold))).toEqual(secret);
        },
      ),
      { numRuns: 50 },
    );
  });

  it("notice nothing of a wrong share, but give another secret", () => {
    const secret = new Uint8Array(randomBytes(32));
    const [first = new Uint8Array(0), second = new Uint8Array(0)] = split(secret, 3, 2, randomBytes);
    first[0] = (first[0] ?? 0) ^ 1;
    expect(combine([first, second])).not.toEqual(secret);
  });
});

function subsets<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, index) => subsets(items.slice(index + 1), size - 1).map((rest) => [item, ...rest]));
}
