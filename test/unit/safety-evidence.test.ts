import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const repository = join(import.meta.dirname, "../..");
const document = readFileSync(join(repository, "docs/safety-evidence.md"), "utf8");

/** How many faults there are under each letter, and how many promises. */
const COUNTS = {
  C: 31,
  M: 14,
  D: 25,
  Y: 28,
  J: 13,
  E: 11,
  I: 4,
  B: 6,
  V: 16,
  F: 13,
  K: 26,
  S: 23,
  X: 10,
  Z: 12,
  P: 40,
};

interface Row {
  readonly id: string;
  readonly proof: string;
  readonly result: string;
}

const rows: readonly Row[] = document.split("\n").flatMap((line) => {
  const [, id = "", , proof = "", result = ""] = line.split(/(?<!\\) *\| */u).map((cell) => cell.trim());
  return /^[A-Z]\d+$/u.test(id) ? [{ id, proof, result }] : [];
});

/** The tests that a row names: a file, and a text that stands in it. */
function testsOf({ proof }: Row): { readonly file: string; readonly text: string }[] {
  return [...proof.matchAll(/`(test\/[^`]+)` (?:`` (.*?) ``|`([^`]+)`)/gu)].map(([, file = "", rare, usual]) => ({
    file,
    text: rare ?? usual ?? "",
  }));
}

describe("the evidence for safety", () => {
  it("has a row for every fault and every promise, once", () => {
    const wanted = Object.entries(COUNTS).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, index) => `${letter}${String(index + 1)}`),
    );
    expect(rows.map(({ id }) => id).sort()).toEqual(wanted.sort());
  });

  it.each(rows)("$id names tests that are there, or says why there is none", (row) => {
    const tests = testsOf(row);
    expect(row.result).not.toBe("");
    if (tests.length === 0) expect(row.proof).toBe("none");
    for (const { file, text } of tests) {
      expect(existsSync(join(repository, file)), file).toBe(true);
      expect(readFileSync(join(repository, file), "utf8"), file).toContain(text);
    }
  });
});
