import { describe, expect, it } from "vitest";
import { firstDifference, withValuesOf } from "../../../src/document/compare.ts";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  Timestamp,
  UnsignedInteger,
  type Mapping,
} from "../../../src/document/model.ts";

const one = (value: Parameters<typeof leaf>[0]): Mapping[] => [mapping([entry("a", leaf(value))])];
const cell = "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]";

describe("the first difference of two lists of trees", () => {
  it.each([
    { name: "the same", a: one("x"), b: one("x") },
    { name: "1 and 1.0, which the MAC does not tell apart", a: one(1), b: one(1n) },
    { name: "a time and its text", a: one(new Timestamp("2024-01-02T00:00:00Z")), b: one("2024-01-02T00:00:00Z") },
    { name: "a cell and the line break of its block scalar", a: one(cell), b: one(`${cell}\n`) },
    { name: "a comment more", a: one("x"), b: [mapping([comment("c"), entry("a", leaf("x"))])] },
  ])("none: $name", ({ a, b }) => {
    expect(firstDifference(a, b, { withComments: false })).toBeUndefined();
  });

  it.each([
    { name: "another value", a: one("x"), b: one("y"), path: ["a"] },
    { name: "a text with a line break more", a: one("x"), b: one("x\n"), path: ["a"] },
    { name: "true and its text", a: one(true), b: one("true"), path: ["a"] },
    { name: "-0 and 0", a: one(-0), b: one(0n), path: ["a"] },
    { name: "null and the empty text", a: one(null), b: one(""), path: ["a"] },
    {
      name: "an integer too large",
      a: one(new UnsignedInteger("18446744073709551615")),
      b: one("18446744073709551615"),
      path: ["a"],
    },
    { name: "another key", a: one("x"), b: [mapping([entry("b", leaf("x"))])], path: ["a"] },
    { name: "an entry less", a: [mapping([entry("a", leaf("x")), entry("b", leaf("y"))])], b: one("x"), path: [] },
    {
      name: "an item less",
      a: [mapping([entry("l", sequence([leaf("x"), leaf("y")]))])],
      b: [mapping([entry("l", sequence([leaf("x")]))])],
      path: ["l"],
    },
    {
      name: "another kind",
      a: [mapping([entry("a", mapping([]))])],
      b: [mapping([entry("a", sequence([]))])],
      path: ["a"],
    },
    { name: "a document more", a: one("x"), b: [...one("x"), ...one("x")], path: [] },
  ])("$name", ({ a, b, path }) => {
    expect(firstDifference(a, b, { withComments: true })).toEqual(path);
  });

  it("sees comments where it is told to", () => {
    const a = [mapping([comment(" one")])];
    expect(firstDifference(a, [mapping([comment(" two")])], { withComments: true })).toEqual([]);
    expect(firstDifference(a, [mapping([])], { withComments: false })).toBeUndefined();
  });
});

describe("values moved to other places", () => {
  const span = { start: 1, end: 2, style: "plain", indent: 0 } as const;

  it("keeps places and takes values", () => {
    const places = [mapping([comment("x"), entry("a", { ...leaf("cell"), span })])];
    const values = [mapping([comment("y"), entry("a", { ...leaf(1.5), text: "1.50" })])];
    expect(withValuesOf(places, values)).toEqual([
      mapping([comment("y"), entry("a", { ...leaf(1.5), text: "1.50", span })]),
    ]);
  });

  it.each([
    { name: "shapes", values: [mapping([entry("a", mapping([]))])] },
    { name: "lengths", values: [mapping([])] },
    { name: "numbers of documents", values: [] },
  ])("says so when the $name differ", ({ values }) => {
    expect(withValuesOf(one("x"), values)).toBeUndefined();
  });
});
