const P_WORDS = 18;
const S_WORDS = 4 * 256;
const WORD_BITS = 32;

/** Blowfish as bcrypt drives it: a state that is stirred with keys, and a block cipher on pairs of words. */
export class Blowfish {
  readonly #p: Uint32Array;
  readonly #s: Uint32Array;
  /** The block at work: kept here, as it is written some million times. */
  #left = 0;
  #right = 0;

  /** @param tables - see `initialTables` */
  constructor(tables: Uint32Array) {
    this.#p = tables.slice(0, P_WORDS);
    this.#s = tables.slice(P_WORDS);
  }

  /** Replaces all of the state under a key, and with data mixed in if there is any; both are repeated as needed. */
  expand(key: Uint32Array, data?: Uint32Array): void {
    for (let index = 0; index < P_WORDS; index += 1) {
      this.#p[index] = (this.#p[index] ?? 0) ^ (key[index % key.length] ?? 0);
    }
    this.#left = 0;
    this.#right = 0;
    this.#replace(this.#p, 0, data);
    this.#replace(this.#s, P_WORDS, data);
  }

  /** Encrypts pairs of words in place. */
  encrypt(words: Uint32Array): void {
    for (let index = 0; index < words.length; index += 2) {
      this.#left = words[index] ?? 0;
      this.#right = words[index + 1] ?? 0;
      this.#encipher();
      words[index] = this.#left;
      words[index + 1] = this.#right;
    }
  }

  /** @param start - words of the state before these, which is how far the data has been used */
  #replace(words: Uint32Array, start: number, data: Uint32Array | undefined): void {
    for (let index = 0; index < words.length; index += 2) {
      if (data !== undefined) {
        this.#left ^= data[(start + index) % data.length] ?? 0;
        this.#right ^= data[(start + index + 1) % data.length] ?? 0;
      }
      this.#encipher();
      words[index] = this.#left;
      words[index + 1] = this.#right;
    }
  }

  #encipher(): void {
    const p = this.#p;
    const s = this.#s;
    let left = this.#left ^ (p[0] ?? 0);
    let right = this.#right;
    for (let round = 1; round <= 16; round += 1) {
      const sum =
        ((s[left >>> 24] ?? 0) + (s[256 + ((left >>> 16) & 0xff)] ?? 0)) ^ (s[512 + ((left >>> 8) & 0xff)] ?? 0);
      right ^= (sum + (s[768 + (left & 0xff)] ?? 0)) ^ (p[round] ?? 0);
      const swap = left;
      left = right;
      right = swap;
    }
    this.#left = right ^ (p[17] ?? 0);
    this.#right = left;
  }
}

/** The state Blowfish starts from: the fraction of pi in binary, 18 words for P and 1024 for S. */
export function initialTables(): Uint32Array {
  const bits = BigInt((P_WORDS + S_WORDS) * WORD_BITS);
  const guard = 64n;
  const one = 1n << (bits + guard);
  // Machin's formula
  const pi = 16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one);
  const hex = ((pi - 3n * one) >> guard).toString(16).padStart(Number(bits) / 4, "0");
  return Uint32Array.from(hex.match(/.{8}/g) ?? [], (word) => Number.parseInt(word, 16));
}

function arctanOfInverse(x: bigint, one: bigint): bigint {
  let sum = 0n;
  let power = one / x;
  for (let divisor = 1n; power !== 0n; divisor += 2n) {
    sum += divisor % 4n === 1n ? power / divisor : -(power / divisor);
    power /= x * x;
  }
  return sum;
}
