import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { importDataKey } from "../../../src/bytes/aes-gcm.ts";
import { CellMemory } from "../../../src/document/cell-memory.ts";
import { isCell, sealCell } from "../../../src/document/cell.ts";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  type Leaf,
  type Mapping,
  type Node,
} from "../../../src/document/model.ts";
import { isSameMac, open, seal, type SealOptions } from "../../../src/document/seal.ts";
import { compileSelection, DEFAULT_SELECTION, type SelectionKind } from "../../../src/document/selection.ts";
import { documents } from "../../support/trees.ts";

const dataKey = importDataKey(Buffer.alloc(32, 1));
const draw = (size: number): Buffer => randomBytes(size);

async function options(kind: SelectionKind = "unencrypted_suffix", pattern = "_unencrypted"): Promise<SealOptions> {
  return { dataKey, selection: await compileSelection({ kind, pattern }), macOnlyEncrypted: false, randomBytes: draw };
}

describe("seal and open", () => {
  it.each(["unencrypted_suffix", "encrypted_suffix"] as const)(
    "gives back an item that looks like the cell of a comment, but is none (%s)",
    async (kind) => {
      const sealing = await options(kind);
      const text = sealCell(importDataKey(Buffer.alloc(32, 2)), randomBytes(32), "l:", Buffer.from("c"), "comment");
      const tree = mapping([entry("l", sequence([leaf(text), leaf("x")]))]);
      const sealed = seal([tree], sealing);
      const opened = open(sealed.documents, sealing);
      expect(opened.documents).toEqual([tree]);
      expect(opened.mac).toBe(sealed.mac);
    },
  );

  it("gives back any tree, with the same MAC", async () => {
    const sealing = await options();
    fc.assert(
      fc.property(fc.array(documents(), { minLength: 1, maxLength: 3 }), fc.boolean(), (trees, macOnlyEncrypted) => {
        const sealed = seal(trees, { ...sealing, macOnlyEncrypted });
        const opened = open(sealed.documents, { ...sealing, macOnlyEncrypted });
        expect(opened.documents).toEqual(trees);
        expect(opened.mac).toBe(sealed.mac);
        expect(opened.clearComments).toEqual([]);
      }),
    );
  });

  it("leaves no selected value readable", async () => {
    const sealing = await options("unencrypted_suffix", "_never_ends_like_this");
    fc.assert(
      fc.property(documents(), (tree) => {
        const sealed = seal([tree], sealing);
        for (const value of strings(sealed.documents[0] as Mapping)) expect(value === "" || isCell(value)).toBe(true);
      }),
    );
  });

  it("keeps cells of values that did not change, and no IV for one that did", async () => {
    const sealing = await options();
    const before = mapping([
      entry("a", leaf("same")),
      entry("b", leaf(-0)),
      entry("c", sequence([leaf("x"), leaf("x")])),
    ]);
    const sealed = seal([before], sealing);
    const memory = new CellMemory(dataKey);
    open(sealed.documents, { ...sealing, memory });
    const after = mapping([
      entry("a", leaf("same")),
      entry("b", leaf(0)),
      entry("c", sequence([leaf("x"), leaf("x")])),
    ]);
    const again = seal([after], { ...sealing, memory });
    const [oldA, oldB, ...oldC] = strings(sealed.documents[0] as Mapping);
    const [newA, newB, ...newC] = strings(again.documents[0] as Mapping);
    expect(newA).toBe(oldA);
    expect(newC).toEqual(oldC);
    expect(ivOf(newB)).not.toBe(ivOf(oldB)); // 0 and -0 are equal to JavaScript, and other bytes to the cipher
  });

  it("keeps IVs, and nothing else, under a new data key", async () => {
    const sealing = await options();
    const sealed = seal([mapping([entry("a", leaf("same"))])], sealing);
    const memory = new CellMemory(dataKey);
    const { documents: plain } = open(sealed.documents, { ...sealing, memory });
    const rotated = seal(plain, { ...sealing, dataKey: importDataKey(Buffer.alloc(32, 2)), memory });
    const [before] = strings(sealed.documents[0] as Mapping);
    const [after] = strings(rotated.documents[0] as Mapping);
    expect(ivOf(after)).toBe(ivOf(before));
    expect(after).not.toBe(before);
  });

  it("refuses keys that are no strings and integers of more than 64 bits, naming the path", async () => {
    const sealing = await options();
    const nonString = mapping([{ ...entry("1", leaf("x")), nonString: true }]);
    expect(() => seal([nonString], sealing)).toThrow(/\["1"\].*non-string key/);
    expect(() => seal([mapping([entry("big", leaf(2n ** 64n))])], sealing)).toThrow(/\["big"\].*64 bits/);
  });

  it.each<{ name: string; tree: Node; error: RegExp }>([
    { name: "clear text", tree: leaf("clear"), error: /\["a"\]: the value is not encrypted but should be/ },
    { name: "a number", tree: leaf(5n), error: /\["a"\]: expected an encrypted value/ },
    {
      name: "a broken cell",
      tree: leaf("ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]"),
      error: /does not open/,
    },
  ])("refuses $name where a cell belongs, without repeating it", async ({ tree, error }) => {
    const opening = await options();
    expect(() => open([mapping([entry("a", tree)])], opening)).toThrow(error);
    expect(() => open([mapping([entry("a", tree)])], opening)).not.toThrow(/clear(?! but|text)|AA==/);
  });

  it("refuses a comment's cell as a value, and drops no list item whose type was changed to comment", async () => {
    const opening = await options();
    const sealed = seal([mapping([comment(" note"), entry("l", sequence([leaf("x"), leaf("y")]))])], opening);
    const retype = (text: string): string => text.replace("type:str", "type:comment");
    const [note, list] = (sealed.documents[0] as Mapping).items;
    const swapped = mapping([entry("", leaf((note as { text: string }).text))]);
    expect(() => open([swapped], opening)).toThrow(/comment stands where a value belongs/);
    const items = (list as { value: { items: readonly { value: string }[] } }).value.items;
    const retyped = mapping([entry("l", sequence([leaf(retype(items[0]?.value ?? "")), leaf(items[1]?.value ?? "")]))]);
    expect(open([retyped], opening).mac).not.toBe(sealed.mac);
  });

  it("keeps comments that do not decrypt, and says where they stand", async () => {
    const opening = await options();
    const opened = open([mapping([entry("m", mapping([comment(" by hand")]))])], opening);
    expect(opened.documents).toEqual([mapping([entry("m", mapping([comment(" by hand")]))])]);
    expect(opened.clearComments).toEqual([["m"]]);
  });

  it("counts what is encrypted and what is not", async () => {
    const sealing = await options("encrypted_regex", "^secret$");
    const tree = mapping([
      entry("secret", leaf("x")),
      entry("open", leaf("y")),
      entry("e", leaf("")),
      entry("n", leaf(null)),
    ]);
    expect(seal([tree], sealing)).toMatchObject({ encrypted: 1, clear: 1 });
  });
});

describe("comment rules (file-format.md 3.3)", () => {
  const tree = mapping([
    comment(" plain"),
    comment(" enc-here"),
    comment(" second"),
    entry("a", leaf(1n)),
    entry("b", leaf(2n)),
    comment(" enc-here"),
    entry("c", mapping([entry("d", sequence([leaf(3n), leaf(4n)]))])),
  ]);

  it("encrypts what a matching comment governs, and the comments after it", async () => {
    const sealed = seal([tree], await options("encrypted_comment_regex", "enc-here"));
    expect(shape(sealed.documents[0] as Mapping)).toEqual([
      "# plain",
      "# enc-here",
      "#<cell>",
      "<cell>",
      "2",
      "# enc-here",
      "<cell>",
      "<cell>",
    ]);
  });

  it("leaves clear what a matching comment governs", async () => {
    const sealed = seal([tree], await options("unencrypted_comment_regex", "enc-here"));
    expect(shape(sealed.documents[0] as Mapping)).toEqual([
      "#<cell>",
      "# enc-here",
      "# second",
      "1",
      "<cell>",
      "# enc-here",
      "3",
      "4",
    ]);
  });

  it("refuses a pattern that the encrypted comment would match", async () => {
    const sealing = await options("unencrypted_comment_regex", "^ENC");
    expect(() => seal([mapping([comment(" x"), entry("a", leaf(1n))])], sealing)).toThrow(/unencrypted_comment_regex/);
  });
});

describe("comparing MACs", () => {
  it.each([
    ["ABC", "ABC", true],
    ["ABC", "abc", false],
    ["ABC", "ABCD", false],
    ["", "", true],
  ])("%j and %j: %s", (a, b, same) => {
    expect(isSameMac(a, b)).toBe(same);
  });
});

it("has the default of the format", () => {
  expect(DEFAULT_SELECTION).toEqual({ kind: "unencrypted_suffix", pattern: "_unencrypted" });
});

function strings(node: Node): string[] {
  if (node.kind === "leaf") return node.value === null ? [] : [textOf(node)];
  return node.items.flatMap((item) =>
    item.kind === "comment" ? [] : strings(item.kind === "entry" ? item.value : item),
  );
}

function shape(node: Node): string[] {
  if (node.kind === "leaf") return [isCell(textOf(node)) ? "<cell>" : textOf(node)];
  return node.items.flatMap((item) => {
    if (item.kind === "comment") return [isCell(item.text) ? "#<cell>" : `#${item.text}`];
    return shape(item.kind === "entry" ? item.value : item);
  });
}

function textOf({ value }: Leaf): string {
  return typeof value === "object" ? "" : String(value);
}

function ivOf(cell: string | undefined): string | undefined {
  return /iv:([^,]+)/.exec(cell ?? "")?.[1];
}
