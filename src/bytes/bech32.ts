/** A decoded Bech32 text: its human-readable part, in lower case, and its bytes. */
export interface Bech32 {
  readonly prefix: string;
  readonly bytes: Uint8Array;
}

const CHARSET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const CHECKSUM_LENGTH = 6;

/**
 * Decodes Bech32 as age uses it: BIP 173 without its limit of 90 characters.
 *
 * @returns what is wrong, as a phrase that repeats nothing of the text, if it is not Bech32
 * @see https://github.com/C2SP/C2SP/blob/main/age.md
 */
export function decodeBech32(text: string): Bech32 | string {
  const lower = text.toLowerCase();
  if (text !== lower && text !== text.toUpperCase()) return "mixed case";
  const separator = lower.lastIndexOf("1");
  if (separator < 1 || separator + 1 + CHECKSUM_LENGTH > lower.length) {
    return `separator '1' at invalid position: pos=${String(separator)}, len=${String(lower.length)}`;
  }
  const prefix = lower.slice(0, separator);
  if (!/^[!-~]+$/.test(prefix)) return "invalid character in human-readable part";
  const words = Array.from(lower.slice(separator + 1), (character) => CHARSET.indexOf(character));
  if (words.includes(-1)) return "invalid character in data part";
  if (polymod([...expandPrefix(prefix), ...words]) !== 1) return "invalid checksum";
  const bytes = regroup(words.slice(0, -CHECKSUM_LENGTH), 5, 8);
  return bytes === undefined ? "invalid padding" : { prefix, bytes: Uint8Array.from(bytes) };
}

/** Encodes bytes as Bech32 in lower case; `prefix` must be lower-case printable ASCII. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  const words = regroup(bytes, 8, 5) ?? [];
  const remainder = polymod([...expandPrefix(prefix), ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const checksum = Array.from({ length: CHECKSUM_LENGTH }, (_, index) => (remainder >>> (5 * (5 - index))) & 31);
  return `${prefix}1${[...words, ...checksum].map((word) => CHARSET.charAt(word)).join("")}`;
}

/** The prefix as the checksum sees it: high bits, zero, low bits. */
function expandPrefix(prefix: string): number[] {
  const codes = Array.from(prefix, (character) => character.charCodeAt(0));
  return [...codes.map((code) => code >>> 5), 0, ...codes.map((code) => code & 31)];
}

function polymod(words: readonly number[]): number {
  let checksum = 1;
  for (const word of words) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ word;
    for (const [bit, generator] of GENERATOR.entries()) {
      checksum ^= -((top >>> bit) & 1) & generator;
    }
  }
  return checksum;
}

/** Cuts groups of `from` bits into groups of `to`. Going to bytes, bits left over must be few and zero: else undefined. */
function regroup(groups: Iterable<number>, from: number, to: number): number[] | undefined {
  const result: number[] = [];
  let held = 0;
  let bits = 0;
  for (const group of groups) {
    held = (held << from) | group;
    bits += from;
    while (bits >= to) {
      bits -= to;
      result.push((held >>> bits) & ((1 << to) - 1));
    }
    held &= (1 << bits) - 1;
  }
  if (to === 5) return bits === 0 ? result : [...result, (held << (to - bits)) & 31];
  return bits < 5 && held === 0 ? result : undefined;
}
