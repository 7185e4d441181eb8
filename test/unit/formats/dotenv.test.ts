import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  Timestamp,
  type Leaf,
  type Mapping,
} from "../../../src/document/model.ts";
import { EmitError, FormatError } from "../../../src/errors.ts";
import { dotenv } from "../../../src/formats/dotenv.ts";
import type { Source } from "../../../src/formats/format.ts";
import { notation, vectors, withLeaf, type StoreVector } from "../../support/vectors.ts";

const text = (written: Uint8Array): string => Buffer.from(written).toString();
const read = (input: string | Uint8Array): Source =>
  dotenv.read(typeof input === "string" ? Buffer.from(input) : input);
const root = (source: Source): Mapping => source.documents[0] ?? mapping([]);
const write = (source: Source, change: (root: Mapping) => Mapping): string =>
  text(dotenv.write(source, [change(root(source))]));
const setTo =
  (value: Leaf["value"]) =>
  (old: unknown): Leaf => ({ ...(old as Leaf), value });

/** Replaces every value and comment by a cell, as `seal` does. */
const CELL = "ENC[AES256_GCM,data:QQ==,iv:QQ==,tag:QQ==,type:str]";
function withCells(map: Mapping): Mapping {
  const items = map.items.map((item) => {
    if (item.kind === "comment") return { ...item, text: CELL };
    return { ...item, value: setTo(CELL)(item.value) };
  });
  return { ...map, items };
}
const metadata = [entry("sops_age__list_0__map_enc", leaf("l1\nl2\n")), entry("sops_version", leaf("3.13.2"))];
const withMetadata = (map: Mapping): Mapping => ({ ...map, items: [...map.items, ...metadata] });
const METADATA = "sops_age__list_0__map_enc=l1\\nl2\\n\nsops_version=3.13.2\n";

/** What decryption does: the values and comments of `plain` in the places of `encrypted`, without metadata. */
function restored(plain: Mapping, encrypted: Mapping): Mapping {
  const items = plain.items.map((item, index) => {
    const place = encrypted.items[index];
    if (item.kind === "comment") return { ...item, span: place?.span } as typeof item;
    if (place?.kind !== "entry") throw new Error("the trees differ");
    return { ...place, value: { ...place.value, value: (item.value as Leaf).value } as Leaf };
  });
  return { ...encrypted, items };
}

describe("dotenv.read", () => {
  it.each(vectors("dotenv_documents") as readonly StoreVector[])(
    "agrees with the reference on $input",
    ({ input, document, emitted, error }) => {
      if (error === true) {
        expect(() => read(input)).toThrow(FormatError);
        return;
      }
      const source = read(input);
      expect(notation(root(source))).toEqual(document);
      expect(text(dotenv.emit(source.documents, {}))).toBe(emitted);
      expect(text(dotenv.write(source, source.documents))).toBe(input);
    },
  );

  it("names the line of what it refuses, and nothing of it", () => {
    for (const [input, line] of [
      ["A=1\n\nsecret\n", 3],
      ["A=1\r\n\r\nB=secret", 2],
      ["A=1\nB=sec\0ret\n", 2],
    ] as const) {
      expect(() => read(input)).toThrow(
        expect.objectContaining({ position: { line }, message: expect.not.stringContaining("sec") as unknown }),
      );
    }
  });

  it("keeps a value that is not UTF-8 as bytes, and refuses such a name or comment", () => {
    const source = read(Buffer.from("A=\xe9\\n\nB=x\n", "latin1"));
    expect(notation(root(source))).toEqual({
      map: [
        ["A", { str_base64: Buffer.from([0xe9, 0x0a]).toString("base64") }],
        ["B", { str: "x" }],
      ],
    });
    expect(() => read(Buffer.from("B=x\n\xe9=1\n", "latin1"))).toThrow(/^line 2: a name is not valid UTF-8/);
    expect(() => read(Buffer.from("B=x\n#\xe9\n", "latin1"))).toThrow(/^line 2: a comment is not valid UTF-8/);
  });

  it("drops a CR after a cell, which the reference cannot decrypt", () => {
    const source = read(`#${CELL}\r\nA=${CELL}\r\nB=1\r\n`);
    expect(notation(root(source))).toEqual({
      map: [{ comment: CELL, inline: false }, ["A", { str: CELL }], ["B", { str: "1\r" }]],
    });
    expect(write(source, (map) => withLeaf(map, ["A"], setTo("x")))).toBe(`#${CELL}\r\nA=x\r\nB=1\r\n`);
  });

  it("turns the line ends of an encrypted file back that was checked out with CRLF", () => {
    const original = `#${CELL}\n\nA=${CELL}\nB_unencrypted=1\n${METADATA}`;
    for (const converted of [original.replaceAll("\n", "\r\n"), original.replaceAll("\n", "\r\n").slice(0, -1)]) {
      const source = read(converted);
      expect(notation(root(source))).toEqual(notation(root(read(original))));
      expect(source.text.trimEnd()).toBe(original.trimEnd());
    }
  });
});

describe("dotenv.emit", () => {
  it("writes every scalar in its flat form", () => {
    const tree = mapping([
      comment(" two\nlines"),
      entry("int", leaf(1n)),
      entry("float", leaf(2)),
      entry("big", leaf(1e21)),
      entry("bool", leaf(false)),
      entry("time", leaf(new Timestamp("2024-01-02T03:04:05.5+02:00"))),
      entry("null", leaf(null)),
      entry("é", leaf("ü\nx")),
      entry("bytes", leaf(Uint8Array.from([0xff, 0x0a]))),
    ]);
    expect(Buffer.from(dotenv.emit([tree], {})).toString("latin1")).toBe(
      "# two\n#lines\nint=1\nfloat=2.0\nbig=1E+21\nbool=false\ntime=2024-01-02T03:04:05+02:00\nnull=<nil>\n" +
        "\xc3\xa9=\xc3\xbc\\nx\nbytes=\xff\\n\n",
    );
  });

  it.each([
    { name: "a mapping", node: mapping([entry("k", mapping([entry("secret", leaf("x"))]))]) },
    { name: "a list", node: mapping([entry("k", sequence([]))]) },
  ])("refuses $name in the words of the reference", ({ node }) => {
    const emit = (): Uint8Array => dotenv.emit([node], {});
    expect(emit).toThrow(EmitError);
    expect(emit).toThrow(/^cannot use complex value in dotenv file; offending key k$/);
  });

  it.each(["A=B", "A\nB", "#A", "A\0"])("refuses the name %j, which would become another line", (name) => {
    expect(() => dotenv.emit([mapping([entry(name, leaf("secret"))])], {})).toThrow(
      expect.objectContaining({ code: "ERR_EMIT", message: expect.not.stringContaining("secret") as unknown }),
    );
  });

  it.each([
    { node: leaf(1n), type: "int" },
    { node: leaf(1.5), type: "float64" },
    { node: leaf(true), type: "bool" },
    { node: leaf(null), type: "<nil>" },
    { node: leaf(new Timestamp("2024-01-02T00:00:00Z")), type: "time.Time" },
    { node: sequence([]), type: "[]interface {}" },
    { node: comment("x"), type: "sops.Comment" },
  ])("does not write an extracted $type", ({ node, type }) => {
    expect(() => dotenv.emitValue(node, {})).toThrow(`the dotenv store only supports emitting strings, got ${type}`);
  });

  it("writes an extracted mapping as a document", () => {
    expect(text(dotenv.emitValue(mapping([entry("c", leaf(1n))]), {}))).toBe("c=1\n");
  });
});

describe("dotenv.write", () => {
  it("puts a cell in place of everything after the equals sign", () => {
    const source = read('# c\n\nexport A="x y" # z\n  B =\\n1\n\nC=');
    expect(write(source, (map) => withMetadata(withCells(map)))).toBe(
      `#${CELL}\n\nexport A=${CELL}\n  B =${CELL}\n\nC=${CELL}\n${METADATA.trimEnd()}`,
    );
  });

  it.each([
    { name: "LF", input: '# c\n\nA="1"\n\nexport B=x\\ny\n' },
    { name: "no final line break", input: "A=1\nB=2" },
    { name: "CRLF", input: "#c\r\nA=1\r\nB=2\r\n" },
    { name: "CRLF without a final line break", input: "A=1\r\nB=2" },
    { name: "blank lines at the end", input: "A=1\n\n\n" },
    { name: "nothing but a line break", input: "\n" },
    { name: "nothing", input: "" },
    { name: "a backslash before backslash-n", input: "A=\\\\n\\t\\\n" },
    { name: "repeated names", input: "A=1\nA=2\n" },
  ])("gives the file back byte for byte: $name", ({ input }) => {
    const plain = read(input);
    const encrypted = write(plain, (map) => withMetadata(withCells(map)));
    expect(encrypted).not.toContain("\r");
    const reread = read(encrypted);
    expect(root(reread).items).toHaveLength(root(plain).items.length + metadata.length);
    expect(write(reread, (map) => restored(root(plain), map))).toBe(input);
  });

  it("gives any bytes back", () => {
    const line = fc.tuple(
      fc.stringMatching(/^[^=\n\0#\x80-\uffff][^=\n\0\x80-\uffff]{0,5}$/),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => bytes.filter((byte) => byte !== 0 && byte !== 0x0a)),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 5 }), fc.boolean(), (lines, isClosed) => {
        const joined = lines.map(([key, bytes]) => `${key}=${Buffer.from(bytes).toString("latin1")}`).join("\n");
        const input = Buffer.from(isClosed && joined !== "" ? `${joined}\n` : joined, "latin1");
        fc.pre(!/^sops_/m.test(joined));
        const plain = read(input);
        const encrypted = dotenv.write(plain, [withMetadata(withCells(root(plain)))]);
        const reread = read(encrypted);
        expect(Buffer.from(dotenv.write(reread, [restored(root(plain), root(reread))]))).toEqual(input);
      }),
    );
  });

  it("adds under the left neighbour, at the end, and removes whole lines", () => {
    const source = read(`A=1\n\nB=2\n#c\nC=3\n${METADATA}`);
    const change = (map: Mapping): Mapping => {
      const [a, , c, cValue, ...rest] = map.items;
      return {
        ...map,
        items: [entry("FIRST", leaf("0")), a, entry("NEW", leaf("x")), c, cValue, ...rest] as Mapping["items"],
      };
    };
    expect(write(source, change)).toBe(`FIRST=0\nA=1\nNEW=x\n\n#c\nC=3\n${METADATA}`);
    expect(write(read("A=1\nB=2"), (map) => ({ ...map, items: map.items.slice(0, 1) }))).toBe("A=1");
    expect(
      write(read("A=1\nB=2"), (map) => ({ ...map, items: [...map.items.slice(0, 1), entry("C", leaf("3"))] })),
    ).toBe("A=1\nC=3");
  });

  it("refuses a container in place of a value", () => {
    expect(() => write(read("A=1\n"), (map) => withLeaf(map, ["A"], () => sequence([])))).toThrow(
      "cannot use complex value in dotenv file; offending key A",
    );
  });
});
