// What sealing and opening do to single values: which bytes are hashed, which cells are kept, what is refused and how.
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { importDataKey } from "../../../src/bytes/aes-gcm.ts";
import { CellMemory } from "../../../src/document/cell-memory.ts";
import { openCell, sealBytes, sealCell, type CellType } from "../../../src/document/cell.ts";
import { LONG_VALUE } from "../../../src/document/long-cell.ts";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  Timestamp,
  UnsignedInteger,
  type Entry,
  type Leaf,
  type Mapping,
  type Scalar,
} from "../../../src/document/model.ts";
import { open, seal, type SealOptions } from "../../../src/document/seal.ts";
import { compileSelection, type SelectionKind } from "../../../src/document/selection.ts";

const dataKey = importDataKey(Buffer.alloc(32, 1));
const otherKey = importDataKey(Buffer.alloc(32, 2));
const iv = Buffer.alloc(32, 3);

async function options(kind: SelectionKind = "unencrypted_suffix", pattern = "_clear"): Promise<SealOptions> {
  return {
    dataKey,
    selection: await compileSelection({ kind, pattern }),
    macOnlyEncrypted: false,
    randomBytes: (size) => randomBytes(size),
  };
}

const one = (value: Leaf["value"], key = "a"): Mapping => mapping([entry(key, leaf(value))]);
const cellOf = (text: string, type: CellType, aad = "a:"): string =>
  sealCell(dataKey, iv, aad, Buffer.from(text), type);
const valuesOf = (document: Mapping | undefined): Leaf["value"][] =>
  (document?.items ?? []).map((item) => ((item as Entry).value as Leaf).value);
/** The text of a cell that is one. */
const textOf = (value: Leaf["value"] | undefined): string => (typeof value === "string" ? value : "");
const firstOf = ({ documents }: { readonly documents: readonly Mapping[] }): Leaf["value"] =>
  valuesOf(documents[0])[0] ?? null;
const macOf = (text: string): string => createHash("sha512").update(text).digest("hex").toUpperCase();

function failureOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("the MAC", () => {
  const values: [Scalar, string][] = [
    ["text", "text"],
    [5n, "5"],
    [1.5, "1.5"],
    [true, "True"],
    [false, "False"],
    [new Timestamp("2026-01-02T03:04:05Z"), "2026-01-02T03:04:05Z"],
    [Buffer.from([0x61, 0x62]), "ab"],
    ["", ""],
  ];

  it.each(values)("is made of the plain bytes of %s", async (value, bytes) => {
    const sealing = await options();
    expect(seal([one(value)], sealing).mac).toBe(macOf(bytes));
    expect(seal([one(value, "a_clear")], sealing).mac).toBe(macOf(bytes));
  });

  it("goes through all documents in their order, over nothing of null", async () => {
    const tree = mapping([entry("a", leaf("1")), entry("n", leaf(null)), entry("b_clear", leaf("2"))]);
    expect(seal([tree, one("3")], await options()).mac).toBe(macOf("123"));
  });

  it("starts with a word, and leaves out what is clear, where it is of encrypted values only", async () => {
    const sealing = { ...(await options()), macOnlyEncrypted: true };
    const seed = createHash("sha256").update("sops").digest();
    const expected = createHash("sha512").update(seed).update("1").digest("hex").toUpperCase();
    const tree = mapping([entry("a", leaf("1")), entry("b_clear", leaf("2"))]);
    const sealed = seal([tree], sealing);
    expect(sealed.mac).toBe(expected);
    expect(open(sealed.documents, sealing).mac).toBe(expected);
  });

  it("is made of the canonical text of a value whose cell has another", async () => {
    const opening = await options();
    const opened = open([one(cellOf("true", "bool"))], opening);
    expect(opened.mac).toBe(macOf("True"));
    expect(open([one(cellOf("1.50", "float"))], opening).mac).toBe(macOf("1.5"));
    expect(firstOf(opened)).toBe(true);
  });
});

describe("counts", () => {
  it("are of what is there to encrypt, either way", async () => {
    const tree = mapping([
      entry("a", leaf("x")),
      entry("b", leaf("")),
      entry("c", leaf(null)),
      entry("d_clear", leaf("y")),
      entry("e_clear", leaf("")),
      entry("f_clear", leaf(0n)),
    ]);
    const sealing = await options();
    const sealed = seal([tree], sealing);
    expect(sealed).toMatchObject({ encrypted: 1, clear: 2 });
    expect(open(sealed.documents, sealing)).toMatchObject({ encrypted: 1, clear: 2 });
  });
});

describe("refused for encryption, with path and code", () => {
  it.each<{ name: string; tree: Mapping; path: string[]; message: RegExp; hint?: RegExp }>([
    { name: "2^64", tree: one(2n ** 64n), path: ["a"], message: /does not fit 64 bits/ },
    { name: "2^64 in clear", tree: one(2n ** 64n, "a_clear"), path: ["a_clear"], message: /does not fit 64 bits/ },
    { name: "an unsigned integer", tree: one(new UnsignedInteger("1")), path: ["a"], message: /does not fit 64 bits/ },
    {
      name: "a key that is no string",
      tree: mapping([entry("m", mapping([{ ...entry("1", leaf("x")), nonString: true }]))]),
      path: ["m", "1"],
      message: /non-string key/,
      hint: /quotes/,
    },
  ])("$name", async ({ tree, path, message, hint }) => {
    const sealing = await options();
    expect(failureOf(() => seal([tree], sealing))).toMatchObject({
      code: "ERR_ENCRYPT_VALUE",
      path,
      message: expect.stringMatching(message) as string,
      ...(hint === undefined ? {} : { hint: expect.stringMatching(hint) as string }),
    });
  });

  it("a comment whose cell the rule would find again", async () => {
    const tree = mapping([comment(" note"), entry("a", leaf("x"))]);
    const matchesAll = await options("unencrypted_comment_regex", "^ENC");
    expect(failureOf(() => seal([tree], matchesAll))).toMatchObject({
      code: "ERR_ENCRYPT_VALUE",
      path: [],
      message: expect.stringMatching(/matches unencrypted_comment_regex/) as string,
      hint: expect.stringMatching(/no base64 text/) as string,
    });
    for (const kind of ["unencrypted_regex", "encrypted_comment_regex"] as const) {
      const sealing = await options(kind, "^ENC");
      expect(failureOf(() => seal([tree], sealing))).toBeUndefined();
    }
  });
});

describe("refused for decryption, with path and code", () => {
  const long = (type: CellType): Buffer => sealBytes(dataKey, iv, "a:", Buffer.alloc(LONG_VALUE, 49), type);

  it.each<{ name: string; value: Leaf["value"]; message: string }>([
    { name: "a number", value: 5n, message: "expected an encrypted value, found one that is not a string" },
    { name: "clear text", value: "clear", message: "the value is not encrypted but should be" },
    {
      name: "a cell of another path",
      value: cellOf("x", "str", "b:"),
      message: "the encrypted value does not open: wrong key or altered",
    },
    { name: "a comment", value: cellOf("x", "comment"), message: "an encrypted comment stands where a value belongs" },
    { name: "no integer", value: cellOf("x", "int"), message: "the value is not readable as type int" },
    { name: "bytes that are no cell", value: Buffer.from("x"), message: "the value is not encrypted but should be" },
    { name: "bytes of an integer", value: long("int"), message: "bytes of the type int" },
    { name: "bytes of a comment", value: long("comment"), message: "bytes of the type comment" },
  ])("$name", async ({ value, message }) => {
    const opening = await options();
    expect(failureOf(() => open([one(value)], opening))).toMatchObject({
      code: "ERR_DECRYPT_VALUE",
      path: ["a"],
      message: expect.stringContaining(message) as string,
    });
  });

  it("an integer of more than 64 bits that is clear", async () => {
    const opening = await options();
    expect(failureOf(() => open([one(2n ** 64n, "a_clear")], opening))).toMatchObject({
      code: "ERR_DECRYPT_VALUE",
      path: ["a_clear"],
    });
  });
});

describe("comments", () => {
  const opened = async (text: string): Promise<unknown> => {
    const result = open([mapping([{ ...comment(text), inline: true }])], await options());
    return [result.documents[0]?.items[0], result.clearComments];
  };

  it("have a path of their own at the top, and that of what they are in below", async () => {
    const sealing = await options();
    const sealed = seal([mapping([comment(" top"), entry("m", mapping([comment(" in")]))])], sealing);
    const [top, m] = sealed.documents[0]?.items ?? [];
    const inner = ((m as Entry).value as Mapping).items[0];
    expect(openCell(dataKey, (top as { text: string }).text, ":")).toMatchObject({ type: "comment" });
    expect(openCell(dataKey, (inner as { text: string }).text, "m:")).toMatchObject({ type: "comment" });
  });

  it("open from cells of comments and of strings, and are inline no more", async () => {
    for (const type of ["comment", "str"] as const)
      expect(await opened(cellOf(" note", type, ":"))).toEqual([comment(" note"), []]);
  });

  it.each([
    ["an integer", cellOf("5", "int", ":")],
    ["another path", cellOf("x", "comment", "a:")],
    ["somebody's text", " by hand"],
  ])("stay as they are with %s, and are told of", async (_, text) => {
    expect(await opened(text)).toEqual([{ ...comment(text), inline: true }, [[]]]);
  });

  it("that are empty stay so, and are nothing to tell of", async () => {
    expect(await opened("")).toEqual([{ ...comment(""), inline: true }, []]);
    expect(seal([mapping([comment("")])], await options()).documents).toEqual([mapping([comment("")])]);
  });

  it("keep their cells", async () => {
    const sealing = await options();
    const memory = new CellMemory(dataKey);
    const sealed = seal([mapping([comment(" note")])], sealing);
    const { documents } = open(sealed.documents, { ...sealing, memory });
    expect(seal(documents, { ...sealing, memory }).documents).toEqual(sealed.documents);
  });
});

describe("a value that is sealed again", () => {
  /** Opens a value, seals it under `key`, and gives the cells of before and after. */
  async function again(before: Leaf["value"], key = dataKey, fresh = false): Promise<[string, string]> {
    const sealing = await options();
    const memory = new CellMemory(dataKey);
    const { documents } = open([one(before)], { ...sealing, memory });
    const plain = fresh ? [one(firstOf({ documents }))] : documents;
    const sealed = seal(plain, { ...sealing, dataKey: key, memory });
    return [textOf(before), textOf(firstOf(sealed))];
  }

  it.each([false, true])("keeps its cell, itself or a copy of it: %s", async (fresh) => {
    const [before, after] = await again(cellOf("x", "str"), dataKey, fresh);
    expect(after).toBe(before);
  });

  it("keeps its cell without the line break behind it", async () => {
    const [before, after] = await again(`${cellOf("x", "str")}\n`);
    expect(`${after}\n`).toBe(before);
  });

  it("is written canonically where it was not", async () => {
    const [, after] = await again(cellOf("true", "bool"));
    expect(openCell(dataKey, after, "a:")).toMatchObject({ type: "bool", plain: Buffer.from("True") });
  });

  it("keeps its IV under another key", async () => {
    const [before, after] = await again(cellOf("x", "str"), otherKey);
    expect(after).not.toBe(before);
    expect(openCell(otherKey, after, "a:")).toMatchObject({ plain: Buffer.from("x"), iv: iv.toString("base64") });
  });

  it("draws a new IV where no memory is", async () => {
    const sealing = await options();
    const drawn: number[] = [];
    const randomBytesOf = (size: number): Buffer => {
      drawn.push(size);
      return iv;
    };
    const sealed = seal([one("x")], { ...sealing, randomBytes: randomBytesOf });
    expect(drawn).toEqual([32]);
    expect(firstOf(sealed)).toBe(cellOf("x", "str"));
  });
});

describe("forms of a cell", () => {
  const float: Mapping = mapping([entry("a", { ...leaf(1.5), text: "1.50" })]);

  it("holds a float's own digits where they are kept, and the canonical ones otherwise", async () => {
    const sealing = await options();
    const plainOf = (value: Leaf["value"]): unknown => openCell(dataKey, textOf(value), "a:");
    const kept = seal([float], { ...sealing, keepDigits: true });
    expect(plainOf(firstOf(kept))).toMatchObject({ plain: Buffer.from("1.50") });
    expect(plainOf(firstOf(seal([float], sealing)))).toMatchObject({ plain: Buffer.from("1.5") });
    expect(plainOf(firstOf(seal([one(1.5)], { ...sealing, keepDigits: true })))).toMatchObject({
      plain: Buffer.from("1.5"),
    });
    expect(kept.mac).toBe(macOf("1.5"));
  });

  it("is bytes for a long value where that is asked for, and text otherwise", async () => {
    const sealing = await options();
    const long = Buffer.alloc(LONG_VALUE, 7);
    const kind = (value: Leaf["value"], longInBytes?: boolean): boolean =>
      firstOf(seal([one(value)], { ...sealing, ...(longInBytes === undefined ? {} : { longInBytes }) })) instanceof
      Uint8Array;
    expect(kind(long, true)).toBe(true);
    expect(kind(long.subarray(1), true)).toBe(false);
    expect(kind(long, false)).toBe(false);
    expect(kind(long)).toBe(false);
  });

  it("opens from bytes as bytes, with their MAC", async () => {
    const sealing = { ...(await options()), longInBytes: true };
    const sealed = seal([one(Buffer.alloc(LONG_VALUE, 49))], sealing);
    const opened = open(sealed.documents, sealing);
    expect(opened.mac).toBe(sealed.mac);
    expect(firstOf(opened)).toEqual(Buffer.alloc(LONG_VALUE, 49));
  });
});

describe("places", () => {
  const span = { start: 3, end: 4, style: "plain", indent: 0 } as const;

  it("go with the values, both ways, and are not made up", async () => {
    const sealing = await options();
    for (const node of [leaf("x"), { ...leaf("x"), span }]) {
      const sealed = seal([mapping([entry("l", sequence([node]))])], sealing);
      const opened = open(sealed.documents, sealing);
      for (const { documents } of [sealed, opened]) {
        const list = (documents[0]?.items[0] as Entry).value as { items: readonly Leaf[] };
        const item = list.items[0] ?? leaf("");
        expect("span" in item).toBe("span" in node);
        expect(item.span).toEqual("span" in node ? span : undefined);
      }
    }
  });

  it("go with the comments that stand as items", async () => {
    const opening = await options();
    for (const place of [{}, { span }]) {
      const item = { ...leaf(cellOf(" note", "comment", "l:")), ...place };
      const { documents } = open([mapping([entry("l", sequence([item]))])], opening);
      expect(documents).toEqual([mapping([entry("l", sequence([{ ...comment(" note"), ...place }]))])]);
      expect("span" in (((documents[0]?.items[0] as Entry).value as Mapping).items[0] ?? {})).toBe("span" in place);
    }
  });
});

describe("comments that govern list items", () => {
  it.each([
    { kind: "encrypted_comment_regex", isSealed: [true, false] },
    { kind: "unencrypted_comment_regex", isSealed: [false, true] },
  ] as const)("$kind: the item behind it alone", async ({ kind, isSealed }) => {
    const tree = mapping([entry("l", sequence([comment(" mark"), leaf("x"), leaf("y")]))]);
    const sealing = await options(kind, "mark");
    const sealed = seal([tree], sealing);
    const list = (sealed.documents[0]?.items[0] as Entry).value as { items: readonly (Leaf | { text: string })[] };
    const [mark, ...items] = list.items;
    expect(items.map((item) => textOf((item as Leaf).value).startsWith("ENC["))).toEqual(isSealed);
    expect(mark).toMatchObject({ text: " mark" });
    expect(open(sealed.documents, sealing).documents).toEqual([tree]);
  });

  it("the comment item behind a mark is opened with it", async () => {
    const sealing = await options("encrypted_comment_regex", "mark");
    const item = leaf(cellOf(" note", "comment", "l:"));
    const tree = mapping([entry("l", sequence([comment(" mark"), item, leaf(cellOf("x", "str", "l:"))]))]);
    expect(open([tree], sealing).documents).toEqual([
      mapping([entry("l", sequence([comment(" mark"), comment(" note"), leaf("x")]))]),
    ]);
  });

  it("a mapping behind a mark is sealed whole", async () => {
    const sealing = await options("encrypted_comment_regex", "mark");
    const tree = mapping([entry("l", sequence([comment(" mark"), one("x"), one("y")]))]);
    const sealed = seal([tree], sealing);
    expect(sealed).toMatchObject({ encrypted: 1, clear: 1 });
    expect(open(sealed.documents, sealing).documents).toEqual([tree]);
  });
});
