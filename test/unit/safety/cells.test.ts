// The faults C1 to C31 of a cell: each is refused without a word of what it holds, or a stated limit of the format.
import type { KeyObject } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../../src/bytes/base64.ts";
import { sealCell, type CellType } from "../../../src/document/cell.ts";
import { CANARY, workbench, type Workbench } from "../../support/workbench.ts";

const PLAIN = `word: ${CANARY}
other: second-${CANARY}
digits: "123"
int: 42
bool: true
float: 1.5
list:
    - first-${CANARY}
    - last
`;

let bench: Workbench;
let encrypted: string;
let stranger: string;
let key: KeyObject;

beforeAll(async () => {
  bench = workbench();
  encrypted = (await bench.encrypt("yaml", PLAIN)).text;
  stranger = (await bench.encrypt("yaml", PLAIN)).text;
  key = await bench.keyOf("yaml", encrypted);
});

/** The cell of a top-level key, or of the first item of the list. */
function cellAt(text: string, name: string): string {
  const pattern = name === "list" ? /- (ENC\[.*?\])/ : new RegExp(`^${name}: (?:")?(ENC\\[.*?\\])`, "m");
  const cell = pattern.exec(text)?.[1];
  if (cell === undefined) throw new Error(`no cell ${name}`);
  return cell;
}

/** The file with the cell of a key changed; a changed cell that is no plain scalar is quoted. */
function withCell(name: string, change: (cell: string) => string): string {
  const cell = cellAt(encrypted, name);
  const changed = change(cell);
  return encrypted.replace(cell, /^ENC\[[^\n]*\]$/.test(changed) ? changed : JSON.stringify(changed));
}

type Field = "data" | "iv" | "tag" | "type";

function withField(cell: string, field: Field, change: (value: string) => string): string {
  return cell.replace(new RegExp(`(${field}:)([^,\\]]*)`), (_, label: string, value: string) => label + change(value));
}

function bytesOf(value: string): Buffer {
  return Buffer.from(decodeBase64(value) ?? []);
}

/** A cell of this file's data key, made by hand. */
function craft(name: string, plain: string, type: CellType, iv: Uint8Array = Buffer.alloc(32, 7)): string {
  return sealCell(key, iv, `${name}:`, Buffer.from(plain), type);
}

function flip(cell: string, field: Field, bit: number): string {
  return withField(cell, field, (value) => {
    const bytes = bytesOf(value);
    const at = bit >> 3;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
    return encodeBase64(bytes);
  });
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly text: () => string;
  readonly status: number;
}

const retagged = (id: string, name: string, type: string, status = 25): Row => ({
  id,
  name: `${name} as ${type}`,
  text: () => withCell(name, (cell) => withField(cell, "type", () => type)),
  status,
});

const crafted = (id: string, name: string, plain: string, type: CellType, status: number): Row => ({
  id,
  name: `${type} text ${JSON.stringify(plain)}`,
  text: () => withCell(name, () => craft(name, plain, type)),
  status,
});

const replaced = (id: string, name: string, what: string, text: string, status = 25): Row => ({
  id,
  name: what,
  text: () => encrypted.replace(cellAt(encrypted, name), text),
  status,
});

const rows: readonly Row[] = [
  ...[0, 1, 4, 8, 12, 15].map((size) => ({
    id: "C2",
    name: `tag of ${String(size)} bytes`,
    text: () =>
      withCell("word", (cell) => withField(cell, "tag", (tag) => encodeBase64(bytesOf(tag).subarray(0, size)))),
    status: 25,
  })),
  {
    id: "C2",
    name: "tag of 17 bytes",
    text: () =>
      withCell("word", (cell) =>
        withField(cell, "tag", (tag) => encodeBase64(Buffer.concat([bytesOf(tag), Buffer.of(0)]))),
      ),
    status: 25,
  },
  {
    id: "C3",
    name: "last 15 bytes of the tag moved into the data",
    text: () =>
      withCell("word", (cell) => {
        const tag = bytesOf(/tag:([^,]*)/.exec(cell)?.[1] ?? "");
        const longer = withField(cell, "data", (data) => encodeBase64(Buffer.concat([bytesOf(data), tag.subarray(1)])));
        return withField(longer, "tag", () => encodeBase64(tag.subarray(0, 1)));
      }),
    status: 25,
  },
  { id: "C4", name: "empty iv", text: () => withCell("word", (cell) => withField(cell, "iv", () => "")), status: 25 },
  ...[12, 16, 31, 33].map((size) => ({
    id: "C5",
    name: `iv of ${String(size)} bytes, rightly encrypted`,
    text: () => withCell("word", () => craft("word", CANARY, "str", Buffer.alloc(size, 7))),
    status: 0,
  })),
  {
    id: "C7",
    name: "empty data with the tag of the empty text",
    text: () => withCell("word", () => craft("word", "", "str")),
    status: 25,
  },
  {
    id: "C8",
    name: "base64 without its padding",
    text: () => withCell("word", (cell) => withField(cell, "tag", (tag) => tag.replace(/=+$/, ""))),
    status: 25,
  },
  {
    id: "C8",
    name: "a blank inside base64",
    text: () => withCell("word", (cell) => withField(cell, "tag", (tag) => `${tag.slice(0, 4)} ${tag.slice(4)}`)),
    status: 25,
  },
  {
    id: "C8",
    name: "the URL alphabet",
    text: () => withCell("word", (cell) => withField(cell, "iv", (iv) => `-_${iv.slice(2)}`)),
    status: 25,
  },
  {
    id: "C9",
    name: "spare base64 bits set",
    text: () =>
      withCell("word", (cell) =>
        // 16 bytes leave four spare bits in the last digit.
        withField(cell, "tag", (tag) => tag.replace(/(.)==$/, (_, digit: string) => `${nextDigit(digit)}==`)),
      ),
    status: 0,
  },
  {
    id: "C10",
    name: "a line break inside base64",
    text: () =>
      encrypted.replace(
        cellAt(encrypted, "word"),
        JSON.stringify(withField(cellAt(encrypted, "word"), "tag", (tag) => `${tag.slice(0, 4)}\n${tag.slice(4)}`)),
      ),
    status: 25,
  },
  { id: "C11", name: "text after the bracket", text: () => withCell("word", (cell) => `${cell} tail`), status: 0 },
  { id: "C12", name: "a blank before the cell", text: () => withCell("word", (cell) => ` ${cell}`), status: 25 },
  ...["", "STR", "secret"].map((type) => retagged("C13", "word", type)),
  { id: "C13", name: "no type", text: () => withCell("word", (cell) => cell.replace(/,type:.*\]/, "]")), status: 25 },
  retagged("C14", "word", "comment"),
  {
    id: "C15",
    name: "list item as comment",
    text: () => withCell("list", (cell) => withField(cell, "type", () => "comment")),
    status: 51,
  },
  ...["int", "float", "bool", "time"].map((type) => retagged("C16", "word", type)),
  retagged("C17", "digits", "int", 0),
  ...[" 5", "0x10", "1_000"].map((text) => crafted("C18", "int", text, "int", 25)),
  // Whoever writes these holds the data key: the reference takes them, and its MAC is over what they mean.
  crafted("C18", "int", "+42", "int", 0),
  ...["9223372036854775808", "-9223372036854775809"].map((text) => crafted("C19", "int", text, "int", 25)),
  ...["true", "1", "T"].map((text) => crafted("C20", "bool", text, "bool", 0)),
  crafted("C21", "float", "1e400", "float", 25),
  ...["NaN", "+Inf", "0x1p-2"].map((text) => crafted("C21", "float", text, "float", 51)),
  ...["2024-01-02T03:04:05", "2024-01-02T03:04:05+25:00"].map((text) => crafted("C22", "word", text, "time", 25)),
  replaced("C23", "word", "clear text in a cell's place", `clear-${CANARY}`),
  replaced("C24", "word", "a number in a cell's place", "7"),
  replaced("C24", "word", "a bool in a cell's place", "true"),
  replaced("C24", "word", "a list in a cell's place", "[a, b]"),
  replaced("C24", "word", "a mapping in a cell's place", "{a: b}"),
  replaced("C25", "word", "an empty string in a cell's place", '""', 51),
  {
    id: "C28",
    name: "the cell of another key",
    text: () => withCell("word", () => cellAt(encrypted, "other")),
    status: 25,
  },
  {
    id: "C29",
    name: "the cell of another file",
    text: () => withCell("word", () => cellAt(stranger, "word")),
    status: 25,
  },
  {
    id: "C30",
    name: "a cell in a list of one",
    text: () => encrypted.replace(cellAt(encrypted, "word"), (cell) => `[ "${cell}" ]`),
    status: 0,
  },
  ...["AES128_GCM", "AES256_CBC", "AES256_GCMX"].map((cipher) => ({
    id: "C31",
    name: `${cipher} in the header`,
    text: () => withCell("word", (cell) => cell.replace("AES256_GCM", cipher)),
    status: 25,
  })),
];

function nextDigit(digit: string): string {
  return String.fromCharCode(digit.charCodeAt(0) + 1);
}

describe("a cell", () => {
  it.each(rows)("$id $name", async ({ text, status }) => {
    const altered = text();
    expect(altered).not.toBe(encrypted);
    const outcome = await bench.decrypt("yaml", altered);
    expect(outcome).toMatchObject({ status });
    expect(outcome.message + outcome.warnings.join("\n")).not.toContain(CANARY);
    if (status === 0) return;
    expect(outcome.message).not.toContain("ENC[");
    expect(await bench.rotate("yaml", altered)).toMatchObject({ status });
  });

  it("C1 with any bit of data, iv or tag flipped: 25, naming the path alone", async () => {
    const cell = cellAt(encrypted, "int");
    for (const [field, bits] of [
      ["data", 16],
      ["iv", 256],
      ["tag", 128],
    ] as const) {
      for (let bit = 0; bit < bits; bit += 1) {
        const outcome = await bench.decrypt(
          "yaml",
          withCell("int", (old) => flip(old, field, bit)),
        );
        expect(outcome, `${field} bit ${String(bit)} of ${cell}`).toMatchObject({ status: 25 });
        expect(outcome.message).toContain('["int"]');
      }
    }
  });

  it("C6 with an iv of 2056 bits, longer than OpenSSL takes: 25", async () => {
    const iv = encodeBase64(Buffer.alloc(257, 7));
    const outcome = await bench.decrypt(
      "yaml",
      withCell("word", (cell) => withField(cell, "iv", () => iv)),
    );
    expect(outcome).toMatchObject({ status: 25 });
  });

  it("C26 crafted to slow a pattern down: 25, at once", async () => {
    const crafted = `ENC[AES256_GCM,data:${",iv:,tag:,type:".repeat(2000)}]`;
    const before = performance.now();
    const outcome = await bench.decrypt(
      "yaml",
      withCell("word", () => crafted),
    );
    expect(outcome).toMatchObject({ status: 25 });
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it("C27 of 64 MB decrypts", async () => {
    const long = "x".repeat(64 * 1024 * 1024);
    const cell = sealCell(key, Buffer.alloc(32, 9), "word:", Buffer.from(long), "str");
    const outcome = await bench.decrypt(
      "yaml",
      withCell("word", () => cell),
      { ignoreMac: true },
    );
    expect(outcome.status).toBe(0);
    expect(outcome.text.length).toBeGreaterThan(long.length);
  }, 60_000);
});
