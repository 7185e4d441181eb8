import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EmitError, FormatError } from "../../../src/errors.ts";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  Timestamp,
  type Leaf,
  type Mapping,
  type Node,
} from "../../../src/document/model.ts";
import type { Source } from "../../../src/formats/format.ts";
import { json } from "../../../src/formats/json.ts";
import { jsonValues, objectsOf } from "../../support/trees.ts";
import { notation, vectors, withLeaf, type StoreVector } from "../../support/vectors.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (written: Uint8Array): string => Buffer.from(written).toString();
const read = (input: string): Source => json.read(bytes(input));
const root = (source: Source): Mapping => source.documents[0] ?? mapping([]);
const write = (source: Source, change: (root: Mapping) => Mapping): string =>
  text(json.write(source, [change(root(source))]));
const append =
  (...items: Mapping["items"]) =>
  (map: Mapping): Mapping => ({ ...map, items: [...map.items, ...items] });
const remove =
  (...keys: string[]) =>
  (map: Mapping): Mapping => ({
    ...map,
    items: map.items.filter((item) => item.kind !== "entry" || !keys.includes(item.key)),
  });

function errorOf(action: () => unknown): FormatError {
  try {
    action();
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** What we refuse on purpose although the reference reads it (file-format.md 10, safety.md J1, J2, J3, J7). */
const refusedOnPurpose = new Map([
  ['{"a":1} trailing garbage', "unexpected text after"],
  ['{"a":1}{"b":2}', "unexpected text after"],
  ['{"a":', "expected a value"],
  ['{"a":[1,2', "expected ',' or ']'"],
]);

describe("json.read", () => {
  const documents = vectors("json_documents") as readonly StoreVector[];

  it.each(documents)("agrees with the reference on $input", ({ input, document, emitted, error }) => {
    const reason = refusedOnPurpose.get(input);
    if (reason !== undefined) {
      expect(errorOf(() => read(input)).message).toContain(reason);
    } else if (error === true) {
      expect(() => read(input)).toThrow(FormatError);
    } else {
      const whole = input.replace("\\ud800", "\ufffd"); // a lone surrogate is refused, see below
      const source = read(whole);
      expect(notation(root(source))).toEqual(document);
      expect(text(json.emit(source.documents, {}))).toBe(emitted);
      expect(text(json.write(source, source.documents))).toBe(whole);
    }
  });

  it.each(vectors("json_numbers") as readonly { json_input: string; value: unknown; json_output: string }[])(
    "reads and prints the number $json_input",
    ({ json_input, value, json_output }) => {
      const node = read(`{"n":${json_input}}`).documents[0]?.items[0];
      if (node?.kind !== "entry") throw new Error("no entry");
      expect(notation(node.value)).toEqual(value);
      expect(text(json.emitValue(node.value, {}))).toBe(json_output);
    },
  );

  it("keeps the digits of a float that are not canonical", () => {
    const { items } = root(read('{"a":1.10,"b":1.5,"c":1e3,"d":12345678901234567890123,"e":7}'));
    expect(items.map((item) => (item.kind === "entry" ? (item.value as Leaf).text : ""))).toEqual([
      "1.10",
      undefined,
      "1e3",
      "12345678901234567890123",
      undefined,
    ]);
  });

  it("keeps keys that plain objects would reorder or lose", () => {
    const keys = ["__proto__", "constructor", "10", "2", "toString", ""];
    const source = read(`{${keys.map((key) => `${JSON.stringify(key)}:1`).join(",")}}`);
    expect(root(source).items.map((item) => item.kind === "entry" && item.key)).toEqual(keys);
  });

  it.each([
    { name: "a comma too many", input: '{\n  "a": 1,\n}', at: { line: 3, column: 1 } },
    { name: "a comma too many in a list", input: '{"a":[1,]}', at: { line: 1, column: 9 } },
    { name: "a comment", input: '{\n// "secret"\n"a":1}', at: { line: 2, column: 1 } },
    { name: "an open string", input: '{"a":"secret', at: { line: 1, column: 6 } },
    { name: "a line break in a string", input: '{"a":"sec\nret"}', at: { line: 1, column: 10 } },
    { name: "an unknown escape", input: '{"a":"\\x41"}', at: { line: 1, column: 7 } },
    { name: "an inherited name as escape", input: '{"a":"\\constructor"}', at: { line: 1, column: 7 } },
    { name: "a short unicode escape", input: '{"a":"\\u12"}', at: { line: 1, column: 7 } },
    { name: "a lone high surrogate", input: '{"a":"\\ud800"}', at: { line: 1, column: 7 } },
    { name: "a high surrogate before another escape", input: '{"a":"\\ud800\\u0041"}', at: { line: 1, column: 7 } },
    { name: "a lone low surrogate", input: '{"a":"\\udc00"}', at: { line: 1, column: 7 } },
    { name: "single quotes", input: "{'a':1}", at: { line: 1, column: 2 } },
    { name: "NaN", input: '{"a":NaN}', at: { line: 1, column: 6 } },
    { name: "a leading zero", input: '{"a":01}', at: { line: 1, column: 7 } },
    { name: "a leading plus", input: '{"a":+1}', at: { line: 1, column: 6 } },
    { name: "a bare point", input: '{"a":1.}', at: { line: 1, column: 7 } },
    { name: "a number too large", input: '{"a":1e400}', at: { line: 1, column: 6 } },
    { name: "a literal with letters after it", input: '{"a":nullx}', at: { line: 1, column: 6 } },
    { name: "a byte order mark", input: '\ufeff{"a":1}', at: { line: 1, column: 1 } },
    { name: "text after the object", input: '{"a":1}\n"secret"', at: { line: 2, column: 1 } },
  ])("refuses $name and says where, not what", ({ input, at }) => {
    const error = errorOf(() => read(input));
    expect(error.position).toEqual(at);
    expect(`${error.message} ${error.hint ?? ""}`).not.toMatch(/secret|sec\b/);
  });

  it.each(["[1]", '"secret"', "12", "null", "true"])("asks for a top-level object instead of %s", (input) => {
    const { message } = errorOf(() => read(input));
    expect(message).toContain("SOPS only supports JSON files with a top-level object");
    expect(message).not.toContain("secret");
  });

  it("names the line of invalid UTF-8", () => {
    const input = Buffer.concat([bytes('{\n"a": "'), Buffer.from([0xff]), bytes('"}')]);
    expect(errorOf(() => json.read(input)).position).toEqual({ line: 2 });
  });

  it("leaves a second root key sops to the metadata, which have a message for it", () => {
    expect(root(read('{"sops":{},"a":1,"sops":{}}')).items).toHaveLength(3);
  });

  it("refuses what nests too deep, and reads what does not", () => {
    expect(errorOf(() => read(`${'{"a":'.repeat(100_000)}1`)).message).toContain("nested more than 2000 deep");
    expect(errorOf(() => read(`{"a":${"[".repeat(100_000)}`)).message).toContain("nested more than 2000 deep");
    const deep = `{"a":${"[".repeat(1_999)}${"]".repeat(1_999)}}`;
    const source = read(deep);
    expect(text(json.write(source, source.documents))).toBe(deep);
    expect(text(json.emit(source.documents, {})).length).toBeGreaterThan(1_999 * 1_999);
  });

  it("refuses a text cut at any byte", () => {
    const whole = '{"a":[1,{"b":"x\\u00e9"}],"c":null,"d":-1.5e3,"e":true}';
    for (let end = 0; end < whole.length; end += 1) expect(() => read(whole.slice(0, end))).toThrow(FormatError);
    expect(() => read(whole)).not.toThrow();
  });

  it("reads what JSON.parse reads, with the same strings", () => {
    fc.assert(
      fc.property(objectsOf(jsonValues()), (value) => {
        const printed = JSON.stringify(value, null, 1);
        const source = read(printed);
        expect(JSON.parse(text(json.emit(source.documents, {})))).toEqual(JSON.parse(printed));
      }),
      { numRuns: 200 },
    );
  });

  it("gives every node the place it stands at", () => {
    const input = '{ "a": [1, "x"], "b": {} }';
    const [a, b] = root(read(input)).items;
    if (a?.kind !== "entry" || b?.kind !== "entry" || a.value.kind !== "sequence") throw new Error("wrong tree");
    const slice = ({ span }: { span?: { start: number; end: number } }): string => input.slice(span?.start, span?.end);
    expect([a, a.value, ...(a.value.items as Node[]), b, b.value].map(slice)).toEqual([
      '"a": [1, "x"]',
      '[1, "x"]',
      "1",
      '"x"',
      '"b": {}',
      "{}",
    ]);
  });
});

describe("json.emit", () => {
  it.each(Object.entries(vectors("json_indentation") as Record<string, string>))(
    "indents by %s",
    (indent, expected) => {
      const source = read('{"a":[1,[],{},"x",{"b":null}],"c":{}}');
      expect(text(json.emit(source.documents, { indent: Number(indent) }))).toBe(expected);
    },
  );

  it.each([
    { name: "an indentation below -1", node: mapping([]), indent: -2, message: /smaller than -1 is not accepted/ },
    { name: "infinity", node: mapping([entry("a", leaf(Infinity))]), indent: -1, message: /unsupported value: \+Inf$/ },
    { name: "no number", node: mapping([entry("a", leaf(NaN))]), indent: -1, message: /unsupported value: NaN$/ },
  ])("refuses $name", ({ node, indent, message }) => {
    expect(() => json.emit([node], { indent })).toThrow(EmitError);
    expect(() => json.emit([node], { indent })).toThrow(message);
  });

  it("drops comments but keeps an encrypted one of a list, which opens again", () => {
    const cell = "ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:comment]";
    const tree = mapping([
      comment(cell),
      entry("a", sequence([comment(" clear"), comment(cell), leaf(1n)])),
      comment(" end"),
    ]);
    expect(text(json.emit([tree], {}))).toBe(`{\n\t"a": [\n\t\t"${cell}",\n\t\t1\n\t]\n}\n`);
  });

  it("writes times as strings and every invalid byte as one replacement character", () => {
    const odd = Uint8Array.from([0x61, 0xff, 0xe2, 0x82, 0xef, 0xbf, 0xbd, 0x22]);
    const tree = mapping([entry("t", leaf(new Timestamp("2024-01-02T03:04:05.5Z"))), entry("b", leaf(odd))]);
    expect(text(json.emit([tree], { indent: 0 }))).toBe(
      '{\n"t": "2024-01-02T03:04:05.5Z",\n"b": "a\\ufffd\\ufffd\\ufffd\ufffd\\""\n}\n',
    );
  });

  it("writes an extracted container without a final line break", () => {
    expect(text(json.emitValue(sequence([leaf(1n), leaf("<")]), {}))).toBe('[\n\t1,\n\t"\\u003c"\n]');
  });
});

describe("json.write", () => {
  const cell = "ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:int]";
  const sops = entry(
    "sops",
    mapping([entry("age", sequence([mapping([entry("enc", leaf("x"))])])), entry("n", leaf(2n))]),
  );

  it("puts cells in place of numbers and booleans, and takes them back", () => {
    const original = '{\r\n  "a" : 1.10,  "b":true }\r\n\r\n';
    const encrypted = write(read(original), (map) =>
      withLeaf(
        withLeaf(map, ["a"], (old) => ({ ...old, value: cell }) as Leaf),
        ["b"],
        (old) => ({ ...old, value: cell }) as Leaf,
      ),
    );
    expect(encrypted).toBe(`{\r\n  "a" : "${cell}",  "b":"${cell}" }\r\n\r\n`);
    const decrypted = write(read(encrypted), (map) =>
      withLeaf(
        withLeaf(map, ["a"], (old) => ({ ...old, value: 1.1, text: "1.10" }) as Leaf),
        ["b"],
        (old) => ({ ...old, value: true }) as Leaf,
      ),
    );
    expect(decrypted).toBe(original);
  });

  it("does not write digits that are no JSON number", () => {
    const change = (old: Node): Node => ({ ...old, value: 16, text: "0x1p4" }) as Leaf;
    expect(write(read('{"a":"x"}'), (map) => withLeaf(map, ["a"], change))).toBe('{"a":16}');
  });

  it.each([
    {
      name: "two blanks",
      input: '{\n  "a": 1\n}\n',
      output:
        '{\n  "a": 1,\n  "sops": {\n    "age": [\n      {\n        "enc": "x"\n      }\n    ],\n    "n": 2\n  }\n}\n',
    },
    {
      name: "tabs and CRLF",
      input: '{\r\n\t"a": 1\r\n}',
      output:
        '{\r\n\t"a": 1,\r\n\t"sops": {\r\n\t\t"age": [\r\n\t\t\t{\r\n\t\t\t\t"enc": "x"\r\n\t\t\t}\r\n\t\t],\r\n\t\t"n": 2\r\n\t}\r\n}',
    },
    // Inside the metadata colons keep their blank, by which Flux knows them.
    { name: "one line", input: '{"a":1}', output: '{"a":1,"sops":{"age": [{"enc": "x"}],"n": 2}}' },
    {
      name: "one line with blanks",
      input: '{"a": 1, "b": 2}\n',
      output: '{"a": 1, "b": 2, "sops": {"age": [{"enc": "x"}], "n": 2}}\n',
    },
    {
      name: "lines without indentation",
      input: '{\n"a":1\n}',
      output: '{\n"a":1,\n"sops":{\n"age": [\n{\n"enc": "x"\n}\n],\n"n": 2\n}\n}',
    },
    {
      name: "an empty object",
      input: "{}\n",
      output: '{\n\t"sops": {\n\t\t"age": [\n\t\t\t{\n\t\t\t\t"enc": "x"\n\t\t\t}\n\t\t],\n\t\t"n": 2\n\t}\n}\n',
    },
  ])("adds an entry in the layout of its neighbours: $name, and removes it again", ({ input, output }) => {
    const added = write(read(input), append(sops));
    expect(added).toBe(output);
    expect(write(read(added), remove("sops"))).toBe(input);
  });

  it.each(["{ }", "{\n}", "{\n\n  }\n"])("gives an empty object back as it was: %j", (input) => {
    const added = write(read(input), append(sops));
    expect(notation(root(read(added)))).toEqual(notation(mapping([sops])));
    expect(write(read(added), remove("sops"))).toBe(input);
  });

  it.each([
    { keys: ["a"], output: '{\n  "b": 2,\n  "c": 3,\n  "d": 4\n}' },
    { keys: ["b"], output: '{\n  "a": 1,\n  "c": 3,\n  "d": 4\n}' },
    { keys: ["a", "b"], output: '{\n  "c": 3,\n  "d": 4\n}' },
    { keys: ["b", "c"], output: '{\n  "a": 1,\n  "d": 4\n}' },
    { keys: ["a", "c"], output: '{\n  "b": 2,\n  "d": 4\n}' },
    { keys: ["c", "d"], output: '{\n  "a": 1,\n  "b": 2\n}' },
    { keys: ["a", "b", "c", "d"], output: "{}" },
  ])("removes $keys with their commas", ({ keys, output }) => {
    expect(write(read('{\n  "a": 1,\n  "b": 2,\n  "c": 3,\n  "d": 4\n}'), remove(...keys))).toBe(output);
  });

  it("removes any number of entries", () => {
    const entries = Array.from({ length: 200_000 }, (_, index) => `"${String(index)}":1`);
    const source = read(`{${entries.join()}}`);
    const half = write(source, (map) => ({ ...map, items: map.items.filter((_, index) => index % 2 === 0) }));
    expect(half === `{${entries.filter((_, index) => index % 2 === 0).join()}}`).toBe(true);
  });

  it("adds first, between and into inner containers of their own layout", () => {
    const source = read('{\n  "a": [1, 2],\n  "b": {},\n  "c": {\n    "d": []\n  }\n}');
    const [a, b, c] = root(source).items;
    const list = (a?.kind === "entry" ? a.value : undefined) as Node & { kind: "sequence" };
    const inner = (c?.kind === "entry" ? c.value : undefined) as Mapping;
    const changed = {
      ...root(source),
      items: [
        entry("first", leaf(null)),
        { ...a, value: { ...list, items: [...list.items, mapping([entry("x", leaf("y"))])] } },
        entry("between", sequence([leaf(1n)])),
        { ...b, value: { ...(b?.kind === "entry" ? b.value : inner), items: [entry("e", leaf(1n))] } },
        { ...c, value: withLeaf(inner, ["d"], (old) => ({ ...old, items: [leaf(1n), leaf(2n)] }) as Node) },
      ] as Mapping["items"],
    };
    expect(text(json.write(source, [changed]))).toBe(
      '{\n  "first": null,\n  "a": [1, 2, {"x": "y"}],\n  "between": [\n    1\n  ],\n  "b": {\n    "e": 1\n  },\n' +
        '  "c": {\n    "d": [\n      1,\n      2\n    ]\n  }\n}',
    );
  });

  it("replaces a scalar by a container and a container by a scalar", () => {
    const source = read('{\n  "a": 1,\n  "b": [1]\n}');
    const swap = (map: Mapping): Mapping =>
      withLeaf(
        withLeaf(map, ["a"], () => mapping([entry("x", leaf(1n))])),
        ["b"],
        () => leaf("y"),
      );
    expect(write(source, swap)).toBe('{\n  "a": {\n    "x": 1\n  },\n  "b": "y"\n}');
  });

  it("leaves comments out, encrypted ones of a list excepted", () => {
    const comments = "ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:comment]";
    const source = read(`{"l":["${comments}","${comments}",1]}`);
    const change = (map: Mapping): Mapping =>
      withLeaf(map, ["l"], (old) => {
        const [first, second, third] = (old as Node & { kind: "sequence" }).items;
        const asComment = (node: typeof first, value: string) => ({ ...comment(value), span: node?.span });
        return { ...old, items: [asComment(first, " gone"), asComment(second, comments), third] } as Node;
      });
    expect(write(source, change)).toBe(`{"l":["${comments}",1]}`);
  });

  it("gives any tree back after any leaves were replaced and the metadata came and went", () => {
    fc.assert(
      fc.property(
        objectsOf(jsonValues()).filter((value) => !Object.hasOwn(value, "sops")),
        fc.constantFrom(undefined, 1, 2, 4, "\t"),
        (value, indent) => {
          const printed = JSON.stringify(value, null, indent);
          const source = read(printed);
          const added = write(source, append(sops));
          expect(JSON.parse(added)).toEqual({
            ...(JSON.parse(printed) as object),
            sops: { age: [{ enc: "x" }], n: 2 },
          });
          expect(write(read(added), remove("sops"))).toBe(printed);
        },
      ),
      { numRuns: 200 },
    );
  });
});
