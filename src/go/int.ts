const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const DECIMAL = /^[-+]?\d+$/;

/**
 * Reads a decimal integer of at most 64 bits with its sign, as the cells of the wire format have it (file-format.md
 * 1.4): leading zeros and a plus are fine, underscores, blanks and other bases are not.
 *
 * @returns undefined if the text is no such integer
 */
export function parseInt64(text: string): bigint | undefined {
  // More than 10,000 digits would be slow to convert and cannot fit.
  if (!DECIMAL.test(text) || text.length > 10_000) return undefined;
  const value = text.startsWith("+") ? BigInt(text.slice(1)) : BigInt(text);
  return isInt64(value) ? value : undefined;
}

/** Whether an integer fits 64 bits with a sign. */
export function isInt64(value: bigint): boolean {
  return value >= MIN_INT64 && value <= MAX_INT64;
}
