import { describe, expect, it } from "vitest";
import { withValuesOf } from "../../src/document/compare.ts";
import { SELECT_ALL } from "../../src/document/selection.ts";
import { mapTrees } from "../../src/document/walk.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { emitPlain, formatOfName, readPlain } from "../../src/formats/registry.ts";

interface Shape {
  readonly name: string;
  readonly format: FormatName;
  readonly text: (count: number) => string;
}

const lines = (count: number, line: (index: number) => string, between = ""): string =>
  Array.from({ length: count }, (_, index) => line(index)).join(between);

const shapes: readonly Shape[] = [
  { name: "keys", format: "yaml", text: (n) => lines(n, (i) => `k${String(i)}: v\n`) },
  { name: "keys beside an anchor", format: "yaml", text: (n) => `x: &x 1\n${lines(n, (i) => `k${String(i)}: v\n`)}` },
  { name: "anchors", format: "yaml", text: (n) => lines(n, (i) => `k${String(i)}: &a${String(i)} v\n`) },
  { name: "items", format: "yaml", text: (n) => `l:\n${lines(n, () => "  - v\n")}` },
  { name: "items in one line", format: "yaml", text: (n) => `l: [${lines(n * 3, () => "v", ", ")}]\n` },
  { name: "keys in one line", format: "yaml", text: (n) => `l: {${lines(n * 3, (i) => `k${String(i)}: v`, ", ")}}\n` },
  { name: "comments", format: "yaml", text: (n) => `${lines(n, () => "# c\n")}a: 1\n` },
  { name: "comments in a list", format: "yaml", text: (n) => `l:\n${lines(n / 2, () => "  # c\n  - v # d\n")}` },
  { name: "documents", format: "yaml", text: (n) => lines(n / 50, () => "---\na: 1\n") },
  { name: "blank lines", format: "yaml", text: (n) => `a: 1\n${lines(n * 10, () => "\n")}b: 2\n` },
  { name: "lines of a literal block", format: "yaml", text: (n) => `a: |\n${lines(n * 10, () => "  x\n")}` },
  { name: "escapes in one line", format: "yaml", text: (n) => `a: "${lines(n * 10, () => "\\n")}"\n` },
  { name: "keys", format: "json", text: (n) => `{${lines(n, (i) => `"k${String(i)}":"v"`, ",")}}` },
  { name: "items", format: "json", text: (n) => `{"l":[\n${lines(n, () => '"v"', ",\n")}\n]}` },
  { name: "escapes", format: "json", text: (n) => `{"a":"${lines(n * 10, () => "\\n")}"}` },
  { name: "names", format: "dotenv", text: (n) => lines(n, (i) => `K${String(i)}=v\n`) },
  { name: "comments", format: "dotenv", text: (n) => `${lines(n, () => "# c\n")}A=1\n` },
  { name: "escapes", format: "dotenv", text: (n) => `A=${lines(n * 10, () => "x\\n")}\n` },
  { name: "keys", format: "ini", text: (n) => `[s]\n${lines(n, (i) => `k${String(i)} = v\n`)}` },
  { name: "sections", format: "ini", text: (n) => lines(n, (i) => `[s${String(i)}]\nk = v\n`) },
  { name: "comment lines", format: "ini", text: (n) => `[s]\n${lines(n * 10, () => "; c\n")}a = 1\n` },
  { name: "comments", format: "ini", text: (n) => `[s]\n${lines(n / 2, (i) => `; c\nk${String(i)} = v ; d\n`)}` },
  { name: "lines of one value", format: "ini", text: (n) => `[s]\nk = ${lines(n * 10, () => "a \\\n")}b\n` },
  { name: "lines in quotes", format: "ini", text: (n) => `[s]\nk = """${lines(n * 10, () => "x\n")}"""\n` },
  { name: "bytes", format: "binary", text: (n) => "x".repeat(n * 100) },
];

const FEW = 2_000;
const FACTOR = 10;
const CELL = "ENC[AES256_GCM,data:KkDwEw==,iv:aXY=,tag:dGFn,type:str]";

/** Every value and comment becomes a cell, and back: what a format does when a file is encrypted and decrypted. */
function thereAndBack(name: FormatName, bytes: Uint8Array): void {
  const format = formatOfName(name);
  const plain = readPlain(format, bytes);
  const sealed = mapTrees(plain.documents, SELECT_ALL, {
    leaf: (leaf) => ({ ...leaf, value: CELL }),
    comment: (comment) => ({ ...comment, text: CELL }),
    nonStringKey: () => {
      throw new Error("no such key");
    },
  });
  const encrypted = format.read(name === "binary" ? format.emit(sealed, {}) : format.write(plain, sealed));
  const opened = withValuesOf(encrypted.documents, plain.documents);
  if (opened === undefined) throw new Error("another tree was read back");
  emitPlain(format, opened, {});
  if (name !== "binary") format.write(encrypted, opened);
}

/** Milliseconds of processor time, at best: other processes do not count, but the collector does. */
function timeOf({ format, text }: Shape, count: number, attempts: number, enough = 0): number {
  const bytes = Buffer.from(text(count));
  let best = Infinity;
  for (let attempt = 0; attempt < attempts && best > enough; attempt += 1) {
    const start = process.cpuUsage();
    thereAndBack(format, bytes);
    best = Math.min(best, process.cpuUsage(start).user / 1_000);
  }
  return best;
}

describe("ten times as much takes about ten times as long, not a hundred times", () => {
  it.each(shapes)("$format: $name", (shape) => {
    // Below 5 ms the clock and the collector count for more than the text.
    const limit = Math.max(timeOf(shape, FEW, 3), 5) * 2 * FACTOR;
    expect(timeOf(shape, FEW * FACTOR, 4, limit)).toBeLessThan(limit);
  });
});
