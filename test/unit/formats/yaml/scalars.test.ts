import { describe, expect, it } from "vitest";
import { entry, leaf, mapping, sequence } from "../../../../src/document/model.ts";
import { emitYaml } from "../../../../src/formats/yaml/emit.ts";
import { scalarText } from "../../../../src/formats/yaml/scalars.ts";
import { vectors } from "../../../support/vectors.ts";
import { fromNotation } from "./trees.ts";

const AT_ROOT = { column: 0, content: 4 };

function emit(document: ReturnType<typeof mapping>, indent?: number): string {
  return Buffer.from(emitYaml([document], indent === undefined ? {} : { indent })).toString("utf8");
}

interface StringCase {
  readonly value: string;
  readonly emitted: string;
  readonly reference_roundtrip_broken?: true;
}

const stringSection = vectors("yaml_string_emission") as { indent: number; cases: StringCase[] };

describe("strings, as the reference writes them", () => {
  const cases = stringSection.cases.filter((vector) => vector.reference_roundtrip_broken !== true);

  it("has all vectors but the one that loses its value", () => {
    expect(cases).toHaveLength(142);
  });

  it.each(cases)("$value", ({ value, emitted }) => {
    expect(emit(mapping([entry("k", leaf(value))]), stringSection.indent)).toBe(emitted);
  });
});

describe("keys, as the reference writes them", () => {
  const { cases } = vectors("yaml_key_emission") as { cases: { key: string; emitted: string }[] };
  const document = (key: string) =>
    mapping([entry(key, leaf("v")), entry("z", mapping([entry(key, sequence([leaf("w")]))]))]);

  it.each(cases.filter(({ key }) => key !== "<<"))("$key", ({ key, emitted }) => {
    expect(emit(document(key))).toBe(emitted);
  });

  // The reference writes `!!merge <<` here too, and then cannot read its own file.
  it("quotes << where its value cannot be merged", () => {
    expect(emit(document("<<"))).toBe('"<<": v\nz:\n    "<<":\n        - w\n');
  });

  it("leaves << a merge key where its value can be merged", () => {
    const map = mapping([entry("a", leaf(1n))]);
    expect(emit(mapping([entry("<<", map), entry("b", mapping([entry("<<", sequence([map]))]))]))).toBe(
      "!!merge <<:\n    a: 1\nb:\n    !!merge <<:\n        - a: 1\n",
    );
  });
});

describe("plain scalars keep their type", () => {
  interface ScalarCase {
    readonly scalar: string;
    readonly value: unknown;
    readonly emitted?: string;
  }
  const cases = vectors("yaml_scalar_resolution") as ScalarCase[];

  it.each(cases.filter(({ emitted }) => emitted !== undefined))("$scalar", ({ value, emitted }) => {
    const node = fromNotation(value);
    expect(node.kind === "leaf" && scalarText(node.value, AT_ROOT)).toBe(emitted);
  });
});

describe("where the reference loses data", () => {
  it("double-quotes lines that start with a tab", () => {
    expect(scalarText("\tx\ny", AT_ROOT)).toBe('"\\tx\\ny"');
  });

  it.each([
    { name: "in a list", document: { l: [" a\nb"] }, text: "l:\n    - |2-\n       a\n      b\n" },
    {
      name: "in a map in a list",
      document: { l: [{ k: " a\nb" }] },
      text: "l:\n    - k: |2-\n         a\n        b\n",
    },
    { name: "after a line break", document: { l: ["\na"] }, text: "l:\n    - |2-\n\n      a\n" },
  ])("gives a literal block the digit of its indentation $name", ({ document, text }) => {
    expect(emit(mapping([entry("l", fromNotation({ list: listOf(document.l) }))]))).toBe(text);
  });
});

function listOf(items: readonly (string | { readonly k: string })[]): unknown[] {
  return items.map((item) => (typeof item === "string" ? { str: item } : { map: [["k", { str: item.k }]] }));
}

describe("bytes that are not UTF-8", () => {
  const bytes = (size: number) => new Uint8Array(size).fill(0x80);

  it("are base64 on the line of their key", () => {
    expect(scalarText(bytes(1), AT_ROOT)).toBe("!!binary gA==");
  });

  it("are cut into lines of 70 characters", () => {
    const [header, first = "", second = ""] = scalarText(bytes(60), AT_ROOT).split("\n");
    expect([header, first.length, second.length]).toEqual(["!!binary |", 74, 14]);
  });
});

it("writes a cell plain, whatever a plain scalar would have to avoid elsewhere", () => {
  const cell = "ENC[AES256_GCM,data:KkDwEw==,iv:pHGT+A/=,tag:DGu9==,type:str]";
  expect(scalarText(cell, AT_ROOT)).toBe(cell);
});

it.each(["ENC[a: b]", "ENC[a #b]", "ENC[\u{1F600}]", "ENC[a\nb]"])("does not take %j for a cell", (text) => {
  expect(scalarText(text, AT_ROOT)).not.toBe(text);
});
