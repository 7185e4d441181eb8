import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/vectors.ts";

/** Where each section of the vectors is tested; what a test leaves out it names there, with its reason. */
const TESTED: Readonly<Record<string, string>> = {
  cells: "unit/document/cell.test.ts",
  cells_decrypt: "unit/document/cell.test.ts",
  json_numbers: "unit/formats/json.test.ts",
  mac: "interop/rules.test.ts",
  encryption_rules: "interop/rules.test.ts",
  shamir: "unit/bytes/shamir.test.ts",
  yaml_scalar_resolution: "unit/formats/yaml/read.test.ts",
  yaml_string_emission: "unit/formats/yaml/scalars.test.ts",
  yaml_key_emission: "unit/formats/yaml/scalars.test.ts",
  yaml_indentation: "unit/formats/yaml/emit.test.ts",
  yaml_comments: "unit/formats/yaml/read.test.ts",
  yaml_documents: "unit/formats/yaml/read.test.ts",
  yaml_block_scalar_indent_hint_bug: "unit/formats/yaml/emit.test.ts",
  json_documents: "unit/formats/json.test.ts",
  json_indentation: "unit/formats/json.test.ts",
  dotenv_documents: "unit/formats/dotenv.test.ts",
  ini_documents: "unit/formats/ini.test.ts",
  ini_value_emission: "unit/formats/ini.test.ts",
  cross_format: "unit/formats/fixtures.test.ts",
  metadata_emission: "unit/metadata/record.test.ts",
  files: "interop/files.test.ts",
};

/** What is no list of cases: the description, its notation, and the keys that the cases use. */
const NO_CASES = ["about", "typed_tree_notation", "test_keys"];

describe("format-vectors.json", () => {
  const sections = Object.keys(JSON.parse(fixture("format-vectors.json").toString()) as object);

  it("has no section without a test", () => {
    expect(sections.filter((name) => !NO_CASES.includes(name)).sort()).toEqual(Object.keys(TESTED).sort());
  });

  it.each(Object.entries(TESTED))("%s is read by %s", (section, file) => {
    expect(readFileSync(new URL(`../${file}`, import.meta.url), "utf8")).toMatch(new RegExp(`["._]${section}\\b`));
  });

  it("is read by tests that run", () => {
    for (const file of new Set(Object.values(TESTED))) {
      const folder = file.slice(0, file.lastIndexOf("/"));
      expect(readdirSync(new URL(`../${folder}`, import.meta.url))).toContain(file.slice(folder.length + 1));
    }
  });
});
