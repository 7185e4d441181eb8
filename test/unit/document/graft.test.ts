import { describe, expect, it } from "vitest";
import { graft } from "../../../src/document/graft.ts";
import {
  comment,
  entry,
  leaf,
  mapping,
  sequence,
  type Leaf,
  type Mapping,
  type Span,
} from "../../../src/document/model.ts";

const span = (start: number): Span => ({ start, end: start + 1, style: "plain", indent: 0 });
const placed = (value: Leaf["value"], start: number): Leaf => ({ kind: "leaf", value, span: span(start) });

describe("laying a new tree over an old one", () => {
  const old = mapping([
    comment(" c"),
    entry("mac", placed("one", 1)),
    entry("version", placed(3.13, 2)),
    entry("gone", placed("x", 3)),
  ]);

  it("keeps old nodes whose text is the same, old places for others, and the old order", () => {
    const next = mapping([entry("version", leaf("3.13")), entry("mac", leaf("two")), entry("added", leaf("y"))]);
    const result = graft(old, next) as Mapping;
    expect(result.items).toEqual([
      comment(" c"),
      entry("mac", placed("two", 1)),
      old.items[2], // a number in the file, a text in the record: the same to a reader
      entry("added", leaf("y")),
    ]);
    expect(result.items[2]).toBe(old.items[2]);
  });

  it("keeps what is empty", () => {
    const empty = mapping([entry("kms", sequence([])), entry("pgp", leaf(null)), entry("age", leaf("x"))]);
    expect(graft(empty, mapping([]))).toEqual(mapping([entry("kms", sequence([])), entry("pgp", leaf(null))]));
  });

  it("goes through lists by position, past comments", () => {
    const list = sequence([comment(" first"), placed("a", 1), placed("b", 2)]);
    expect(graft(list, sequence([leaf("a"), leaf("c"), leaf("d")]))).toEqual(
      sequence([comment(" first"), placed("a", 1), placed("c", 2), leaf("d")]),
    );
    expect(graft(list, sequence([leaf("a")]))).toEqual(sequence([comment(" first"), placed("a", 1)]));
  });

  it("takes the new node where the kinds differ", () => {
    expect(graft(placed("x", 1), mapping([]))).toEqual(mapping([]));
  });

  it("tells null from its text", () => {
    expect(graft(placed(null, 1), leaf("null"))).toEqual(placed("null", 1));
  });
});
