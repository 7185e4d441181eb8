// The faults Y, J, E, I and B of texts that are to be encrypted: refused with a place, or given back as they were.
import { describe, expect, it } from "vitest";
import type { FormatName } from "../../../src/formats/format.ts";
import { CANARY, workbench } from "../../support/workbench.ts";

const bench = workbench();

interface Row {
  readonly id: string;
  readonly name: string;
  readonly format: FormatName;
  readonly text: string | Uint8Array;
  /** Exit status of `encrypt`; 0: and `decrypt` gives the text back. */
  readonly status: number;
  /** What comes back instead, where it is not the text. */
  readonly back?: string;
}

const utf16 = (text: string, isBig: boolean): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return isBig ? bytes.swap16() : bytes;
};
const laughs = Array.from({ length: 9 }, (_, level) =>
  level === 0
    ? `a0: &a0 ["${CANARY}"]`
    : `a${String(level)}: &a${String(level)} [${`*a${String(level - 1)},`.repeat(9)}]`,
).join("\n");
const nested = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

const yaml = (id: string, name: string, text: string | Uint8Array, status: number, back?: string): Row => ({
  id,
  name,
  format: "yaml",
  text,
  status,
  ...(back === undefined ? {} : { back }),
});
const of =
  (format: FormatName) =>
  (id: string, name: string, text: string | Uint8Array, status: number): Row => ({ id, name, format, text, status });
const [json, dotenv, ini, binary] = [of("json"), of("dotenv"), of("ini"), of("binary")] as const;

const rows: readonly Row[] = [
  yaml("Y1", "nothing", "", 92),
  yaml("Y1", "comments alone", "# only\n", 2),
  yaml("Y1", "a byte-order mark alone", "\ufeff", 2),
  yaml("Y2", "a scalar at the top", `${CANARY}\n`, 2),
  yaml("Y2", "a list at the top", `- ${CANARY}\n`, 2),
  yaml("Y3", "a repeated key", `a: 1\na: ${CANARY}\n`, 2),
  yaml("Y3", "a repeated key in the second document", `a: 1\n---\nb: 1\nb: ${CANARY}\n`, 2),
  yaml("Y3", "a repeated key deep down", `a:\n  b:\n    c: 1\n    c: ${CANARY}\n`, 2),
  ...["1", "true", "null", "1.5"].map((key) => yaml("Y4", `the key ${key}`, `${key}: ${CANARY}\n`, 23)),
  yaml("Y4", "a list as key", `? [a]\n: ${CANARY}\n`, 2),
  yaml("Y7", "an alias of itself", `a: &x [*x]\n`, 2),
  yaml("Y8", "a billion laughs", laughs, 2),
  yaml("Y10", "100,000 levels of flow", nested(100_000, "[", "]"), 2),
  yaml("Y10", "100,000 levels of blocks", Array.from({ length: 3000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"), 2),
  yaml("Y12", "line ends of Windows", `a: ${CANARY}\r\nb: 2\r\n`, 0),
  yaml("Y13", "a byte-order mark", `\ufeffa: ${CANARY}\n`, 0),
  yaml("Y14", "UTF-32", Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), 2),
  yaml("Y15", "bytes that are not UTF-8", Buffer.from([0x61, 0x3a, 0x20, 0xff, 0x0a]), 2),
  yaml("Y16", "half a surrogate pair", `a: "\\ud800"\n`, 2),
  yaml("Y17", "NUL", `a: "x\0${CANARY}"\n`, 2),
  yaml("Y17", "a control character", `a: \u0001${CANARY}\n`, 2),
  yaml("Y18", "tabs as indentation", `a:\n\tb: ${CANARY}\n`, 2),
  yaml("Y22", "65,536 characters in one line", `a: ${"x".repeat(65_536)}\n`, 0),
  yaml(
    "Y23",
    "texts that look like other types",
    `a: "1"\nb: "true"\nc: "null"\nd: "2024-01-01"\ne: "x "\nf: "# x"\ng: "a: b"\n`,
    0,
  ),
  yaml("Y24", "several documents with comments between", `a: 1\n---\n# between\nb: ${CANARY}\n`, 0),
  yaml("Y25", "an empty key", `"": ${CANARY}\n`, 0),
  yaml("Y26", "10,000 comment lines", `${"# ä comment\n".repeat(10_000)}a: ${CANARY}\n`, 0),
  yaml("Y28", "an integer of more than 63 bits", `a: 18446744073709551615\n`, 23),
  json("J2", "a word after the end", `{"a": "${CANARY}"} garbage`, 2),
  json("J2", "another object after the end", `{"a": 1}{"b": "${CANARY}"}`, 2),
  json("J3", "a repeated key", `{"a": 1, "a": "${CANARY}"}`, 2),
  ...["[1]", `"${CANARY}"`, "12"].map((text) => json("J4", `${text} at the top`, text, 2)),
  json("J6", "a comment", `{"a": 1} // ${CANARY}`, 2),
  json("J6", "a trailing comma", `{"a": "${CANARY}",}`, 2),
  json("J6", "single quotes", `{'a': '${CANARY}'}`, 2),
  json("J6", "NaN", `{"a": NaN}`, 2),
  json("J7", "bytes that are not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 2),
  json(
    "J8",
    "integers at the limits",
    `{"a": 9223372036854775807, "b": 9007199254740993, "c": -9223372036854775808}\n`,
    0,
  ),
  json("J8", "an exponent beyond all", `{"a": 1e400}`, 2),
  json(
    "J9",
    "keys that objects reorder or lose",
    `{"__proto__": 1, "constructor": 2, "toString": 3, "10": 4, "2": 5}\n`,
    0,
  ),
  json("J10", "100,000 levels", `{"a": ${nested(100_000, "[", "]")}}`, 2),
  json("J13", "characters that Go escapes", `{"a": "<&>\u2028"}\n`, 0),
  dotenv("E1", "a line without =", `A=1\n${CANARY}\n`, 2),
  dotenv("E3", "a Windows path", `A=C:\\new\\${CANARY}\n`, 0),
  dotenv("E5", "bytes that are not UTF-8", Buffer.from([0x41, 0x3d, 0xff, 0xfe, 0x0a]), 0),
  dotenv("E8", "a name of the metadata", `sops_version=${CANARY}\n`, 203),
  ini("I2", "values with every quote and sign", `[s]\na = "x # y"\nb = \`z ; w\`\nc = k=v\n`, 0),
  ini("I3", "a key without section", `a = ${CANARY}\n`, 0),
  ini("I4", "a section named sops", `[sops]\na = ${CANARY}\n`, 203),
  binary("B1", "nothing", "", 0),
  binary("B2", "every byte", Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), 0),
  binary("B2", "a megabyte of 0xFF", Buffer.alloc(1024 * 1024, 0xff), 0),
];

describe("a text", () => {
  it.each(rows)("$id $name ($format)", async ({ format, text, status, back }) => {
    const started = performance.now();
    const outcome = await bench.encrypt(format, text);
    expect(outcome).toMatchObject({ status });
    expect(outcome.message + outcome.warnings.join("\n")).not.toContain(CANARY);
    expect(performance.now() - started).toBeLessThan(2000);
    if (status !== 0) return;
    expect(await bench.decrypt(format, outcome.text)).toMatchObject({
      status: 0,
      text: back ?? Buffer.from(text).toString(),
    });
  });

  it.each(["utf16le", "utf16be"])("Y14 in %s opens as text", async (encoding) => {
    const outcome = await bench.encrypt("yaml", utf16(`a: ${CANARY}\n`, encoding === "utf16be"));
    expect(outcome.status).toBe(0);
    expect((await bench.decrypt("yaml", outcome.text)).text).toContain(CANARY);
  });

  it("Y5, Y6 with aliases and merge keys is expanded", async () => {
    const text = `base: &x {a: ${CANARY}}\nc:\n  <<: *x\nd: *x\n`;
    const outcome = await bench.encrypt("yaml", text);
    expect(outcome.status).toBe(0);
    expect(outcome.text).not.toContain(CANARY);
    const { text: plain } = await bench.decrypt("yaml", outcome.text);
    expect(plain.split(CANARY).length - 1).toBe(3);
  });

  it("Y19 with tags of other languages makes nothing of them", async () => {
    for (const tag of ["!!js/function", "!!python/object", "!custom"]) {
      const outcome = await bench.encrypt("yaml", `a: ${tag} ${CANARY}\n`);
      expect([0, 2, 23]).toContain(outcome.status);
      expect(outcome.text).not.toContain(CANARY);
    }
  });

  it("Y27, J1 encrypted and cut at any byte is refused, or gives no other value", async () => {
    for (const format of ["yaml", "json"] as const) {
      const plain = format === "yaml" ? `a: ${CANARY}\n` : `{"a": "${CANARY}"}`;
      const { text } = await bench.encrypt(format, plain);
      for (let length = 0; length < text.trimEnd().length; length += 1) {
        const outcome = await bench.decrypt(format, text.slice(0, length));
        // What follows the MAC are fields that say what holds without them, too.
        if (outcome.status === 0) expect(length).toBeGreaterThan(text.lastIndexOf("mac"));
        if (outcome.status === 0) expect(outcome.text.trim()).toBe(plain.trim());
      }
    }
  }, 60_000);

  it("B4 binary whose data are missing, a number or empty is refused, or empty", async () => {
    const { text } = await bench.encrypt("binary", CANARY);
    for (const data of ["12", "true", "[]"]) {
      const altered = text.replace(/"data": "ENC[^"]*"/, `"data": ${data}`);
      expect(altered).not.toBe(text);
      expect((await bench.decrypt("binary", altered)).status).not.toBe(0);
    }
    expect((await bench.decrypt("binary", text.replace(/"data": "ENC[^"]*",/, ""))).status).not.toBe(0);
  });

  it("B6 a selection is ignored for binary, with a warning", async () => {
    const outcome = await bench.encrypt("binary", CANARY, { selection: { kind: "encrypted_regex", pattern: "^x$" } });
    expect(outcome.status).toBe(0);
    expect(outcome.text).not.toContain(CANARY);
    expect(outcome.warnings.join()).toContain("will be ignored");
  });

  it.each([
    { id: "E9", name: "a name with =", text: "a=b: x\n" },
    { id: "E9", name: "a name with a line break", text: '"a\\nB": x\n' },
    { id: "E10", name: "a mapping", text: `a:\n    b: ${CANARY}\n` },
    { id: "E10", name: "a list", text: `a:\n    - ${CANARY}\n` },
  ])("$id $name does not become dotenv: 4, and the value is not named", async ({ text }) => {
    const { text: encrypted } = await bench.encrypt("yaml", text);
    const outcome = await bench.decrypt("yaml", encrypted, { output: "dotenv" });
    expect(outcome).toMatchObject({ status: 4 });
    expect(outcome.message).not.toContain(CANARY);
  });

  it("P23 JSON with any character dropped or doubled is refused, or means the same", async () => {
    const text = `{"a": "x", "b": [1, {"c": null}]}`;
    for (let at = 0; at < text.length; at += 1) {
      for (const altered of [
        text.slice(0, at) + text.slice(at + 1),
        text.slice(0, at) + text.slice(at, at + 1) + text.slice(at),
      ]) {
        const isJson = isObject(altered);
        const { status } = await bench.encrypt("json", altered);
        expect(status === 0, altered).toBe(isJson);
      }
    }
  });
});

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
