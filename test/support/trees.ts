import fc from "fast-check";
import { comment, entry, leaf, mapping, sequence, Timestamp } from "../../src/document/model.ts";
import type { Comment, Entry, Leaf, Mapping, Node, Scalar } from "../../src/document/model.ts";
import { parseRfc3339 } from "../../src/go/time.ts";

/** Any value of the format but null. */
export function scalars(): fc.Arbitrary<Scalar> {
  return fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true }),
    fc.boolean(),
    times(),
    fc
      .uint8Array({ minLength: 1 })
      .filter((bytes) => !isText(bytes))
      .map((bytes) => new Uint8Array(bytes)),
  );
}

function isText(bytes: Uint8Array): boolean {
  return Buffer.from(Buffer.from(bytes).toString("utf8"), "utf8").equals(Buffer.from(bytes));
}

function times(): fc.Arbitrary<Timestamp> {
  return fc
    .date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true })
    .map((date) => new Timestamp(parseRfc3339(date.toISOString()) ?? "2024-01-02T03:04:05Z"));
}

/** Keys as people and attackers write them. */
export function keys(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.string({ minLength: 1, maxLength: 8 }),
    fc.constantFrom("a", "b", "password", "x_unencrypted", "data", "__proto__", "constructor", "1", "a:b", "true"),
  );
}

function comments(): fc.Arbitrary<Comment> {
  return fc.string({ unit: "grapheme-ascii", maxLength: 12 }).map((text) => comment(text));
}

function leaves(): fc.Arbitrary<Leaf> {
  return fc.option(scalars(), { nil: null, freq: 8 }).map((value) => leaf(value));
}

/** Any document: mappings and lists in each other, with comments among the items. */
export function documents(): fc.Arbitrary<Mapping> {
  const { document } = fc.letrec<{ node: Node; document: Mapping; list: Node }>((tie) => ({
    node: fc.oneof({ maxDepth: 4, depthSize: "small" }, leaves(), tie("document"), tie("list")),
    list: fc
      .array(fc.oneof({ weight: 5, arbitrary: tie("node") }, { weight: 1, arbitrary: comments() }), { maxLength: 4 })
      .map(sequence),
    document: fc
      .array(fc.oneof({ weight: 5, arbitrary: entries(tie("node")) }, { weight: 1, arbitrary: comments() }), {
        maxLength: 5,
      })
      .map((items) => mapping(withoutRepeatedKeys(items))),
  }));
  return document;
}

function entries(values: fc.Arbitrary<Node>): fc.Arbitrary<Entry> {
  return fc.tuple(keys(), values).map(([key, value]) => entry(key, value));
}

function withoutRepeatedKeys(items: readonly (Entry | Comment)[]): (Entry | Comment)[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    if (item.kind === "comment") return true;
    const isNew = !seen.has(item.key);
    seen.add(item.key);
    return isNew;
  });
}

/** Any value of JSON. Objects are made by definition, not assignment, which a frozen prototype refuses for `valueOf`. */
export function jsonValues(): fc.Arbitrary<unknown> {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, depthSize: "small" },
      fc.string({ unit: "grapheme" }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie("value"), { maxLength: 4 }),
      tie("object"),
    ),
    object: objectsOf(tie("value")),
  }));
  return value;
}

/** Objects with any names, those of `Object.prototype` among them. */
export function objectsOf(values: fc.Arbitrary<unknown>): fc.Arbitrary<Record<string, unknown>> {
  const name = fc.oneof({ weight: 5, arbitrary: fc.string({ unit: "grapheme" }) }, { weight: 1, arbitrary: keys() });
  const pairs = fc.uniqueArray(fc.tuple(name, values), { maxLength: 5, selector: ([key]) => key });
  return pairs.map((entriesOfObject) => Object.fromEntries(entriesOfObject));
}
