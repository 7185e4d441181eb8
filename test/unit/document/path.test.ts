import { describe, expect, it } from "vitest";
import { comment, entry, leaf, mapping, sequence, type Mapping } from "../../../src/document/model.ts";
import {
  formatTreePath,
  hasNodeAt,
  nodeAt,
  parseTreePath,
  withNodeAt,
  withoutNodeAt,
} from "../../../src/document/path.ts";

const parse = (text: string) => parseTreePath(text, "ERR_PATH");

describe("reading a path (cli-behaviour.md 1.9)", () => {
  it.each([
    ["", ""],
    ['["a"]', '["a"]'],
    ["['a']", '["a"]'],
    ['["a"]["b"][0]', '["a"]["b"][0]'],
    ["[+3]", "[3]"],
    ['["a]b"]', '["a]b"]'],
    ['["a["]', '["a["]'],
    ['["a.b c"]', '["a.b c"]'],
    ['["say \\"hi\\""]', '["say \\"hi\\""]'],
    ['["tab\\there"]', '["tab\\there"]'],
  ])("%s", (text, formatted) => {
    expect(formatTreePath(parse(text))).toBe(formatted);
  });

  it.each(["a", '["a"', '["a"]b', "[a]", "[]", '["]', "[-1]", "[1.5]", '["a"] ["b"]', "[99999999999]"])(
    "refuses %s",
    (text) => {
      expect(() => parse(text)).toThrow(expect.objectContaining({ code: "ERR_PATH" }));
    },
  );
});

const tree: Mapping = mapping([
  comment(" top"),
  entry("a", mapping([entry("b", leaf(1n)), entry("back\\slash", leaf("x"))])),
  entry(
    "l",
    sequence([
      comment(" in list"),
      leaf("zero"),
      mapping([entry("k", leaf(true))]),
      comment(" inline", true),
      leaf("two"),
    ]),
  ),
]);

describe("finding a node", () => {
  it.each([
    ['["a"]["b"]', leaf(1n)],
    ['["l"][0]', leaf("zero")],
    ['["l"][1]["k"]', leaf(true)],
    ['["l"][2]', leaf("two")],
    ['["a"]["back\\slash"]', leaf("x")], // the literal text of a key comes before its escapes
    ["", tree],
  ])("%s", (path, node) => {
    expect(nodeAt(tree, parse(path))).toEqual(node);
    expect(hasNodeAt(tree, parse(path))).toBe(true);
  });

  it.each([
    ['["x"]', /component \['x'\] not found/],
    ['["a"]["x"]', /\["a"\]\["x"\]/],
    ['["l"][3]', /component \[3\] accesses out of bounds/],
    ['["a"][0]', /is integer, but tree part is not a slice/],
    ['["a"]["b"]["c"]', /component \['c'\] not found/],
    ['["l"]["k"]', /not found/],
  ])("%s leads nowhere", (path, message) => {
    expect(() => nodeAt(tree, parse(path))).toThrow(message);
    expect(hasNodeAt(tree, parse(path))).toBe(false);
  });
});

describe("setting a node", () => {
  it.each([
    { path: '["a"]["b"]', then: '["a"]["b"]' },
    { path: '["new"]', then: '["new"]' },
    { path: '["a"]["c"]["d"]', then: '["a"]["c"]["d"]' },
    { path: '["n"][7]["k"]', then: '["n"][0]["k"]' },
    { path: '["l"][1]', then: '["l"][1]' },
    { path: '["l"][99]', then: '["l"][3]' },
    { path: '["a"]["b"]["under a value"]', then: '["a"]["b"]["under a value"]' },
  ])("$path", ({ path, then }) => {
    const result = withNodeAt(tree, parse(path), leaf("set"));
    expect(nodeAt(result, parse(then))).toEqual(leaf("set"));
    expect(tree.items).toHaveLength(3);
  });

  it("leaves every other node the same object", () => {
    const result = withNodeAt(tree, parse('["a"]["b"]'), leaf("set"));
    expect(result.items[0]).toBe(tree.items[0]);
    expect(result.items[2]).toBe(tree.items[2]);
  });

  it.each(['["l"]["k"]', '["a"][0]', ""])("refuses %j", (path) => {
    expect(() => withNodeAt(tree, parse(path), leaf("set"))).toThrow(expect.objectContaining({ code: "ERR_PATH" }));
  });
});

describe("removing a node", () => {
  it("takes an entry out and leaves the comments above it", () => {
    expect(withoutNodeAt(tree, parse('["a"]')).items).toEqual([tree.items[0], tree.items[2]]);
  });

  it("takes an item's inline comment with it", () => {
    const list = nodeAt(withoutNodeAt(tree, parse('["l"][2]')), parse('["l"]'));
    expect(list).toMatchObject({ items: [{ text: " in list" }, { value: "zero" }, { kind: "mapping" }] });
  });

  it.each([
    ['["x"]', /Key not found: x/],
    ['["l"][9]', /Index 9 out of bounds/],
    ['["a"]["b"]["c"]', /Unsupported type/],
    ['["l"]["k"]', /Key not found: k/],
  ])("%s is not there", (path, message) => {
    expect(() => withoutNodeAt(tree, parse(path))).toThrow(message);
  });

  it("refuses the empty path", () => {
    expect(() => withoutNodeAt(tree, [])).toThrow(expect.objectContaining({ code: "ERR_PATH" }));
  });
});
