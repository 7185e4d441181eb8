import { describe, expect, it } from "vitest";
import { firstDifference } from "../../src/document/compare.ts";
import { FormatError } from "../../src/errors.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { readPlain } from "../../src/formats/registry.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { bench, policyOf } from "../support/operations.ts";

const utf8 = (text: string): Buffer => Buffer.from(text);
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const utf16 = (text: string): Buffer => Buffer.concat([bytes("\xff\xfe"), Buffer.from(text, "utf16le")]);

interface Row {
  readonly name: string;
  readonly text: Buffer;
}

/** Texts that come back byte for byte. */
const KEPT: Readonly<Record<FormatName, readonly Row[]>> = {
  yaml: [
    { name: "CRLF", text: utf8("a: x\r\nb: y\r\n") },
    { name: "LF and CRLF", text: utf8("a: x\r\nb: y\nc: z\r\n") },
    { name: "NEL, which is a line break", text: utf8("a: x\u0085b: y\n") },
    { name: "line and paragraph separators, which are line breaks", text: utf8("a: x\u2028b: y\u2029c: z\n") },
    { name: "a byte order mark", text: utf8("\ufeffa: x\n") },
    { name: "a byte order mark on a later line", text: utf8("a: x\n\ufeffb: y\n") },
    { name: "an escaped NUL", text: utf8('a: "x\\0y"\n') },
    { name: "tabs within a value", text: utf8("a: x\ty\n") },
    { name: "no last line break", text: utf8("a: x") },
    { name: "a document start only", text: utf8("---\n") },
    { name: "a document start without a line break", text: utf8("---") },
    { name: "characters above U+FFFF", text: utf8("a: \u{1F600}\n") },
    { name: "a value of 70,000 characters", text: utf8(`a: ${"x".repeat(70_000)}\n`) },
    { name: "a directive", text: utf8("%YAML 1.1\n---\na: 1\n") },
    { name: "a set", text: utf8("a: !!set {x, y}\n") },
    { name: "document ends and comments between", text: utf8("a: 1\n...\n# c\n---\nb: 2\n...\n") },
    { name: "10,000 comment lines", text: utf8("# ENC[ \u00e9\n".repeat(10_000) + "a: 1\n") },
  ],
  json: [
    { name: "CRLF", text: utf8('{\r\n"a":"x"\r\n}\r\n') },
    { name: "CR", text: utf8('{\r"a":"x"\r}\r') },
    { name: "a line separator", text: utf8('{"a":"\u2028"}') },
    { name: "an escaped NUL", text: utf8('{"a":"x\\u0000"}') },
    { name: "DEL", text: utf8('{"a":"\u007f"}') },
    { name: "what HTML means something in", text: utf8('{"a":"<&>"}') },
    { name: "the float -0.0", text: utf8('{"a":-0.0}') },
    { name: "an integer beyond 64 bits", text: utf8('{"a":9223372036854775808}') },
    { name: "a float that is too small", text: utf8('{"a":1e-400}') },
    { name: "keys that mean something to JavaScript", text: utf8('{"__proto__":{"x":1},"10":1,"2":2,"toString":3}') },
    { name: "nothing", text: utf8("{}") },
  ],
  dotenv: [
    { name: "CRLF", text: utf8("# c\r\nA=x\r\nB=y\r\n") },
    { name: "a CR before a name like that of metadata", text: utf8("A=1\rsops_mTrue\r\n") },
    { name: "CR", text: utf8("A=x\rB=y\r") },
    { name: "NEL and line separators", text: utf8("A=x\u0085y\u2028z\n") },
    { name: "a byte order mark", text: utf8("\ufeffA=x\n") },
    { name: "control characters", text: utf8("A=\u0001\x1b[31m\u007f\n") },
    { name: "bytes that are no UTF-8", text: bytes("A=\xff\xfe\n") },
    { name: "a NUL in a comment", text: utf8("# \0\nA=1\n") },
    { name: "backslashes", text: utf8("A=C:\\new\nB=a\\\\nb\nC=a\\tb\n") },
    { name: "an empty name, and one that repeats", text: utf8("=x\nA=1\nA=2\n") },
    { name: "a comment that is none", text: utf8("A=1\n  # c=1\n") },
    { name: "no last line break", text: utf8("A=x\n\n\nB=y") },
    { name: "nothing", text: utf8("") },
  ],
  ini: [
    { name: "CRLF", text: utf8("[s]\r\na = x\r\n") },
    { name: "NEL and line separators", text: utf8("[s]\na = x\u0085y\u2028z\u0085\n") },
    { name: "a byte order mark", text: utf8("\ufeff[s]\na = x\n") },
    { name: "NUL and control characters", text: utf8("[s]\na = x\0y\u0001\x1b\n") },
    { name: "bytes that are no UTF-8", text: bytes("[s]\na = \xff\n") },
    { name: "sections that repeat", text: utf8("[s]\na = 1\n[s]\na = 2\n") },
    { name: "quotes of every kind", text: utf8('[s]\na = `x;y`\nb = "x"\nc = \'x\'\nd = """x\ny"""\n') },
    { name: "comments in every place", text: utf8("; a\n[s] ; b\n# c\na = x ; d\nb = x#y\n; e\n") },
    { name: "no section", text: utf8("a = 1\n") },
    { name: "no last line break", text: utf8("[s]\na = 1") },
    { name: "nothing", text: utf8("") },
  ],
  binary: [
    { name: "nothing", text: utf8("") },
    { name: "every byte", text: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)) },
    { name: "a million of one byte", text: Buffer.alloc(1_000_000, 0xff) },
    { name: "what looks encrypted", text: utf8('{"data":"x","sops":{}}') },
  ],
};

/** Texts with the same values in another notation; a warning says so. */
const CHANGED: Partial<Readonly<Record<FormatName, readonly Row[]>>> = {
  yaml: [
    { name: "a line separator in quotes", text: utf8('a: "x\u2028y"\n') },
    { name: "a byte order mark within a value", text: utf8("a: x\ufeffy\n") },
    { name: "UTF-16", text: utf16("a: x\nb: y\n") },
    { name: "a tag of somebody", text: utf8("a: !!js/function 'x'\nb: !foo y\n") },
    { name: "base64", text: utf8("a: !!binary aGVsbG8=\n") },
    { name: "a negative zero with underscores", text: utf8("a: -0.__\n") },
    { name: "an alias (Y6)", text: utf8("a: &x {b: 1}\nc: *x\n") },
    { name: "a merge", text: utf8("a: &x {b: 1}\nc:\n  <<: *x\n") },
  ],
  json: [
    { name: "escapes", text: utf8('{"a":"\\/","b":"\\u00e9"}') },
    { name: "the integer -0", text: utf8('{"a":-0}') },
  ],
  ini: [
    { name: "a value of several lines", text: utf8("[s]\na = x \\\n y\n") },
    { name: "a backslash at the end", text: utf8("[s]\na = x\\\n") },
  ],
};

const bomb = ["a: &a [x,x,x,x,x,x,x,x,x]"];
for (const [index, key] of Array.from("bcdefghi").entries())
  bomb.push(
    `${key}: &${key} [${Array<string>(9)
      .fill(`*${"abcdefgh".charAt(index)}`)
      .join(",")}]`,
  );

/** Texts that are refused, with the line. */
const REFUSED: Partial<Readonly<Record<FormatName, readonly (Row & { readonly line: number })[]>>> = {
  yaml: [
    ...["\v", "\f", "\0", "\u0001", "\x1b", "\u007f", "\u0080", "\ufffe", "\uffff"].map((character) => ({
      name: `the character ${JSON.stringify(character)}`,
      text: utf8(`a: 1\nb: x${character}y\n`),
      line: 2,
    })),
    { name: "tabs as indentation", text: utf8("a:\n\tb: y\n"), line: 2 },
    { name: "invalid UTF-8", text: bytes("a: x\nb: \xff\n"), line: 2 },
    { name: "an overlong sequence", text: bytes("a: \xc0\xaf\n"), line: 1 },
    { name: "a surrogate", text: bytes("a: \xed\xa0\x80\n"), line: 1 },
    { name: "an escaped surrogate", text: utf8('a: "\\ud800"\n'), line: 1 },
    { name: "half of UTF-16", text: utf16("a: x\nb").subarray(0, -1), line: 2 },
    { name: "a surrogate in UTF-16", text: utf16("a: x\nb: \ud800\n"), line: 2 },
    { name: "UTF-32", text: bytes("\xff\xfe\0\0a\0\0\0:\0\0\0 \0\0\0x\0\0\0"), line: 1 },
    { name: "comments only", text: utf8("# c\n"), line: 2 },
    { name: "a byte order mark only", text: utf8("\ufeff"), line: 1 },
    { name: "a key of more than 1,024 characters", text: utf8(`${"k".repeat(1_025)}: v\n`), line: 1 },
    { name: "a list", text: utf8("- a\n"), line: 1 },
    { name: "a text", text: utf8("a\n"), line: 1 },
    { name: "YAML 1.2", text: utf8("%YAML 1.2\n---\na: 1\n"), line: 1 },
    { name: "an alias in what it stands for", text: utf8("a: 1\nb: &x [*x]\n"), line: 2 },
    { name: "an unknown alias", text: utf8("a: *nope\n"), line: 1 },
    { name: "aliases that stand for a billion", text: utf8(`${bomb.join("\n")}\n`), line: 5 },
    { name: "a repeated key of a later document", text: utf8("a: 1\n---\nb: 1\nb: 2\n"), line: 4 },
    { name: "an unresolved merge", text: utf8("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> x\n"), line: 2 },
  ],
  json: [
    { name: "a byte order mark", text: utf8('\ufeff{"a":"x"}'), line: 1 },
    { name: "UTF-16", text: utf16('{"a":1}'), line: 1 },
    { name: "invalid UTF-8", text: bytes('{\n"a":"\xff"}'), line: 2 },
    { name: "a surrogate", text: utf8('{"a":"\\ud800"}'), line: 1 },
    { name: "NUL", text: utf8('{"a":"x\0"}'), line: 1 },
    { name: "NUL behind the end", text: utf8('{"a":"x"}\n\0'), line: 2 },
    { name: "a control character", text: utf8('{"a":"\u0001"}'), line: 1 },
    { name: "blanks of other kinds", text: utf8('{\u00a0"a":1}'), line: 1 },
    { name: "NEL", text: utf8('{\u0085"a":1}'), line: 1 },
    { name: "a number that is too large", text: utf8('{"a":1e400}'), line: 1 },
    { name: "a repeated key", text: utf8('{"a":1,\n"a":2}'), line: 2 },
    { name: "nothing", text: utf8(""), line: 1 },
  ],
  dotenv: [
    { name: "NUL in a value", text: utf8("A=1\nB=x\0y\n"), line: 2 },
    { name: "a name that is no UTF-8", text: bytes("\xff=x\n"), line: 1 },
    { name: "a comment that is no UTF-8", text: bytes("A=1\n# \xff\n"), line: 2 },
    { name: "a line without =", text: utf8("A=1\nfoo\n"), line: 2 },
    { name: "an empty line that ends in CRLF", text: utf8("A=x\r\n\r\nB=y\r\n"), line: 2 },
  ],
  ini: [
    { name: "CR", text: utf8("[s]\ra = x\r"), line: 1 },
    { name: "a key that is no UTF-8", text: bytes("[s]\n\xff = a\n"), line: 2 },
    { name: "a section that is no UTF-8", text: bytes("[\xff]\na = a\n"), line: 1 },
    { name: "a comment that is no UTF-8", text: bytes("; \xff\n[s]\na = a\n"), line: 1 },
    { name: "a key that repeats in a section", text: utf8("[s]\na = 1\nb = 2\na = 3\n"), line: 4 },
    { name: "an open section", text: utf8("[s\na=1\n"), line: 1 },
    { name: "a section without a name", text: utf8("[]\na=1\n"), line: 1 },
    { name: "a key without a name", text: utf8("[s]\n= x\n"), line: 2 },
    { name: "a line without =", text: utf8("[s]\nfoo\n"), line: 2 },
    { name: "the key -", text: utf8("[s]\n- = x\n"), line: 2 },
    { name: "an open quote", text: utf8('[s]\na = """x\n'), line: 2 },
  ],
};

async function roundTrip(format: FormatName, text: Buffer) {
  const { choice, host } = bench(format);
  const encrypted = await encrypt(text, {
    ...choice,
    policy: policyOf("age1"),
    strict: false,
    allowUnencrypted: false,
  });
  return { result: Buffer.from(await decrypt(encrypted, choice)), warnings: host.warnings, source: choice.input };
}

const rows = <T extends Row>(table: Partial<Readonly<Record<FormatName, readonly T[]>>>) =>
  Object.entries(table).flatMap(([format, list]) => list.map((row) => ({ ...row, format: format as FormatName })));

describe("comes back byte for byte", () => {
  it.each(rows(KEPT))("$format with $name", async ({ format, text }) => {
    const { result, warnings } = await roundTrip(format, text);
    expect(result.equals(text)).toBe(true);
    expect(warnings).toEqual([]);
  });
});

describe("comes back in another notation, with a warning", () => {
  it.each(rows(CHANGED))("$format with $name", async ({ format, text }) => {
    const { result, warnings, source } = await roundTrip(format, text);
    expect(result.equals(text)).toBe(false);
    const [before, after] = [text, result].map((read) => readPlain(source, read).documents);
    expect(firstDifference(before ?? [], after ?? [], { withComments: true })).toBeUndefined();
    expect(warnings).toEqual([expect.stringMatching(/another notation|UTF-16/)]);
  });
});

describe("is refused with its place", () => {
  it.each(rows(REFUSED))("$format with $name", async ({ format, text, line }) => {
    const refusal = await roundTrip(format, text).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(FormatError);
    expect(refusal).toMatchObject({ position: { line } });
  });

  it("an empty YAML file, which has no document", async () => {
    await expect(roundTrip("yaml", utf8(""))).rejects.toMatchObject({ code: "ERR_NO_DOCUMENT" });
  });
});
