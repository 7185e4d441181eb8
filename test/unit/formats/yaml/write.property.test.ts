import fc from "fast-check";
import { expect, it } from "vitest";
import {
  entry,
  leaf,
  mapping,
  sequence,
  type Comment,
  type Entry,
  type Leaf,
  type Mapping,
  type Node,
} from "../../../../src/document/model.ts";
import { emitYaml } from "../../../../src/formats/yaml/emit.ts";
import { readYaml } from "../../../../src/formats/yaml/read.ts";
import { writeYaml } from "../../../../src/formats/yaml/write.ts";
import type { Source } from "../../../../src/formats/format.ts";
import { bare } from "../../../support/vectors.ts";
import { yamlTexts } from "./texts.ts";

/** Runs of each property: enough to find again what ten thousand runs found once. */
const RUNS = 200;

type Item = Entry | Node | Comment;

const encode = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

/** Reads a generated text; undefined for the few that are no YAML. */
function tryRead(text: string): Source | undefined {
  try {
    return readYaml(encode(text));
  } catch {
    return undefined;
  }
}

/** Strings that ask for every style, and what no style but double quotes can hold. */
const strings = fc.oneof(
  fc.constantFrom(
    "x",
    "x y",
    "",
    "123",
    "yes",
    "a: b",
    "a #b",
    "- a",
    "it's",
    '"',
    "<<",
    "\u{1F600}",
    "\t",
    " x",
    "x ",
  ),
  fc.constantFrom("a\nb", "a\nb\n", "a\n\n", "\na", " a\nb", "\ta\nb", "a \nb", "a\n b\n\n", "\n", "a\rb", "a\u2028b"),
  fc.string({
    maxLength: 12,
    unit: fc.constantFrom(...Array.from(" ab:#-'\"\n\t\\[]{},&*!|>%@`=~\u00e9\u{1F600}")),
  }),
);

const values: fc.Arbitrary<Leaf["value"]> = fc.oneof(
  { weight: 4, arbitrary: strings },
  fc.constantFrom<Leaf["value"]>(null, true, 42n, 1.5, "ENC[AES256_GCM,data:a=,iv:b=,tag:c=,type:str]"),
);

/** A value that stands in no text, at times a collection. */
const nodes: fc.Arbitrary<Node> = fc.oneof(
  { weight: 3, arbitrary: values.map((value) => leaf(value)) },
  values.map((value) => mapping([entry("n", leaf(value)), entry("o", sequence([leaf(1n), leaf(value)]))])),
  values.map((value) => sequence([leaf(value), mapping([entry("n", leaf(value))]), sequence([leaf(value)])])),
  fc.constantFrom<Node>(mapping([]), sequence([])),
);

interface Edit {
  readonly kind: "value" | "node" | "add" | "remove";
  /** Which of the places, as a share of all. */
  readonly place: number;
  readonly value: Leaf["value"];
  readonly node: Node;
}

const edits = (...kinds: readonly Edit["kind"][]) =>
  fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      place: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      value: values,
      node: nodes,
    }),
    { minLength: 1, maxLength: 4 },
  );

/** Applies an edit to one of the places where its kind can be. */
function apply(documents: readonly Mapping[], edit: Edit): readonly Mapping[] {
  const isPlace = (item: Item, parent: Item | undefined): boolean => {
    if (edit.kind === "add") return item.kind === "mapping" || item.kind === "sequence";
    if (parent === undefined || item.kind === "comment") return false;
    // A value in the place of nothing would make the comment on its line an inline one.
    if (edit.kind === "value")
      return item.kind === "leaf" && item.span !== undefined && item.span.start < item.span.end;
    return edit.kind === "remove" ? parent.kind !== "entry" : item.kind !== "entry";
  };
  let count = 0;
  documents.forEach((document) => {
    visit(document, undefined, (item, parent) => {
      if (isPlace(item, parent)) count += 1;
      return item;
    });
  });
  const chosen = Math.floor(edit.place * count);
  let seen = -1;
  return documents.map((document) => {
    const changed = visit(document, undefined, (item, parent) => {
      if (isPlace(item, parent)) seen += 1;
      if (seen !== chosen || !isPlace(item, parent)) return item;
      seen += 1;
      return changeAt(item, edit);
    });
    return changed as Mapping;
  });
}

function changeAt(item: Item, edit: Edit): Item | undefined {
  if (edit.kind === "remove") return undefined;
  if (edit.kind === "node") return edit.node;
  if (edit.kind === "value")
    return {
      ...leaf(edit.value),
      ...(item.span === undefined ? {} : { span: item.span }),
    };
  if (item.kind === "mapping") {
    const keys = item.items.map((old) => (old.kind === "entry" ? old.key : ""));
    const key = ["new", "newer", "newest", "last"].find((name) => !keys.includes(name)) ?? "";
    return { ...item, items: [...item.items, entry(key, edit.node)] };
  }
  return item.kind === "sequence" ? { ...item, items: [...item.items, edit.node] } : item;
}

/** A copy with items replaced, or dropped where `change` gives nothing; what is unchanged stays the same object. */
function visit(
  item: Item,
  parent: Item | undefined,
  change: (item: Item, parent: Item | undefined) => Item | undefined,
): Item | undefined {
  const changed = change(item, parent);
  if (changed !== item) return changed;
  if (item.kind === "entry") {
    const value = visit(item.value, item, change) as Node;
    return value === item.value ? item : { ...item, value };
  }
  if (item.kind !== "mapping" && item.kind !== "sequence") return item;
  const items = (item.items as readonly Item[]).map((inner) => visit(inner, item, change));
  if (items.every((inner, index) => inner === item.items[index])) return item;
  return {
    ...item,
    items: items.filter((inner) => inner !== undefined),
  } as Item;
}

/** The values of a tree alone. */
function withoutComments(document: Mapping): Mapping {
  return bare(visit(document, undefined, (item) => (item.kind === "comment" ? undefined : item)) as Mapping);
}

/** The texts of all comments, in the order of the text but for those that became inline. */
function commentsOf(document: Mapping): string[] {
  const texts: string[] = [];
  visit(document, undefined, (item) => {
    if (item.kind === "comment") texts.push(item.text);
    return item;
  });
  return texts;
}

/** The tree with what a value written in place of a cell in a literal block ends in. */
const asRead = (document: Mapping): Mapping =>
  visit(document, undefined, (item) => {
    if (item.kind !== "leaf" || typeof item.value !== "string" || !item.value.startsWith("ENC[")) return item;
    return { ...item, value: item.value.trimEnd() };
  }) as Mapping;

it.each([
  { name: "values", kinds: ["value"] as const },
  {
    name: "nodes of any kind",
    kinds: ["node"] as const,
  },
  { name: "added items", kinds: ["add"] as const },
  {
    name: "removed items",
    kinds: ["remove"] as const,
  },
  {
    name: "anything",
    kinds: ["value", "node", "add", "remove"] as const,
  },
])("reads back what it wrote: $name", ({ kinds }) => {
  fc.assert(
    fc.property(yamlTexts(), edits(...kinds), (text, changes) => {
      const source = tryRead(text);
      fc.pre(source !== undefined);
      const documents = changes.reduce(apply, source.documents);
      const written = readYaml(writeYaml(source, documents));
      if (kinds.every((kind) => kind === "value"))
        expect(written.documents.map(commentsOf)).toEqual(documents.map(commentsOf));
      expect(written.documents.map(asRead).map(withoutComments)).toEqual(documents.map(asRead).map(withoutComments));
    }),
    { numRuns: RUNS },
  );
});

it("writes the very text when nothing changes", () => {
  fc.assert(
    fc.property(yamlTexts(), (text) => {
      const source = tryRead(text);
      fc.pre(source !== undefined);
      expect(Buffer.from(writeYaml(source, source.documents)).toString("utf8")).toBe(text);
    }),
    { numRuns: RUNS },
  );
});

it("reads back what it emitted", () => {
  fc.assert(
    fc.property(fc.array(nodes, { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 9 }), (list, indent) => {
      const document = mapping(list.map((node, index) => entry(`k${String(index)}`, node)));
      const { documents } = readYaml(emitYaml([document], { indent }));
      expect(documents.map(bare)).toEqual([document].map(bare));
    }),
    { numRuns: RUNS },
  );
});
