import fc from "fast-check";

/** A value with everything that a text can choose about it. */
type Shape =
  | { readonly kind: "scalar"; readonly text: string }
  | { readonly kind: "block"; readonly header: string; readonly lines: readonly string[] }
  | { readonly kind: "mapping" | "sequence"; readonly items: readonly ShapeItem[]; readonly layout: Layout };

interface ShapeItem {
  readonly before: readonly Filler[];
  readonly inline: string;
  readonly value: Shape;
}

/** Blanks more than the container, or on the line of the dash (`compact`), or at the column of the key (`indentless`). */
type Layout = "compact" | "indentless" | 1 | 2 | 4;

/** A blank line, or a comment some columns from where the next item starts. */
type Filler = "blank" | number;

const KEYS = ["a", "b c", '"c"', "'d'", "e:f", "1", "g", "~"];
const SCALARS = [
  ...["v", "x y", "'it''s'", '"d"', '"\\x41\\n"', "1", "1.50", "~", "true", "a:b", "x#y", "-1", "{}", "[]", ""],
  ...["2024-01-02", "ENC[AES256_GCM,data:a=,iv:b=,tag:c=,type:str]", "18446744073709551615"],
];

/** Texts of block YAML in any layout, with comments and blank lines in every place. */
export function yamlTexts(): fc.Arbitrary<string> {
  const { mapping } = fc.letrec<{ value: Shape; item: ShapeItem; mapping: Shape; sequence: Shape }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, depthSize: "medium" },
      fc.constantFrom(...SCALARS).map((text): Shape => ({ kind: "scalar", text })),
      fc.tuple(fc.constantFrom("|", "|-", "|+"), lines()).map(([header, texts]): Shape => {
        return { kind: "block", header, lines: texts };
      }),
      tie("mapping"),
      tie("sequence"),
    ),
    item: fc.record({
      before: fc.array(fc.constantFrom<Filler>("blank", "blank", 0, 0, 0, 2, -2, -4), { maxLength: 2 }),
      inline: fc.constantFrom("", "", "", " # i"),
      value: tie("value"),
    }),
    mapping: container(tie("item"), "mapping"),
    sequence: container(tie("item"), "sequence"),
  }));
  return fc
    .tuple(mapping, fc.option(mapping, { nil: undefined }), fc.constantFrom("\n", "\n", "\r\n"), fc.boolean())
    .map(([first, second, lineBreak, isEnded]) => {
      const rows = [...render(first, 0), ...(second === undefined ? [] : ["---", ...render(second, 0)])];
      return rows.join(lineBreak) + (isEnded ? lineBreak : "");
    });
}

function container(item: fc.Arbitrary<ShapeItem>, kind: "mapping" | "sequence"): fc.Arbitrary<Shape> {
  const layout = fc.constantFrom<Layout>("compact", "indentless", 1, 2, 4);
  return fc.tuple(fc.array(item, { minLength: 1, maxLength: 4 }), layout).map(([items, chosen]) => {
    return { kind, items, layout: chosen };
  });
}

function lines(): fc.Arbitrary<string[]> {
  // An indented first line would make the others end the block.
  return fc.array(fc.constantFrom("# no", "  deep", "", "t: u"), { maxLength: 2 }).map((rest) => ["text", ...rest]);
}

/** The rows of a collection whose items stand at a column. */
function render(shape: Shape, column: number): string[] {
  if (shape.kind !== "mapping" && shape.kind !== "sequence") return [];
  return shape.items.flatMap((item, index) => {
    const start = " ".repeat(column) + (shape.kind === "mapping" ? `${KEYS[index] ?? "z"}:` : "-");
    return [...item.before.map((filler) => fillerRow(filler, column)), ...renderItem(item, shape.kind, start, column)];
  });
}

function renderItem({ value, inline }: ShapeItem, parent: string, start: string, column: number): string[] {
  if (value.kind === "scalar") return [`${start}${value.text === "" ? "" : ` ${value.text}`}${inline}`];
  if (value.kind === "block") {
    return [`${start} ${value.header}${inline}`, ...value.lines.map((line) => " ".repeat(column + 2) + line)];
  }
  if (parent === "sequence" && value.layout === "compact") {
    const [first = "", ...rest] = render({ ...value, items: withoutFiller(value.items) }, column + 2);
    return [`${start} ${first.trimStart()}`, ...rest];
  }
  const isIndentless = value.layout === "indentless" && parent === "mapping" && value.kind === "sequence";
  const step = typeof value.layout === "number" ? value.layout : 2;
  return [start + inline, ...render(value, isIndentless ? column : column + step)];
}

function withoutFiller([first, ...rest]: readonly ShapeItem[]): ShapeItem[] {
  return first === undefined ? [] : [{ ...first, before: [] }, ...rest];
}

function fillerRow(filler: Filler, column: number): string {
  return filler === "blank" ? "" : `${" ".repeat(Math.max(0, column + filler))}# c`;
}

/** Lines with plausible contents at plausible columns: some of the texts are good YAML. */
export function yamlLines(): fc.Arbitrary<string> {
  const key = fc.constantFrom("a", "b", "c", "key d", '"q"', "'s'", "1", "e:f", "~", "true");
  const value = fc.constantFrom(
    ...["v", "'x'", '"y"', "1", "1.50", "{}", "[]", "# c", "v # c", '"y" # d', "- w", "|", "|-", "|+ # h", "v #", ""],
    ...['"\\n\\x41"', "'it''s'", "a:b", "x #y", "-1", "&z v", "*z", ">", "[1, 2]", "{a: 1} # f", "!!str 1", "x: y"],
  );
  const content = fc.oneof(
    { weight: 6, arbitrary: fc.tuple(key, value).map(([name, text]) => `${name}:${text === "" ? "" : ` ${text}`}`) },
    { weight: 2, arbitrary: fc.tuple(key, value).map(([name, text]) => `- ${name}: ${text}`) },
    { weight: 3, arbitrary: value.map((text) => `- ${text}`) },
    { weight: 2, arbitrary: fc.constantFrom("# comment", "#", "#c") },
    { weight: 1, arbitrary: fc.constantFrom("", "-", "- - u", "---", "...", "text", "--- # m", "? k", ": v") },
  );
  const line = fc.tuple(fc.constantFrom(0, 0, 0, 2, 2, 4, 1), content).map(([column, text]) => {
    return text === "" ? "" : " ".repeat(column) + text;
  });
  return fc
    .tuple(fc.array(line, { minLength: 1, maxLength: 9 }), fc.constantFrom("\n", "\n", "\r\n"), fc.boolean())
    .map(([texts, lineBreak, isEnded]) => texts.join(lineBreak) + (isEnded ? lineBreak : ""));
}

/** Any sequence of pieces that mean something to YAML. */
export function yamlPieces(): fc.Arbitrary<string> {
  const piece = fc.constantFrom(
    ...["a", "b", ": ", ":", "- ", "-", "\n", "\n", "\n  ", "\n    ", "\n\n", " ", "#", " # c", '"', "'", "|", "|2"],
    ...["{}", "[]", "[", "]", "{", "}", ",", "&x", "*x", "!t ", "? ", "\t", "\\", "\r\n", "---", "...", "%", "<<", "1"],
    ...["a: 1\n", "b:\n  ", "- c\n", "\n# d\n", "é", "\u{1f600}", "\u2028", "\x85", "\r", "~", "null"],
  );
  return fc.array(piece, { maxLength: 14 }).map((texts) => texts.join(""));
}
