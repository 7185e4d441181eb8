import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Comment, Entry, Mapping, Node, Span } from "../../../../src/document/model.ts";
import { FormatError } from "../../../../src/errors.ts";
import { readYaml } from "../../../../src/formats/yaml/read.ts";
import { notation, vectors } from "../../../support/vectors.ts";
import { yamlTexts } from "./texts.ts";

interface YamlVector {
  readonly yaml: string;
  readonly documents?: readonly unknown[];
  readonly error?: true;
}

type Item = Entry | Node | Comment;

function yamlVectors(section: string): readonly YamlVector[] {
  return vectors(section) as readonly YamlVector[];
}

function read(text: string): readonly Mapping[] {
  return readYaml(Buffer.from(text)).documents;
}

function trees(text: string): unknown {
  return read(text).map(notation);
}

/** Everything in the trees of a text, containers before what they hold. */
function itemsOf(text: string): Item[] {
  const all: Item[] = [];
  const visit = (item: Item): void => {
    all.push(item);
    if (item.kind === "entry") visit(item.value);
    else if (item.kind === "mapping" || item.kind === "sequence") item.items.forEach(visit);
  };
  read(text).forEach(visit);
  return all;
}

/** `kind style@indent "text"` for everything that stands in a text. */
function places(text: string): string[] {
  return itemsOf(text).map(({ kind, span }) => {
    if (span === undefined) return kind;
    return `${kind} ${span.style}@${String(span.indent)} ${JSON.stringify(text.slice(span.start, span.end))}`;
  });
}

/**
 * Where we differ on purpose. The reference drops comments behind an opening bracket and behind `...`: a comment that
 * is in no tree would stay in the encrypted file as it is. And it keeps duplicate keys in later documents, of which an
 * editor, a path or another reader would see one only.
 */
const DELIBERATE: Readonly<Record<string, unknown>> = {
  "k: [ # a\n 1, # b\n 2 # c\n ] # d\n": [
    { map: [["k", { list: [plain(" d"), plain(" a"), inline(" b"), int("1"), inline(" c"), int("2")] }]] },
  ],
  "a: 1\n... # x\n": [{ map: [["a", int("1")], plain(" x")] }],
  "b: 1\n---\na: 1\na: 2\n": "line 4, column 1: a key that this mapping already has",
};

function plain(comment: string): unknown {
  return { comment, inline: false };
}

function inline(comment: string): unknown {
  return { comment, inline: true };
}

function int(digits: string): unknown {
  return { int: digits };
}

/** The notation of this project's tests for what the vectors call otherwise. */
function expected(documents: readonly unknown[] | undefined): unknown {
  return JSON.parse(JSON.stringify(documents ?? null).replaceAll("uint64_unsupported", "uint"));
}

function outcome(text: string): unknown {
  try {
    return trees(text);
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

describe.each(["yaml_comments", "yaml_documents"])("%s", (section) => {
  const cases = yamlVectors(section).filter((vector) => !JSON.stringify(vector).includes("non_string"));

  it.each(cases)("$yaml", ({ yaml, documents, error }) => {
    const deliberate = DELIBERATE[yaml];
    if (deliberate !== undefined) expect(outcome(yaml)).toEqual(deliberate);
    else if (error === true) expect(() => read(yaml)).toThrow(FormatError);
    else expect(trees(yaml)).toEqual(expected(documents));
  });
});

describe("yaml_scalar_resolution", () => {
  it.each(vectors("yaml_scalar_resolution") as { scalar: string; value: unknown; error?: true }[])(
    "a: $scalar",
    ({ scalar, value, error }) => {
      const text = `a: ${scalar}\n`;
      if (error === true) expect(() => read(text)).toThrow(FormatError);
      else expect(trees(text)).toEqual(expected([{ map: [["a", value]] }]));
    },
  );
});

describe("keys that are no strings", () => {
  it.each(["1", "true", "null", "2024-01-02", "1.5", "~"])("%s", (key) => {
    expect(read(`${key}: a\n`)[0]?.items[0]).toMatchObject({ kind: "entry", key, nonString: true });
  });

  it("do not include quoted ones", () => {
    expect(read('"1": a\n')[0]?.items[0]).not.toHaveProperty("nonString");
  });
});

describe("encodings", () => {
  const tree = [{ map: [["a", { str: "é" }]] }];

  it.each([
    ["UTF-8", Buffer.from("a: é\n"), "a: é\n"],
    ["UTF-8 with a mark", Buffer.from("\ufeffa: é\n"), "\ufeffa: é\n"],
    ["UTF-16LE", Buffer.from("\ufeffa: é\n", "utf16le"), "\ufeffa: é\n"],
    ["UTF-16BE", Buffer.from("\ufeffa: é\n", "utf16le").swap16(), "\ufeffa: é\n"],
  ])("%s", (_name, bytes, text) => {
    const source = readYaml(bytes);
    expect(source.text).toBe(text);
    expect(source.documents.map(notation)).toEqual(tree);
  });

  it.each([
    ["UTF-8", Buffer.from([0x61, 0x3a, 0x20, 0xff])],
    ["UTF-16 of an odd length", Buffer.from([0xff, 0xfe, 0x61])],
    ["UTF-16 with half a pair", Buffer.from([0xff, 0xfe, 0x00, 0xd8])],
  ])("refuses invalid %s", (_name, bytes) => {
    expect(() => readYaml(bytes)).toThrow(FormatError);
  });

  it("leaves the caller's bytes alone", () => {
    const bytes = Buffer.from("\ufeffa: é\n", "utf16le").swap16();
    const before = Buffer.from(bytes);
    readYaml(bytes);
    expect(bytes).toEqual(before);
  });
});

describe("places", () => {
  it.each<[string, string, string[]]>([
    [
      "of entries, leaves and comments",
      "# h\na: 'x' # i\n\nb:\n    c: 1\n",
      [
        `mapping block@0 ${JSON.stringify("# h\na: 'x' # i\n\nb:\n    c: 1")}`,
        'comment line@0 "# h"',
        'comment inline@7 "# i"',
        `entry entry@0 "a: 'x'"`,
        `leaf single@0 "'x'"`,
        'entry entry@0 "b:\\n    c: 1"',
        'mapping block@4 "c: 1"',
        'entry entry@4 "c: 1"',
        'leaf plain@4 "1"',
      ],
    ],
    [
      "of empty values, behind their colon or dash",
      "a:\nb: # c\nl:\n-\n",
      [
        `mapping block@0 ${JSON.stringify("a:\nb: # c\nl:\n-")}`,
        'entry entry@0 "a:"',
        'leaf plain@0 ""',
        'comment line@3 "# c"',
        'entry entry@0 "b:"',
        'leaf plain@0 ""',
        'entry entry@0 "l:\\n-"',
        'sequence block@0 "-"',
        'leaf plain@0 ""',
      ],
    ],
    [
      "of block scalars, with the column of their lines",
      "a: |\n   x\n\n\nb: |+ # c\n  y\n\n",
      [
        `mapping block@0 ${JSON.stringify("a: |\n   x\n\n\nb: |+ # c\n  y\n\n")}`,
        'entry entry@0 "a: |\\n   x\\n"',
        'leaf literal@3 "|\\n   x\\n"',
        'comment inline@6 "# c"',
        'entry entry@0 "b: |+ # c\\n  y\\n\\n"',
        'leaf literal@2 "|+ # c\\n  y\\n\\n"',
      ],
    ],
    [
      "of flow collections, with their brackets and the column around them",
      "a:\n  b: [x, {y: z}]\n",
      [
        'mapping block@0 "a:\\n  b: [x, {y: z}]"',
        'entry entry@0 "a:\\n  b: [x, {y: z}]"',
        'mapping block@2 "b: [x, {y: z}]"',
        'entry entry@2 "b: [x, {y: z}]"',
        'sequence flow@2 "[x, {y: z}]"',
        'leaf plain@2 "x"',
        'mapping flow@2 "{y: z}"',
        'entry entry@10 "y: z"',
        'leaf plain@2 "z"',
      ],
    ],
    [
      "of aliases, whose items have none",
      "a: &x\n- 1\nb: *x\n",
      [
        'mapping block@0 "a: &x\\n- 1\\nb: *x"',
        'entry entry@0 "a: &x\\n- 1"',
        'sequence block@0 "- 1"',
        'leaf plain@0 "1"',
        'entry entry@0 "b: *x"',
        'sequence alias@0 "*x"',
        "leaf",
      ],
    ],
    [
      "of tagged scalars, with the tag but without an anchor",
      'a: !!str 1\nb: &x !!int "1"\nc: !!str &y 1\n',
      [
        `mapping block@0 ${JSON.stringify('a: !!str 1\nb: &x !!int "1"\nc: !!str &y 1')}`,
        'entry entry@0 "a: !!str 1"',
        'leaf plain@0 "!!str 1"',
        `entry entry@0 ${JSON.stringify('b: &x !!int "1"')}`,
        `leaf double@0 ${JSON.stringify('!!int "1"')}`,
        'entry entry@0 "c: !!str &y 1"',
        'leaf plain@0 "1"',
      ],
    ],
    [
      "of explicit keys, from their question mark on",
      "? a\n: b\n",
      ['mapping block@0 "? a\\n: b"', 'entry entry@0 "? a\\n: b"', 'leaf plain@0 "b"'],
    ],
  ])("%s", (_name, text, expectedPlaces) => {
    expect(places(text)).toEqual(expectedPlaces);
  });

  it.each<[string, Partial<Span>]>([
    ["---\n", { start: 4, end: 4, style: "block" }],
    ["---", { start: 3, end: 3, style: "block" }],
    ["--- # c\n# d\n\n", { start: 12, end: 12, style: "block" }],
    ["# c\n---\n", { start: 8, end: 8, style: "block" }],
    ["{}\n", { start: 0, end: 2, style: "flow" }],
    ["--- null\n", { start: 4, end: 8, style: "plain" }],
  ])("of the empty document %j", (text, span) => {
    expect(read(text)[0]?.span).toMatchObject({ ...span, indent: 0 });
  });

  it("hold what they say, in any text", () => {
    fc.assert(
      fc.property(yamlTexts(), (text) => {
        for (const item of itemsOf(text)) {
          const { start = -1, end = -1, style } = item.span ?? {};
          const piece = text.slice(start, end);
          if (item.kind === "comment") expect(piece).toBe(`#${item.text}`);
          if (item.kind === "entry") expect(end).toBe(item.value.span?.end);
          if (style === "single" || style === "double") expect(piece).toMatch(/^(['"]).*\1$/);
          if (style === "plain" && item.kind === "leaf" && typeof item.value === "string") {
            expect(piece).toBe(item.value);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("floats", () => {
  it.each([
    ["1.10", "1.10"],
    ["1.1", undefined],
    ["1_0.50", undefined],
    ["!!float 1", undefined],
  ])("%s keeps the digits %s", (scalar, digits) => {
    const entry = read(`a: ${scalar}\n`)[0]?.items[0];
    expect(entry?.kind === "entry" && entry.value.kind === "leaf" ? entry.value.text : null).toBe(digits);
  });
});

describe("errors", () => {
  it.each([
    ["a: 1\nb: c: SECRET\n", "line 2, column 5: a mapping is not allowed here"],
    ["a: 1\nSECRET\n", "line 2, column 1: a key without its colon"],
    ["a: 'SECRET\n", "line 1, column 4: a quoted text that does not end"],
    ['a: "\\/SECRET"\n', "line 1, column 5: an escape that YAML 1.1 does not have"],
    ['a: "\\ud83d\\ude00"\n', "line 1, column 5: an escape that YAML 1.1 does not have"],
    ["a: [SECRET\n", "line 2, column 1: a flow collection that does not end"],
    ["a: [SECRET}\n", "line 1, column 11: a comma or the end of the collection was expected"],
    ["a: [1, , 2]\n", "line 1, column 8: a value was expected"],
    ["a: @SECRET\n", "line 1, column 4: a character that cannot start anything here"],
    ["\ta: SECRET\n", "line 1, column 1: a character that cannot start anything here"],
    ["a: *SECRET\n", "line 1, column 4: an alias whose anchor is unknown"],
    ["a: &x [*x]\n", "line 1, column 8: an alias within what it stands for"],
    ["a: !!int SECRET\n", "line 1, column 10: a text that does not fit its tag"],
    ["a: 1\n---\nb: !!int SECRET\n", "line 3, column 10: a text that does not fit its tag"],
    ["a: !e!x SECRET\n", "line 1, column 4: a tag whose handle no `%TAG` declares"],
    ["? [SECRET]\n: 1\n", "line 1, column 3: a key must be a scalar"],
    ["<<: SECRET\n", "line 1, column 1: a merge key needs a mapping or a list of mappings"],
    ["%YAML 1.2\n---\na: SECRET\n", "line 1, column 1: a directive other than `%YAML 1.1` and `%TAG`"],
    ["a: 1\n...\nb: SECRET\n", "line 3, column 1: `---` was expected"],
    ["- SECRET\n", "line 1, column 1: the top level must be a mapping"],
    ["SECRET\n", "line 1, column 1: the top level must be a mapping"],
    ["# SECRET\n", "line 2, column 1: the text has no document"],
    ["\n", "line 2, column 1: the text has no document"],
    ["a: SECRET\x07\n", "line 1, column 10: a control character"],
    ["a: |\n\tSECRET\n", "line 2, column 1: a tab in the indentation of a block scalar"],
    [
      "a: |0\n SECRET\n",
      "line 1, column 4: a block scalar has at most a digit from 1 to 9, a sign and a comment behind it",
    ],
    ["a:\n  b: 1\n c: SECRET\n", "line 3, column 2: a key was expected"],
    ['a: 1\n"a": SECRET\n', "line 2, column 1: a key that this mapping already has"],
    ["a: {b: 1, b: SECRET}\n", "line 1, column 11: a key that this mapping already has"],
  ])("%j", (text, message) => {
    expect(outcome(text)).toBe(message);
  });

  it("finds a duplicate among many keys", () => {
    const keys = Array.from({ length: 50 }, (_, index) => `k${String(index)}: 1\n`).join("");
    expect(outcome(`${keys}k7: 1\n`)).toBe("line 51, column 1: a key that this mapping already has");
    expect(outcome(`# c\n${keys}"": 1\n`)).toBeTypeOf("object");
  });
});

describe("what the reference takes, beyond the vectors", () => {
  it.each<[string, unknown]>([
    ["", []],
    ["k: {x:1}\n", [{ map: [["k", { map: [["x:1", null]] }]] }]],
    ['k: {"y":2}\n', [{ map: [["k", { map: [["y", int("2")]] }]] }]],
    ["k: [?z, a: b]\n", [{ map: [["k", { list: [{ map: [["z", null]] }, { map: [["a", { str: "b" }]] }] }]] }]],
    ["j: &a b\n*a : 2\n", [{ map: [["j", { str: "b" }], ["b", int("2")]] }]], // prettier-ignore
    ['a: "x\ny"\n', [{ map: [["a", { str: "x y" }]] }]],
    ['a: "x \\\n  y"\n', [{ map: [["a", { str: "x y" }]] }]],
    ["a: 'x\n\n y'\n", [{ map: [["a", { str: "x\ny" }]] }]],
    ["a: x\x85b: y\n", [{ map: [["a", { str: "x" }], ["b", { str: "y" }]] }]], // prettier-ignore
    ["a: x\rb: y\r", [{ map: [["a", { str: "x" }], ["b", { str: "y" }]] }]], // prettier-ignore
    ["a: !!str\nb: !foo\n", [{ map: [["a", { str: "" }], ["b", { str: "" }]] }]], // prettier-ignore
    ["%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\n", [{ map: [["a", { str: "1" }]] }]],
    ["a: >\n x\n  y\n z\n", [{ map: [["a", { str: "x\n y\nz\n" }]] }]],
    ["k: {!t }\n", [{ map: [["k", { map: [["", null]] }]] }]],
    ["---k: 1\n", [{ map: [["---k", int("1")]] }]],
    ["a: !!map\n  b: 1\n", [{ map: [["a", { map: [["b", int("1")]] }]] }]],
  ])("%j", (text, tree) => {
    expect(trees(text)).toEqual(tree);
  });
});

describe("limits", () => {
  const depths = [
    ["flow sequences", (depth: number) => `a: ${"[".repeat(depth)}${"]".repeat(depth)}\n`],
    ["flow mappings", (depth: number) => `a: ${"{b: ".repeat(depth)}${"}".repeat(depth)}\n`],
    ["sequences on one line", (depth: number) => `a:\n${"- ".repeat(depth)}x\n`],
    ["explicit keys", (depth: number) => `? a\n: ${"- ".repeat(depth)}x\n`],
  ] as const;

  it.each(depths)("1,900 levels of %s are read", (_name, text) => {
    expect(read(text(1900))).toHaveLength(1);
  });

  it.each(depths)("100,000 levels of %s are refused", (_name, text) => {
    expect(outcome(text(100_000))).toMatch(/collections are nested more than 2000 levels deep$/);
  });

  it("an alias counts with the levels of what it stands for", () => {
    const anchored = `a: &x ${"[".repeat(1500)}${"]".repeat(1500)}\n`;
    expect(outcome(`${anchored}b: ${"[".repeat(600)}*x${"]".repeat(600)}\n`)).toMatch(
      /the aliases stand for too much$/,
    );
  });

  it("aliases may repeat a good deal", () => {
    expect(read(`a: &x {b: 1, c: 2}\nl: [${"*x, ".repeat(3000)}]\n`)).toHaveLength(1);
  });

  it("aliases of aliases are refused before they fill the memory", () => {
    const levels = Array.from({ length: 40 }, (_, index) => {
      const name = String(index);
      return index === 0 ? "l0: &l0 [x]\n" : `l${name}: &l${name} [${`*l${String(index - 1)}, `.repeat(10)}]\n`;
    });
    expect(outcome(levels.join(""))).toMatch(/the aliases stand for too much$/);
  });

  it.each([
    ["leaves", (size: number) => `k:\n${"- ENC[x,y]\n".repeat(size)}`],
    ["quoted texts", (size: number) => `k:\n${'- "a b\\n" # c\n'.repeat(size)}`],
    ["flow items", (size: number) => `k: [${"a, ".repeat(size)}]\n`],
    ["lines of a plain scalar", (size: number) => `k: a\n${"  b\n".repeat(size)}`],
    ["comments", (size: number) => `k:\n  l: 1\n${"# c\n  # d\n".repeat(size)}`],
    ["colons", (size: number) => `k: [${"a:b:c, ".repeat(size)}]\n`],
    ["hashes", (size: number) => `k: ${"a#".repeat(size)}\n`],
    ["blank lines", (size: number) => `k: |+\n${"\n".repeat(size)}`],
    ["open quotes", (size: number) => `k: "\n${`j: "\n`.repeat(size)}`],
  ])("reading many %s takes linear time", (_name, text) => {
    outcome(text(1000)); // warm up
    const started = performance.now();
    outcome(text(200_000));
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
