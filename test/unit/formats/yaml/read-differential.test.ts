import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Mapping } from "../../../../src/document/model.ts";
import { FormatError } from "../../../../src/errors.ts";
import { readBlockYaml } from "../../../../src/formats/yaml/block-reader.ts";
import { hasUnusualCharacters } from "../../../../src/formats/yaml/characters.ts";
import { readGeneralYaml } from "../../../../src/formats/yaml/general-reader.ts";
import { vectors } from "../../../support/vectors.ts";
import { yamlLines, yamlPieces, yamlTexts } from "./texts.ts";

const FIXTURES = new URL("../../../../fixtures/", import.meta.url);

/** The documents, or the message of the FormatError. */
function outcome(read: () => readonly Mapping[] | undefined): readonly Mapping[] | string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return error.message;
    throw error;
  }
}

/** What both readers make of a text, as `readYaml` would call them; `block` is undefined if that one gives up. */
function both(text: string): { block: ReturnType<typeof outcome>; general: ReturnType<typeof outcome> } {
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const isUnusual = hasUnusualCharacters(text.slice(start));
  return {
    block: isUnusual ? undefined : outcome(() => readBlockYaml(text, start)),
    general: outcome(() => readGeneralYaml(text, start)),
  };
}

function expectOneMeaning(text: string): void {
  const { block, general } = both(text);
  if (block !== undefined) expect(general, JSON.stringify(text)).toEqual(block);
}

/** All texts in the vectors: every string below a section whose name starts with `yaml`, and those of files. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return value.includes("\n") ? [value] : [];
  return value === null || typeof value !== "object" ? [] : Object.values(value).flatMap(textsOf);
}

function filesIn(folder: string): string[] {
  return readdirSync(new URL(folder, FIXTURES))
    .filter((name) => /\.(?:ya?ml|YAML)$/.test(name))
    .map((name) => readFileSync(new URL(folder + name, FIXTURES), "utf8"));
}

const SECTIONS = [
  ...["yaml_comments", "yaml_documents", "yaml_string_emission", "yaml_key_emission", "yaml_indentation", "mac"],
  ...["yaml_block_scalar_indent_hint_bug", "metadata_emission", "files", "cross_format", "encryption_rules"],
];

describe("one meaning", () => {
  it.each(SECTIONS)("of every text in the vectors of %s", (section) => {
    for (const text of textsOf(vectors(section))) expectOneMeaning(text);
  });

  it.each(["interop/plain/", "interop/encrypted/"])("of every YAML file in %s", (folder) => {
    const files = filesIn(folder);
    expect(files.length).toBeGreaterThan(20);
    for (const text of files) expectOneMeaning(text);
  });

  it("of every file that was laid out by hand", () => {
    const relaid = JSON.parse(readFileSync(new URL("interop/relaid.json", FIXTURES), "utf8")) as {
      cases: { format: string; text: string }[];
    };
    for (const { text } of relaid.cases.filter((item) => item.format === "yaml")) expectOneMeaning(text);
  });

  it.each([
    ["good texts", yamlTexts()],
    ["random lines", yamlLines()],
    ["random pieces", yamlPieces()],
  ])("of %s", (_name, texts) => {
    fc.assert(fc.property(texts, expectOneMeaning), { numRuns: 2000 });
  });
});

describe("the block reader", () => {
  it("reads most files that the reference wrote", () => {
    const files = filesIn("interop/encrypted/");
    const read = files.filter((text) => typeof both(text).block === "object");
    expect(read.length).toBeGreaterThan(0.8 * files.length);
  });

  it("reads most good texts, so that the comparison means something", () => {
    const texts = fc.sample(yamlTexts(), { numRuns: 500, seed: 1 });
    expect(texts.filter((text) => typeof both(text).block === "object").length).toBeGreaterThan(400);
  });
});
