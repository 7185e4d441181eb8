import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entry, leaf, mapping, type Comment, type Leaf, type Mapping, type Node } from "../../../src/document/model.ts";
import { collectEdits, splice, type Edit, type Scribe } from "../../../src/formats/splice.ts";

describe("applying edits", () => {
  it.each<{ name: string; edits: Edit[]; result: string }>([
    { name: "none", edits: [], result: "abcdef" },
    { name: "replacements", edits: [{ start: 1, end: 3, text: "X" }], result: "aXdef" },
    {
      name: "in any order",
      edits: [
        { start: 4, end: 5, text: "Y" },
        { start: 0, end: 1, text: "" },
      ],
      result: "bcdYf",
    },
    {
      name: "insertions at one place, in their order",
      edits: [
        { start: 2, end: 2, text: "1" },
        { start: 2, end: 2, text: "2" },
      ],
      result: "ab12cdef",
    },
    { name: "at the end", edits: [{ start: 6, end: 6, text: "!" }], result: "abcdef!" },
  ])("$name", ({ edits, result }) => {
    expect(splice("abcdef", edits)).toBe(result);
  });

  it("refuses edits that overlap: better no file than a wrong one", () => {
    const edits = [
      { start: 0, end: 3, text: "x" },
      { start: 2, end: 4, text: "y" },
    ];
    expect(() => splice("abcdef", edits)).toThrow(expect.objectContaining({ code: "ERR_EMIT" }));
  });

  it("takes hundreds of thousands", () => {
    const text = "ab".repeat(300_000);
    const edits = Array.from({ length: 300_000 }, (_, index) => ({ start: 2 * index, end: 2 * index + 1, text: "x" }));
    expect(splice(text, edits)).toBe("xb".repeat(300_000));
  });
});

/** A tree whose nodes stand at the offsets of their numbers, and a scribe that notes what it is asked for. */
function place<T extends Node>(node: T, start: number): T {
  return { ...node, span: { start, end: start + 1, style: "plain", indent: 0 } };
}

function placedMapping(...values: readonly number[]): Mapping {
  const items = values.map((value, index) => ({
    ...entry(`k${String(value)}`, place(leaf(BigInt(value)), index)),
    span: { start: index, end: index + 1, style: "entry", indent: 0 } as const,
  }));
  return place(mapping(items), 100);
}

function noting(): Scribe & { notes: string[] } {
  const notes: string[] = [];
  const textOf = (node: Node | Comment): string =>
    node.kind === "leaf" && typeof node.value === "bigint" ? String(node.value) : node.kind;
  const edit = (text: string): Edit => ({ start: 0, end: 0, text });
  return {
    notes,
    scalar: (old, next, { entry: at }) =>
      edit((notes.push(`${at?.key ?? "-"}: ${textOf(old)} -> ${textOf(next)}`), "")),
    replace: (old, next) => edit((notes.push(`replace ${textOf(old)} by ${textOf(next)}`), "")),
    restructure: (_container, _place, steps) => {
      notes.push(steps.map((step) => (step.kind === "add" ? "add" : `${step.kind} ${String(step.index)}`)).join(", "));
      return [];
    },
  };
}

describe("finding what differs", () => {
  const before = placedMapping(1, 2, 3);
  const [first, second, third] = before.items;
  const changed = (item: Mapping["items"][number] | undefined, value: bigint): Mapping["items"][number] => {
    if (item?.kind !== "entry") throw new Error("no entry");
    return { ...item, value: { ...(item.value as Leaf), value } };
  };

  it.each<{ name: string; items: (typeof first)[]; notes: string[] }>([
    { name: "nothing, for the same tree", items: [first, second, third], notes: [] },
    { name: "nothing, for a copy", items: [{ ...(first as Mapping["items"][number]) }, second, third], notes: [] },
    { name: "a value", items: [first, changed(second, 9n), third], notes: ["k2: 2 -> 9"] },
    { name: "an entry less", items: [first, third], notes: ["keep 0, remove 1, keep 2"] },
    {
      name: "one more at the end",
      items: [first, second, third, entry("n", leaf(1n))],
      notes: ["keep 0, keep 1, keep 2, add"],
    },
    {
      name: "one more in front, and a value",
      items: [entry("n", leaf(1n)), first, second, changed(third, 7n)],
      notes: ["add, keep 0, keep 1, keep 2", "k3: 3 -> 7"],
    },
    {
      name: "one that moved: it goes and comes anew",
      items: [second, first, third],
      notes: ["remove 0, keep 1, add, keep 2"],
    },
    {
      name: "another kind",
      items: [first, { ...(second as Mapping["items"][number]), value: mapping([]) } as never, third],
      notes: ["replace 2 by mapping"],
    },
  ])("$name", ({ items, notes }) => {
    const scribe = noting();
    collectEdits([before], [{ ...before, items: items as Mapping["items"] }], scribe);
    expect(scribe.notes).toEqual(notes);
  });

  it("keeps, removes and adds so that the steps give the new items", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(9)), fc.array(fc.oneof(fc.nat(9), fc.constant(undefined))), (old, picks) => {
        const source = placedMapping(...old);
        const next = picks.map((pick) =>
          pick === undefined ? entry("new", leaf(0n)) : (source.items[pick] ?? entry("new", leaf(0n))),
        );
        let steps: readonly { kind: string; index?: number; item?: unknown }[] | undefined;
        const scribe: Scribe = { ...noting(), restructure: (_container, _place, given) => ((steps = given), []) };
        collectEdits([source], [{ ...source, items: next }], scribe);
        if (steps === undefined) return;
        const built = steps.flatMap((step) =>
          step.kind === "remove" ? [] : [step.kind === "keep" ? source.items[step.index ?? -1] : step.item],
        );
        expect(built).toEqual(next);
        const seen = steps.flatMap((step) => (step.kind === "add" ? [] : [step.index]));
        expect(seen).toEqual(source.items.map((_, index) => index));
      }),
    );
  });
});
