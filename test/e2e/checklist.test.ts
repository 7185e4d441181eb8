import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { loadTranscripts } from "../support/transcripts.ts";

/** One observable fact that callers can rely on. C: as the reference; S: better than it. */
interface Row {
  readonly id: string;
  readonly kind: "C" | "S";
  readonly behaviour: string;
  /** Why the program does otherwise; the test with the row's id shows what it does instead. */
  readonly unmet?: string;
}

const tests = fileURLToPath(new URL("../", import.meta.url));
const rows = readData("checklist.json") as readonly Row[];
const differences = readData("transcript-differences.json") as Readonly<Record<string, unknown>>;
const transcripts = loadTranscripts();

/** The texts of all tests but this one. */
const sources = readdirSync(tests, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".test.ts") && !path.endsWith("checklist.test.ts"))
  .map((path) => readFileSync(join(tests, path), "utf8"))
  .join("\n");

/** Rows that a recorded invocation shows. */
const recorded = new Set(
  transcripts.flatMap(({ row, also_rows = [] }) => (row === null ? also_rows : [row, ...also_rows])),
);

function readData(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

describe("the checklist", () => {
  it("has every row once", () => {
    expect(rows.length).toBe(491);
    expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  });

  it("has a test with the id of every row: a transcript, or one of ours", () => {
    const missing = rows.filter(({ id }) => !recorded.has(id) && !new RegExp(`\\b${id}\\b`, "u").test(sources));
    expect(missing.map(({ id, behaviour }) => `${id} ${behaviour}`)).toEqual([]);
  });

  it("says which rows are not met", () => {
    expect(rows.filter(({ unmet }) => unmet !== undefined).map(({ id }) => id)).toEqual([]);
  });

  it("has a test with the number of every improvement (cli-behaviour.md 12)", () => {
    const numbers = [...range(1, 12), ...range(20, 58)].map((number) => `I-${String(number).padStart(2, "0")}`);
    expect(numbers.filter((number) => !sources.includes(number))).toEqual([]);
  });

  it("is not followed where the reference has a defect", () => {
    // What the reference does with an unknown type is by accident what we do on purpose.
    const kept = ["B-07"];
    const defects = transcripts.filter(({ id, upstream_defect }) => upstream_defect === true && !kept.includes(id));
    expect(defects.filter(({ id }) => !(id in differences)).map(({ id }) => id)).toEqual([]);
  });
});
