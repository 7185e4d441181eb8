import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SopsError } from "../../src/errors.ts";
import type { Source } from "../../src/formats/format.ts";
import { formatOfName, formatOfPath } from "../../src/formats/registry.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { Randomness } from "../fuzz/mutate.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { fixture, vectors, type StoreVector } from "../support/vectors.ts";

const SHORT = 600;
const SAMPLES = 25;

/** Lengths of proper prefixes: all of a short text; else line ends, the places around them, and some in between. */
function prefixLengths(text: string): number[] {
  const all = Array.from({ length: text.length }, (_, length) => length);
  if (text.length <= SHORT) return all;
  const random = new Randomness(text.length);
  const lineEnds = all.filter((length) => text[length] === "\n" || text[length - 1] === "\n");
  return [...new Set([...lineEnds, ...Array.from({ length: SAMPLES }, () => random.below(text.length))])];
}

/** A file cut behind its last character that is no line break is the file still. */
function isWhole(prefix: string, text: string): boolean {
  return prefix.trimEnd() === text.trimEnd();
}

const folder = new URL("../../fixtures/interop/encrypted/", import.meta.url);
const names = readdirSync(folder);

/** The plain text, or the error, and how many warnings there were. */
async function outcome(name: string, text: string): Promise<{ plain: string | SopsError; warnings: number }> {
  const format = formatOfPath(name);
  const host = hostWithKeys("age1", "age2", "age3", "agepq");
  const choice = { input: format, output: format, layout: "reference", style: {}, context: testContext(host) } as const;
  try {
    const bytes = await decrypt(Buffer.from(text, "latin1"), { ...choice, ignoreMac: false });
    return { plain: Buffer.from(bytes).toString("latin1"), warnings: host.warnings.length };
  } catch (error) {
    if (error instanceof SopsError) return { plain: error, warnings: host.warnings.length };
    throw error;
  }
}

/** Files whose end can go unseen behind the MAC, which does not vouch for values in clear (`mac_only_encrypted`). */
const UNSEEN: readonly string[] = ["manifests-yaml--agepgp--er-moe.yaml"];

describe("a file that was cut is refused", () => {
  it.each(names)("%s", async (name) => {
    const text = fixture(`interop/encrypted/${name}`).toString("latin1");
    const whole = await outcome(name, text);
    const mac = text.search(/\bmac\b.*type:str\]/);
    for (const length of prefixLengths(text).filter((end) => !isWhole(text.slice(0, end), text))) {
      const cut = await outcome(name, text.slice(0, length));
      if (cut.plain instanceof SopsError) continue;
      // Behind the MAC, which vouches for every value, the version may be missing (I-47), or what later documents
      // repeat of the metadata; a warning says so.
      expect(length, `the first ${String(length)} bytes`).toBeGreaterThan(mac);
      if (UNSEEN.includes(name)) continue;
      expect(cut.plain).toBe(whole.plain);
      expect(cut.warnings).toBeGreaterThan(whole.warnings);
    }
  });
});

describe("JSON that was cut is refused", () => {
  const read = (bytes: Uint8Array): Source => formatOfName("json").read(bytes);
  const good = (vectors("json_documents") as StoreVector[]).filter(({ input }) => {
    try {
      JSON.parse(input);
      return input.trimStart().startsWith("{");
    } catch {
      return false;
    }
  });

  it.each(good)("at every character: $input", ({ input }) => {
    const whole = input.trimEnd();
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => read(Buffer.from(whole.slice(0, length))), whole.slice(0, length)).toThrow(SopsError);
    }
  });

  it("there are such texts", () => {
    expect(good.length).toBeGreaterThan(10);
  });
});

/** One text for every kind that RFC 8259 forbids; the value stands in an object, as nothing else may be at the top. */
const MALFORMED: readonly string[] = [
  ...[
    "",
    ",",
    "]",
    "}",
    ":",
    "1 2",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1,,2]",
    "[1 2]",
    "[1;2]",
    "[1}",
    "[[]",
    "[]]",
  ],
  ...['{"a"}', '{"a":}', '{"a":1,}', '{,"a":1}', '{"a":1,,"b":2}', '{"a" 1}', '{"a"::1}', "{a:1}", "{'a':1}", "{1:1}"],
  ...['{"a":1 "b":2}', '{"a":1', '{"a":1]', "{[]:1}", "{null:1}", '{"a":1}}', '{"a":1}{', "{}[]"],
  ...[
    "+1",
    "-",
    "--1",
    "01",
    "-01",
    "00",
    "1.",
    ".5",
    "-.5",
    "1.e1",
    "1e",
    "1e+",
    "1e-",
    "1eE2",
    "1e1.5",
    "0x1F",
    "1_000",
  ],
  ...["0e", "1+1", "1-", "- 1", "1 .5", "Infinity", "-Infinity", "NaN", "nan", "\u0661", "1\u0660", "1a", "1n"],
  ...["True", "TRUE", "tru", "truee", "nul", "nulll", "undefined", "None", "false0", "abc", "a", "*"],
  ...[
    '"',
    '"a',
    '"\\"',
    "'a'",
    '"\\a"',
    '"\\x41"',
    '"\\u"',
    '"\\u12"',
    '"\\u12G4"',
    '"\\U0041"',
    '"\\',
    '"\\\n"',
    '"\\0"',
  ],
  ...['"\n"', '"\t"', '"\r"', '"\0"', '"\x1f"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '"\\ud800x"', "`a`"],
  ...[
    "/* c */ 1",
    "1 // c",
    "1 # c",
    "<!-- -->1",
    "1\u00a0",
    "\u00a01",
    "\u20281",
    "\f1",
    "\v1",
    "\ufeff1",
    "1\0",
    "\b1",
  ],
];

describe("malformed JSON is refused, with its place", () => {
  const read = (bytes: Uint8Array): Source => formatOfName("json").read(bytes);

  it.each(MALFORMED)("%j", (value) => {
    const texts = [`{"a":${value}}`, `{"a":[${value}]}`, `{"a":{"b":${value}}}`];
    // Nothing is a good list.
    for (const text of value === "" ? texts.slice(0, 1) : texts) {
      expect(() => read(Buffer.from(text)), text).toThrow(
        expect.objectContaining({ code: "ERR_PARSE", position: expect.objectContaining({ line: 1 }) as unknown }),
      );
    }
  });

  it.each([
    "",
    " ",
    "[]",
    "[{}]",
    '"a"',
    "1",
    "null",
    "true",
    "{",
    "}",
    "{}{}",
    "{} x",
    "{},",
    "\ufeff{}",
    "//\n{}",
    "{}\0",
  ])("%j, at the top", (text) => {
    expect(() => read(Buffer.from(text))).toThrow(expect.objectContaining({ code: "ERR_PARSE" }));
  });

  it.each([
    '{"a":0}',
    '{"a":-0}',
    '{"a":1.5e+10}',
    '{"a":1E+30}',
    '\t{\r\n"a" : [ ] , "b" : { } }\n ',
    '{"":""}',
    '{"a":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\ud83d\\ude00"}',
    '{"a":[true,false,null]}',
  ])("but not %j", (text) => {
    expect(read(Buffer.from(text)).text).toBe(text);
  });
});
