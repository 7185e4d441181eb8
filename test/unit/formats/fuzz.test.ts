import { describe, expect, it } from "vitest";
import { fuzz } from "../../fuzz/fuzzer.ts";

/** A few seconds with the same texts each time; `npm run fuzz` takes longer, with others (LEAFCRYPT_FUZZ_SECONDS). */
const long = Number(process.env["LEAFCRYPT_FUZZ_SECONDS"] ?? "0");
const seed = long > 0 ? Number(process.env["LEAFCRYPT_FUZZ_SEED"] ?? String(Date.now() % 1_000_000)) : 1;
const tries = long > 0 ? Infinity : 2_500;

describe(`mutated texts of the fixtures (seed ${String(seed)})`, () => {
  it(
    "are read, kept, encrypted and opened again, or refused with a place",
    async () => {
      const { findings } = await fuzz(seed, { tries, milliseconds: long > 0 ? long * 1_000 : Infinity });
      // In escapes: what is odd about a text is often what cannot be seen.
      expect(findings.map((finding) => ({ ...finding, text: JSON.stringify(finding.text) }))).toEqual([]);
    },
    60_000 + long * 1_000,
  );
});
