import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  Timestamp,
  type Comment,
  type Entry,
  type Leaf,
  type Mapping,
} from "../../../src/document/model.ts";
import { EmitError, FormatError } from "../../../src/errors.ts";
import type { Source } from "../../../src/formats/format.ts";
import { ini } from "../../../src/formats/ini.ts";
import { notation, vectors, type StoreVector } from "../../support/vectors.ts";

const text = (written: Uint8Array): string => Buffer.from(written).toString();
const read = (input: string | Uint8Array): Source => ini.read(typeof input === "string" ? Buffer.from(input) : input);
const root = (source: Source): Mapping => source.documents[0] ?? mapping([]);
const write = (source: Source, change: (root: Mapping) => Mapping): string =>
  text(ini.write(source, [change(root(source))]));
const emit = (...sections: Entry[]): string => text(ini.emit([mapping(sections)], {}));
const section = (name: string, ...items: Mapping["items"]): Entry => entry(name, mapping(items));

const CELL = "ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:str]";
const metadata = section("sops", entry("mac", leaf("x")), entry("version", leaf("3.13.2")));
const METADATA = "[sops]\nmac     = x\nversion = 3.13.2\n";

/** Changes every value and comment below the sections, keeping spans, as `seal` and `open` do. */
function mapScalars(map: Mapping, change: <T extends Leaf | Comment>(node: T, path: string) => T, path = ""): Mapping {
  const items = map.items.map((item, index) => {
    const here = `${path}/${String(index)}`;
    if (item.kind === "comment") return change(item, here);
    if (item.value.kind === "mapping") return { ...item, value: mapScalars(item.value, change, here) };
    return { ...item, value: change(item.value as Leaf, here) };
  });
  return { ...map, items };
}

const encrypted = <T extends Leaf | Comment>(node: T): T => {
  if (node.kind === "comment") return { ...node, text: node.text === "" ? "" : CELL };
  return { ...node, value: node.value === "" ? "" : CELL };
};

/** Encrypts every value and comment, adds the metadata, and takes it all back. */
function thereAndBack(input: string | Uint8Array): { encrypted: string; decrypted: Buffer } {
  const plain = read(input);
  const sealed = mapScalars(root(plain), encrypted);
  const written = ini.write(plain, [{ ...sealed, items: [...sealed.items, metadata] }]);
  const originals = new Map<string, Leaf | Comment>();
  mapScalars(root(plain), (node, path) => {
    originals.set(path, node);
    return node;
  });
  const reread = read(written);
  const opened = mapScalars(root(reread), (node, path) => {
    const original = originals.get(path);
    return original === undefined ? node : ({ ...original, span: node.span } as typeof node);
  });
  const items = opened.items.filter((item) => item.kind === "entry" && item.key !== "sops");
  expect(items).toHaveLength(root(plain).items.length);
  return { encrypted: text(written), decrypted: Buffer.from(ini.write(reread, [{ ...opened, items }])) };
}

/** Comments that the reference reads and forgets are in the tree here, so that they are encrypted with the rest. */
function withoutTrailing(map: Mapping): Mapping {
  const items = map.items.filter((item) => item.kind !== "comment" || item.span?.style !== "trailing");
  return {
    ...map,
    items: items.map((item) =>
      item.kind === "entry" && item.value.kind === "mapping" ? { ...item, value: withoutTrailing(item.value) } : item,
    ),
  };
}

describe("ini.read", () => {
  /** Refused although the reference reads it: it loses the keys (file-format.md 7.6, 10). */
  const refusedOnPurpose = new Set(["[s]\n-=1\n-=2\n"]);

  /** Only the last of equal keys is in the tree; the others would stay in clear if they stayed in the text. */
  const rewrittenOnPurpose = new Map([["[s]\na=1\na=2\n", "[s]\na=2\n"]]);

  it.each(vectors("ini_documents") as readonly StoreVector[])(
    "agrees with the reference on $input",
    ({ input, document, emitted, error }) => {
      if (error === true || refusedOnPurpose.has(input)) {
        expect(() => read(input)).toThrow(FormatError);
        return;
      }
      const source = read(input);
      expect(notation(withoutTrailing(root(source)))).toEqual(document);
      expect(text(ini.emit(source.documents, {}))).toBe(emitted);
      expect(text(ini.write(source, source.documents))).toBe(rewrittenOnPurpose.get(input) ?? input);
    },
  );

  it.each([
    { name: "no delimiter", input: "[s]\n\nsecret\n", line: 3, message: "key-value delimiter not found" },
    { name: "no key", input: "[s]\n = secret\n", line: 2, message: "empty key name" },
    { name: "an empty key in quotes", input: '[s]\n"" = secret\n', line: 2, message: "empty key name" },
    { name: "an open section", input: "a=1\n[secret\n", line: 2, message: "unclosed section" },
    { name: "a section without a name", input: "[]\n", line: 1, message: "empty section name" },
    { name: "open quotes", input: "a=1\nb=`secret\n\n", line: 2, message: "not closed" },
    { name: "open quotes around a key", input: "a=1\n`secret=1\n", line: 2, message: "not closed" },
    { name: "text behind a closing quote", input: "a=1\nb=`x` secret\n", line: 2, message: "unexpected text" },
    { name: "text behind closing quotes, lines on", input: 'b="""x\ny""" secret', line: 2, message: "unexpected text" },
    { name: "text behind a section name", input: "[s] secret\n", line: 1, message: "unexpected text" },
    { name: "the key -", input: "a=1\n- = secret\n", line: 2, message: "the key '-' is not supported" },
  ])("refuses $name and says where, not what", ({ input, line, message }) => {
    expect(() => read(input)).toThrow(
      expect.objectContaining({
        position: { line },
        message: expect.stringMatching(new RegExp(`^line ${String(line)}: (?!.*secret).*${message}`)) as unknown,
      }),
    );
  });

  it.each([
    { name: "quoted keys", input: '`a=b` = 1\n"""k`"""=2\n"c:d":3', keys: { "a=b": "1", "k`": "2", "c:d": "3" } },
    { name: "continued lines", input: "a=1 \\\n  2 ; 3\nb=x\\\n\nc=y", keys: { a: "1 2 ; 3", b: "x", c: "y" } },
    { name: "continued lines of several", input: "a=1\\\n2\\\n3\nb=4", keys: { a: "123", b: "4" } },
    { name: "the last quote of the closing line", input: "a=`x\n  y` # z `\nb=1", keys: { a: "x\n  y` # z ", b: "1" } },
    { name: "three quotes that open at the end of a line", input: 'a="""\nx"""\nb=1', keys: { a: "\nx", b: "1" } },
    { name: "three quotes alone at the end", input: 'a="""', keys: { a: '"""' } },
    { name: "empty quotes", input: 'a=``\nb=""""""\nc=\'\'', keys: { a: "", b: "", c: "" } },
    { name: "quotes before a comment", input: "a='x';y\nb=\"x\" y", keys: { a: "x", b: '"x" y' } },
    { name: "white space of Unicode", input: "\u00a0\u2003a\u3000=\u00a0à \u2028\n", keys: { a: "à" } },
  ])("reads $name as the reference does", ({ input, keys }) => {
    const section = notation(withoutComments(root(read(input)))) as { map: [[string, { map: unknown }]] };
    expect(section.map[0][1].map).toEqual(Object.entries(keys).map(([key, value]) => [key, { str: value }]));
  });

  function withoutComments(map: Mapping): Mapping {
    const [first] = map.items;
    const inner = first?.kind === "entry" && first.value.kind === "mapping" ? first.value : mapping([]);
    return mapping([entry("DEFAULT", mapping(inner.items.filter((item) => item.kind === "entry")))]);
  }

  it("keeps a value that is not UTF-8 as bytes, and refuses such a name or comment", () => {
    const [first] = root(read(Buffer.from("a = \xe9\n", "latin1"))).items;
    expect(first?.kind === "entry" && notation(first.value)).toEqual({
      map: [["a", { str_base64: Buffer.from([0xe9]).toString("base64") }]],
    });
    expect(() => read(Buffer.from("b=1\n\xe9=1\n", "latin1"))).toThrow(/^line 2: a key is not valid UTF-8/);
    expect(() => read(Buffer.from("b=1\n[\xe9]\n", "latin1"))).toThrow(/^line 2: a section name is not valid UTF-8/);
    expect(() => read(Buffer.from("b=1\n;\xe9\nc=1", "latin1"))).toThrow(/^line 2: a comment is not valid UTF-8/);
  });

  it("reads a long run of blank lines and duplicates at once", () => {
    const start = performance.now();
    read(`;${CELL}\n${" \n".repeat(300_000)}${"a=1\n".repeat(100_000)}`);
    expect(performance.now() - start).toBeLessThan(5_000); // quadratic time would take minutes
  });
});

describe("ini.emit", () => {
  it.each(vectors("ini_value_emission") as readonly { value: string; emitted: string; reads_back_as?: unknown }[])(
    "writes the value $value as the reference does",
    ({ value, emitted, reads_back_as }) => {
      const document = mapping([section("s", entry("k", leaf(value)))]);
      expect(text(ini.emit([document], {}))).toBe(emitted);
      const expected = {
        map: [
          ["DEFAULT", { map: [] }],
          ["s", { map: [["k", reads_back_as ?? { str: value }]] }],
        ],
      };
      expect(notation(root(read(emitted)))).toEqual(expected);
    },
  );

  it("writes comments where the reference writes them", () => {
    expect(
      emit(
        section("DEFAULT", comment(" first   "), comment("lost"), entry("x", leaf("1"))),
        section(
          "s",
          comment(" \tsect  "),
          entry("a", leaf(" x ")),
          entry("b", leaf(1n)),
          comment(" after"),
          comment(" later "),
        ),
        section("t", entry("x", leaf(null)), comment("#\t tail\t")),
      ),
    ).toBe(';  first   \nx = 1\n\n;  \tsect  \n[s]\na = " x "\n; later\nb = 1\n\n[t]\n# tail\nx = <nil>\n');
  });

  it("aligns keys with the quotes they need", () => {
    const keys = ["k=1", 'q"', "t`", "plain", "é"].map((key) => entry(key, leaf("v")));
    expect(emit(section("s", ...keys))).toBe(
      '[s]\n`k=1`    = v\n`q"`     = v\n"""t`""" = v\nplain    = v\né       = v\n',
    );
  });

  it("writes every scalar in its flat form, and all documents", () => {
    const scalars = [1n, 2, 1e21, true, new Timestamp("2024-01-02T03:04:05.5Z"), null, Uint8Array.from([0xff])];
    const first = mapping([section("s", ...scalars.map((value, index) => entry(String(index), leaf(value))))]);
    expect(Buffer.from(ini.emit([first, mapping([section("t")])], {})).toString("latin1")).toBe(
      "[s]\n0 = 1\n1 = 2.0\n2 = 1E+21\n3 = true\n4 = 2024-01-02T03:04:05Z\n5 = <nil>\n6 = \xff\n\n[t]\n",
    );
  });

  it("lets the last of equal keys win in the place of the first", () => {
    expect(emit(section("s", entry("a", leaf("1")), entry("b", leaf("2")), entry("a", leaf("3"))))).toBe(
      "[s]\na = 3\nb = 2\n",
    );
  });

  it("does not crash on an empty line of a comment, as the reference does", () => {
    const emitted = emit(section("s", comment("\nTitle\n#"), entry("a", leaf("1"))));
    expect(emitted).toBe("; \n; Title\n# \n[s]\na = 1\n");
  });

  it.each([
    {
      name: "a scalar at the root",
      root: entry("a", leaf("secret")),
      message: /Section values should always be TreeBranches$/,
    },
    {
      name: "a list at the root",
      root: entry("a", sequence([])),
      message: /Section values should always be TreeBranches$/,
    },
    { name: "a mapping in a section", root: section("s", section("k")), message: /offending key k$/ },
    { name: "a list in a section", root: section("s", entry("k", sequence([]))), message: /offending key k$/ },
    { name: "a section without a name", root: section(""), message: /offending section ""$/ },
    { name: "a section name of two lines", root: section("a\nb"), message: /offending section "a\\nb"$/ },
    ...["", "-", "#1", ";x", "[x", " a", "a ", "a\nb", '"`'].map((key) => ({
      name: `the key ${JSON.stringify(key)}`,
      root: section("s", entry(key, leaf("secret"))),
      message: /a key cannot stand in an INI file; offending key ".*"$/,
    })),
  ])("refuses $name", ({ root, message }) => {
    expect(() => emit(root)).toThrow(EmitError);
    expect(() => emit(root)).toThrow(message);
    expect(() => emit(root)).not.toThrow(/secret/);
  });

  it("writes an extracted value as compact JSON and a mapping as a document", () => {
    expect(text(ini.emitValue(sequence([leaf(1n), leaf("<")]), {}))).toBe('[1,"\\u003c"]');
    expect(text(ini.emitValue(leaf(new Timestamp("2020-01-02T00:00:00Z")), {}))).toBe('"2020-01-02T00:00:00Z"');
    expect(text(ini.emitValue(mapping([section("s")]), {}))).toBe("[s]\n");
    expect(() => ini.emitValue(mapping([entry("c", leaf("x"))]), {})).toThrow("should always be TreeBranches");
  });
});

describe("ini.write", () => {
  it("puts cells in the quotes that stand there, and keeps blanks, delimiters and comments in place", () => {
    const input =
      ';; Top\n\n  [s]  # about s\nkey1   = "x y"   ; inline\nk2:\'q\'\nk3 = `b;t`\n\nk4 = """l1\nl2"""\nk5 =\n';
    expect(thereAndBack(input).encrypted).toBe(
      `;; ${CELL}\n\n  [s]  #  \t \t\n`.replace("# ", "") +
        `key1   = "${CELL}"   ; ${CELL}\nk2:'${CELL}'\nk3 = \`${CELL}\`\n\nk4 = """${CELL}"""\nk5 =\n\n${METADATA}`,
    );
  });

  it("makes one cell of a comment and marks the places of its other lines", () => {
    const { encrypted } = thereAndBack("# one\n\n  ; two\n[s]\n; three\na = 1 ; four\n; five\n");
    expect(encrypted).toBe(`# ${CELL}\n\n   \t \t\n[s]\n; ${CELL}\na = ${CELL}  \t \t\n; ${CELL}\n\n${METADATA}`);
  });

  const files = {
    plain: "[s]\na = 1\nb=2\n",
    "no final line break": "[s]\na = 1",
    "nothing but a comment": "; only\n",
    "a comment at the end": "[s]\na=1\n\n; tail\n;; more\n\n",
    "a comment at the end without a line break": "[s]\na=1\n; tail",
    "empty lines at the end": "[s]\na=1\n\n\n",
    nothing: "",
    "a line break": "\n",
    "a byte order mark": "\ufeff; c\n[s]\na=1\n",
    CRLF: '; c1\r\n\r\n; c2  \r\n[s]\r\na = 1 ; x\r\nb = """l1\r\nl2"""\r\n',
    "comments apart":
      "# License\n# Copyright\n\n\n; Section   \n [s] ; about\n\n; above a\n\n#b\na = x ; behind\n\n;;;\n; boxed\n;;;\nb=1\n",
    "a box above a section": ";;;;;;\n; Title\n;;;;;;\n[s]\na=1\n",
    "a comment behind a section name": "[s]   ;; about  \na=1\n\n [t] # t\n",
    "comment characters of two kinds": "#; x\n;# y\na=1\n;\nb=2\n",
    "a comment behind a quote": '[s]\n; c\na = `x;y`   # see z  \nb="""x\ny""" ; w\n',
    "quotes in quotes": 'a = "it\'s"\nb = \'say "hi"\'\nc = `x`y`\nd = """a"b"""\ne = "x\n',
    "values with trailing backslashes in quotes": 'a = "C:\\dir\\"\nb = 1\n',
    "empty values": 'a=\nb = \nc =  \nd = ""\ne = ; c\n',
    "two sections of one name": "[s]\na=1\n[s]\na=2\n",
    "keys before the first section": "a=1\n\n[DEFAULT]\nb=2\n",
    "keys in quotes": '`a=b` = 1\n"c d":2\n',
  };

  it.each(Object.entries(files))("gives the file back byte for byte: %s", (_, input) => {
    const { encrypted, decrypted } = thereAndBack(input);
    expect(decrypted.toString()).toBe(input);
    expect(read(encrypted).documents[0]?.items.map((item) => item.kind === "entry" && item.key)).toEqual([
      ...(root(read(input)).items as Entry[]).map(({ key }) => key),
      "sops",
    ]);
    expect(encrypted).not.toMatch(/tail|more|License|Copyright|Section\b|about|above|behind|boxed|Title|see z/);
  });

  it("moves a cell up that would end a section name, and back", () => {
    const { encrypted } = thereAndBack("[s] ;; about \na=1\n");
    expect(encrypted).toBe(`;; ${CELL}\n[s]  \t\t  \na=${CELL}\n\n${METADATA}`);
    const source = read(encrypted);
    const resealed = { ...root(source), items: [...root(source).items] };
    expect(text(ini.write(source, [mapScalars(resealed, (node) => ({ ...node }))]))).toBe(encrypted);
  });

  it("gives any file back byte for byte", () => {
    const blank = fc.constantFrom("", " ", "\t ");
    const word = fc.stringMatching(/^[a-z][a-z ]{0,4}[a-z]$/);
    const commentLine = fc.tuple(blank, fc.constantFrom(";", "#", "; ", ";; "), word).map((parts) => parts.join(""));
    const value = fc.oneof(
      fc.stringMatching(/^[a-z\xc3\xa9][a-z \xc3\xa9\xa0]{0,4}[a-z]$/),
      word.map((inner) => `"${inner}"`),
      word.map((inner) => `\`${inner};\n${inner}\``),
      fc.constant(""),
    );
    const key = fc.tuple(blank, word, fc.constantFrom("=", " = ", ": "), value, fc.constantFrom("", " ; c", "#d"));
    const line = fc.oneof(
      blank,
      commentLine,
      key.map((parts) => parts.join("")),
      fc.tuple(blank, word, fc.constantFrom("", " ; s")).map(([before, name, after]) => `${before}[${name}]${after}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom("", "\n"), (lines, end) => {
        const input = Buffer.from(lines.join("\n") + end, "latin1");
        // A key that repeats loses its first line, see below.
        const keys = lines
          .join("\n")
          .split(/^[ \t]*\[.*$/m)
          .map((part) => part.match(/^[ \t]*[a-z][^\n=:]*(?=[=:])/gm) ?? []);
        fc.pre(keys.every((names) => new Set(names.map((name) => name.trim())).size === names.length));
        expect(thereAndBack(input).decrypted.toString("latin1")).toBe(input.toString("latin1"));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    {
      name: "with comments",
      input: "[s]\n; secret1\n\n  ; secret2\na = secret3 ; secret4\nb=1\n; c\na = 2\n",
      output: "[s]\n; c\na = 2\nb=1\n",
    },
    { name: "three times", input: "a=1\nb=1\na=2\nc=1\na=3\n[s]\na=4\n", output: "a=3\nb=1\nc=1\n[s]\na=4\n" },
    { name: "of several lines, at the end", input: 'a=1\nb=1\n\na="""x\ny"""', output: 'a="""x\ny"""\nb=1\n\n' },
  ])("puts the last of equal keys in the place of the first: $name", ({ input, output }) => {
    const { encrypted, decrypted } = thereAndBack(input);
    expect(encrypted).not.toContain("secret");
    expect(decrypted.toString()).toBe(output);
    expect(notation(root(read(output)))).toEqual(notation(root(read(input))));
  });

  it("gives a comment of the reference back in lines", () => {
    const source = read(`; ${CELL}\n[s]\n  # ${CELL}\na = 1 ; ${CELL}\n`);
    const write = (text: string): string =>
      Buffer.from(
        ini.write(source, [mapScalars(root(source), (node) => (node.kind === "comment" ? { ...node, text } : node))]),
      ).toString();
    expect(write("one\n# two\nthree")).toBe("; one\n# two\n; three\n[s]\n  # one\n# two\na = 1 ; three\n");
  });

  const set = (map: Mapping, name: string, change: (inner: Mapping) => Mapping["items"]): Mapping => ({
    ...map,
    items: map.items.map((item) =>
      item.kind === "entry" && item.key === name
        ? { ...item, value: { ...item.value, items: change(item.value as Mapping) } as Mapping }
        : item,
    ),
  });

  it.each([
    { name: "aligned", input: "[s]\na    = 1\nlong = 2\n", output: "[s]\na    = 1\nnew  = x\nlong = 2\nlast = x\n" },
    { name: "tight", input: "[s]\na=1\nlong=2\n", output: "[s]\na=1\nnew=x\nlong=2\nlast=x\n" },
    {
      name: "indented",
      input: "[s]\n  a: 1\n  b: 2\n\n; tail\n",
      output: "[s]\n  a: 1\n  new: x\n  b: 2\n  last: x\n\n; tail\n",
    },
    { name: "CRLF", input: "[s]\r\na = 1\r\nb = 2", output: "[s]\r\na = 1\r\nnew = x\r\nb = 2\nlast = x\r" },
  ])("adds keys in the layout of their neighbours: $name", ({ input, output }) => {
    const change = ({ items: [a, ...others] }: Mapping) => [
      a,
      entry("new", leaf("x")),
      ...others,
      entry("last", leaf("x")),
    ];
    expect(write(read(input), (map) => set(map, "s", change as (inner: Mapping) => Mapping["items"]))).toBe(output);
  });

  it("adds a first key under the header, and a section before the metadata", () => {
    const source = read(`a = 0\n\n; c\n[s]\n\n${METADATA}`);
    const change = (map: Mapping): Mapping => {
      const [first, second, ...others] = set(map, "s", () => [comment("x"), entry("k", leaf("v"))]).items;
      return {
        ...map,
        items: [first, second, section("new", entry("long", leaf(";")), entry("k", leaf(""))), ...others] as Entry[],
      };
    };
    expect(write(source, change)).toBe(`a = 0\n\n[s]\n; x\nk = v\n\n[new]\nlong = \`;\`\nk    = \n\n${METADATA}`);
  });

  it("removes keys, and keeps the comment behind one unless it goes as well", () => {
    const source = read("[s]\n; a1\na = 1 ; a2\nb = 2 ; b1\nc = 3\n");
    const without = (...indexes: number[]): string =>
      write(source, (map) => set(map, "s", ({ items }) => items.filter((_, index) => !indexes.includes(index))));
    expect(without(0)).toBe("[s]\n; a1\n; a2\nb = 2 ; b1\nc = 3\n");
    expect(without(0, 1)).toBe("[s]\nb = 2 ; b1\nc = 3\n");
    expect(without(1)).toBe("[s]\na = 1\nb = 2 ; b1\nc = 3\n");
    expect(without(4)).toBe("[s]\n; a1\na = 1 ; a2\nb = 2 ; b1\n");
  });

  it("removes a section in the middle, and the last one with the blank line before it", () => {
    const source = read("a=0\n\n; of s\n[s]\nb=1\n\n[t]\nc=2");
    const without = (name: string): string =>
      write(source, (map) => ({
        ...map,
        items: map.items.filter((item) => item.kind !== "entry" || item.key !== name),
      }));
    expect(without("s")).toBe("a=0\n\n[t]\nc=2");
    expect(without("t")).toBe("a=0\n\n; of s\n[s]\nb=1");
  });

  it("replaces a section by another", () => {
    const source = read("[s]\na=1\n\n[t]\nb=2");
    const swap = (map: Mapping): Mapping => ({
      ...map,
      items: map.items.map((item) =>
        item.kind === "entry" && item.key !== "DEFAULT" ? { ...item, value: mapping([entry("x", leaf("y"))]) } : item,
      ),
    });
    expect(write(source, swap)).toBe("[s]\nx = y\n\n[t]\nx = y");
  });

  it.each([
    { value: "a\\", text: 'k = "a\\"' },
    { value: '"a"', text: "k = '\"a\"'" },
    { value: "'a'", text: "k = \"'a'\"" },
    { value: '"""a"""', text: 'k = \'"""a"""\'' },
    { value: "a#b", text: "k = `a#b`" },
    { value: " a", text: 'k = " a"' },
    { value: "a\nb", text: 'k = """a\nb"""' },
    { value: "`", text: 'k = """`"""' },
    { value: 'x"y', text: 'k = x"y' },
  ])("writes a new value so that it is read back: $value", ({ value, text: expected }) => {
    const source = read("k = old\n");
    const written = write(source, (map) => mapScalars(map, (node) => ({ ...node, value })));
    expect(written).toBe(`${expected}\n`);
    expect(notation(root(read(written)))).toEqual({ map: [["DEFAULT", { map: [["k", { str: value }]] }]] });
  });

  it("refuses a value that no quotes can hold, and a container", () => {
    const source = read("k = old\n");
    const put = (change: (node: Leaf) => unknown): string =>
      write(source, (map) => mapScalars(map, (node) => change(node as Leaf) as typeof node));
    expect(() => put((node) => ({ ...node, value: 'a\n"""\nsecret`\n' }))).toThrow(
      /^a value cannot be written.*offending key k$/,
    );
    expect(() => put(() => sequence([]))).toThrow(/^cannot use complex value in INI file; offending key k$/);
  });
});
