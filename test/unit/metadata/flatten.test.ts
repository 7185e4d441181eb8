import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comment, entry, leaf, mapping, sequence, type Mapping, type Node } from "../../../src/document/model.ts";
import { SopsError } from "../../../src/errors.ts";
import { flatten, unflatten } from "../../../src/metadata/flatten.ts";
import { notation } from "../../support/vectors.ts";

const text = (value: string): Node => leaf(value);

/** Keys that do not look like a step; such a key cannot be told from one, in the reference neither. */
const keys = fc.string({ unit: "grapheme", maxLength: 8 }).filter((key) => !/__(map|list)_/.test(`${key}_`));
const { tree } = fc.letrec<{ tree: Node; map: Mapping }>((tie) => ({
  map: fc
    .uniqueArray(fc.tuple(keys, tie("tree")), { selector: ([key]) => key, minLength: 1, maxLength: 3 })
    .map((pairs) => mapping(pairs.map(([key, value]) => entry(key, value)))),
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.string().map(text),
    tie("map"),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((items) => sequence(items)),
  ),
}));

describe("flatten", () => {
  it("names every value by its steps, in order", () => {
    const node = mapping([
      entry("age", sequence([mapping([entry("enc", text("a\nb")), entry("recipient", text("r"))])])),
      comment(" dropped"),
      entry("empty", sequence([])),
      entry("kms", sequence([mapping([entry("context", mapping([entry("tenant", text("t"))]))])])),
      entry("mac_only_encrypted", leaf(true)),
      entry("none", mapping([])),
      entry("shamir_threshold", leaf(2n)),
    ]);
    expect(flatten(node)).toEqual([
      ["age__list_0__map_enc", "a\nb"],
      ["age__list_0__map_recipient", "r"],
      ["kms__list_0__map_context__map_tenant", "t"],
      ["mac_only_encrypted", "true"],
      ["shamir_threshold", "2"],
    ]);
  });

  it("keeps lists of more than ten in numeric order", () => {
    const items = Array.from({ length: 12 }, (_, index) => text(String(index)));
    const pairs = flatten(mapping([entry("l", sequence(items))]));
    expect(pairs.map(([name]) => name)).toEqual(items.map((_, index) => `l__list_${String(index)}`));
  });
});

describe("unflatten", () => {
  it("builds what flatten took apart, in any order", () => {
    fc.assert(
      fc.property(fc.tuple(keys, tree), fc.boolean(), ([key, value], isReversed) => {
        const node = mapping([entry(key, value)]);
        const pairs = flatten(node);
        const rebuilt = unflatten(isReversed ? pairs.toReversed() : pairs);
        expect(new Map(flatten(rebuilt))).toEqual(new Map(pairs));
        if (!isReversed) expect(notation(rebuilt)).toEqual(notation(node));
      }),
    );
  });

  it.each([
    { name: "one name twice", names: ["a", "a"] },
    { name: "one list item twice", names: ["a__list_0", "a__list_0"] },
    { name: "one index in two spellings", names: ["a__list_0", "a__list_00"] },
    { name: "a word as index beside 0", names: ["a__list_0", "a__list_x"] },
    { name: "a map and a list", names: ["a__list_0", "a__map_b"] },
    { name: "a value and a container", names: ["a", "a__map_b"] },
    { name: "a container and a value", names: ["a__list_0__map_b", "a__list_0"] },
    { name: "a list with a gap", names: ["a__list_0", "a__list_2"] },
    { name: "a list without a start", names: ["a__list_1"] },
    { name: "a negative index", names: ["a__list_-1"] },
    { name: "an index beyond all memory", names: ["a__list_99999999999"] },
    { name: "an index beyond exact numbers", names: [`a__list_${"9".repeat(400)}`] },
    { name: "thousands of steps", names: [`a${"__map_b".repeat(100_000)}`] },
  ])("refuses $name without showing a value", ({ names }) => {
    const build = (): Mapping => unflatten(names.map((name) => [name, "secret"]));
    expect(build).toThrow(SopsError);
    expect(build).toThrow(
      expect.objectContaining({ code: "ERR_LOAD", message: expect.not.stringContaining("secret") as unknown }),
    );
  });

  it("counts a word as index 0", () => {
    expect(notation(unflatten([["a__list_x__map_b", "1"]]))).toEqual({
      map: [["a", { list: [{ map: [["b", { str: "1" }]] }] }]],
    });
  });

  it("takes names of Object.prototype as data", () => {
    const built = unflatten([
      ["__proto____map_polluted", "1"],
      ["constructor__map_prototype__map_polluted", "1"],
    ]);
    expect(built.items.map((item) => item.kind === "entry" && item.key)).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("reads 100,000 names at once", () => {
    const pairs = Array.from({ length: 100_000 }, (_, index) => [`l__list_${String(index)}`, ""] as const);
    const start = performance.now();
    expect(flatten(unflatten(pairs))).toHaveLength(100_000);
    expect(performance.now() - start).toBeLessThan(5_000); // quadratic time would take minutes
  });
});
