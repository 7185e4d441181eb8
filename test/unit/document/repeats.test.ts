import { describe, expect, it } from "vitest";
import { comment, entry, leaf, mapping, sequence, type Mapping } from "../../../src/document/model.ts";
import { firstRepeatedKey } from "../../../src/document/repeats.ts";

const many = Array.from({ length: 50 }, (_, index) => entry(`key${String(index)}`, leaf("x")));

describe("keys that repeat", () => {
  it.each<{ name: string; documents: Mapping[]; key: string | undefined }>([
    { name: "none", documents: [mapping([entry("a", leaf(1n)), entry("b", leaf(1n))])], key: undefined },
    { name: "one at the root", documents: [mapping([entry("a", leaf(1n)), entry("a", leaf(1n))])], key: "a" },
    {
      name: "one in a list",
      documents: [mapping([entry("l", sequence([mapping([entry("b", leaf(1n)), entry("b", leaf(1n))])]))])],
      key: "b",
    },
    { name: "one among many", documents: [mapping([...many, entry("key7", leaf("y"))])], key: "key7" },
    {
      name: "one in a later document",
      documents: [mapping(many), mapping([entry("c", leaf(1n)), entry("c", leaf(1n))])],
      key: "c",
    },
    {
      name: "comments are none",
      documents: [mapping([comment("a"), comment("a"), entry("", leaf(1n))])],
      key: undefined,
    },
  ])("$name", ({ documents, key }) => {
    expect(firstRepeatedKey(documents)?.key).toBe(key);
  });
});
