import { SopsError } from "../errors.ts";

/**
 * Splits a secret into shares, any `threshold` of which give it back and fewer of which tell nothing about it.
 *
 * Each byte has its own polynomial over GF(2^8); share i is all of them at x = i + 1, followed by x as its last byte.
 *
 * @param parts - number of shares, 2 to 255
 * @param threshold - 2 to `parts`
 * @returns `parts` shares, each one byte longer than the secret
 * @throws {SopsError} ERR_KEY if the numbers make no sense or the secret is empty
 * @see file-format.md 5.2
 */
export function split(
  secret: Uint8Array,
  parts: number,
  threshold: number,
  randomBytes: (size: number) => Uint8Array,
): Uint8Array[] {
  if (parts < threshold) throw shamirError("parts cannot be less than threshold");
  if (parts > 255) throw shamirError("parts cannot exceed 255");
  if (threshold < 2) throw shamirError("threshold must be at least 2");
  if (secret.length === 0) throw shamirError("cannot split an empty secret");
  const coefficients = randomBytes(secret.length * (threshold - 1));
  const shares = Array.from({ length: parts }, (_, index) =>
    Uint8Array.from([
      ...Array.from(secret, (constant, position) =>
        evaluate(
          constant,
          coefficients.subarray(position * (threshold - 1), (position + 1) * (threshold - 1)),
          index + 1,
        ),
      ),
      index + 1,
    ]),
  );
  coefficients.fill(0);
  return shares;
}

/**
 * Gives back the secret from shares, by interpolation at x = 0. All of them are used.
 *
 * Nothing shows here whether they were enough, or the right ones: the result is then another secret.
 *
 * @throws {SopsError} ERR_KEY if they cannot be shares of one secret
 */
export function combine(shares: readonly Uint8Array[]): Uint8Array {
  const length = shares[0]?.length ?? 0;
  if (shares.length < 2) throw shamirError("less than two parts cannot be used to reconstruct the secret");
  if (length < 2) throw shamirError("parts must be at least two bytes");
  if (shares.some((share) => share.length !== length)) throw shamirError("all parts must be the same length");
  const xs = shares.map((share) => share[length - 1] ?? 0);
  if (new Set(xs).size !== xs.length) throw shamirError("duplicate part detected");
  if (xs.includes(0)) throw shamirError("a part with the x coordinate 0");
  const weights = xs.map((x) => weightAtZero(x, xs));
  const secret = new Uint8Array(length - 1);
  for (const [index, share] of shares.entries()) {
    for (let position = 0; position < secret.length; position += 1) {
      secret[position] = (secret[position] ?? 0) ^ multiply(share[position] ?? 0, weights[index] ?? 0);
    }
  }
  return secret;
}

/**
 * Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. No table and no branch depends on the factors, whose values
 * the time it takes would otherwise show (GHSA-vq4h-9ghm-qmrr).
 */
export function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = a;
  for (let bit = 0; bit < 8; bit += 1) {
    product ^= -((b >>> bit) & 1) & shifted;
    shifted = ((shifted << 1) & 0xff) ^ (-(shifted >>> 7) & 0x1b);
  }
  return product;
}

/** The inverse in GF(2^8), a^254; that of 0 is 0. */
export function invert(a: number): number {
  let power = a;
  let result = 1;
  for (let bit = 1; bit < 8; bit += 1) {
    power = multiply(power, power);
    result = multiply(result, power);
  }
  return result;
}

/** The value at x of the polynomial with these coefficients, from x^1 upwards, by Horner's rule. */
function evaluate(constant: number, coefficients: Uint8Array, x: number): number {
  const sum = coefficients.reduceRight((value, coefficient) => multiply(value ^ coefficient, x), 0);
  return sum ^ constant;
}

/** How much the share at x counts in the value at 0: the product of other / (other - x) over all others. */
function weightAtZero(x: number, xs: readonly number[]): number {
  return xs
    .filter((other) => other !== x)
    .reduce((weight, other) => multiply(weight, multiply(other, invert(other ^ x))), 1);
}

function shamirError(message: string): SopsError {
  return new SopsError("ERR_KEY", message);
}
