import { describe, expect, it } from "vitest";
import { loadStores } from "../../../src/config/load.ts";
import { SopsError } from "../../../src/errors.ts";
import { configOf, failureOf, keysOf, loadFrom, LOCATION, oneRule } from "./configs.ts";

const BOM = "\uFEFF";
const PREFIX = "error loading config: Could not unmarshal config file: .sops.yaml:";

describe("what a configuration may look like", () => {
  it.each([
    { name: "empty (CF-07)", text: "" },
    { name: "a comment", text: "# nothing yet\n" },
    { name: "null", text: "null\n" },
    { name: "an empty mapping", text: "{}\n" },
    { name: "null rules (CF-37)", text: "creation_rules:\n" },
    { name: "only other keys", text: "keys: [a]\nx-notes: {a: 1, a: 2}\n" },
  ])("has no rules: $name", async ({ text }) => {
    const config = await configOf(text);
    expect(config.creationRules).toBeUndefined();
    expect(config.warnings).toEqual([]);
  });

  it.each([
    { name: "an empty list (CF-37)", text: "creation_rules: []\n" },
    { name: "a list of null", text: "creation_rules:\n  -\n" },
  ])("has rules of which none matches: $name", async ({ text }) => {
    expect((await configOf(text)).creationRules).toEqual([]);
  });

  it.each([
    { name: "CRLF (CF-45)", text: oneRule("age: R1").replaceAll("\n", "\r\n") },
    { name: "a byte order mark (CF-45)", text: BOM + oneRule("age: R1") },
    { name: "a document marker", text: `---\n${oneRule("age: R1")}` },
    { name: "a second document, which is not read", text: `${oneRule("age: R1")}---\ncreation_rules: text\n` },
    { name: "flow style", text: "{creation_rules: [{age: R1}]}" },
    { name: "anchors under other keys (CF-40)", text: `keys:\n  - &k R1\n${oneRule("age: [*k]")}` },
    { name: "an anchor that is defined twice", text: `a: &k R0\nb: &k R1\n${oneRule("age: *k")}` },
    { name: "a merge", text: `x: &x {age: R1}\n${oneRule("<<: *x", "encrypted_suffix: s")}` },
    { name: "a merge with an own value", text: `x: &x {age: R9}\n${oneRule("<<: *x", "age: R1")}` },
    { name: "a merge of two, the first wins", text: `a: [&x {age: R1}, &y {age: R9}]\n${oneRule("<<: [*x, *y]")}` },
    { name: "a tag", text: `x: !foo 1\n${oneRule("age: !!str R1")}` },
    { name: "a key that is a number", text: `1: x\n${oneRule("age: R1")}` },
  ])("is understood: $name", async ({ text }) => {
    expect(await keysOf(text)).toEqual([["age:R1"]]);
  });

  it("does not take a quoted << for a merge", async () => {
    const { warnings } = await configOf(`x: &x {age: R1}\n${oneRule('"<<": *x')}`);
    expect(warnings).toEqual(['.sops.yaml:3:5: ignoring the unknown field "<<"']);
  });
});

describe("what is refused, with its place", () => {
  it.each([
    { name: "a syntax error (CF-41)", text: "creation_rules: [\n", at: "2:1: not valid YAML (bad indent)" },
    { name: "a tab", text: "creation_rules:\n\t- age: R1\n", at: "2:1: not valid YAML (tab as indent)" },
    { name: "an open quote", text: "a: 'secret\n", at: "2:1: not valid YAML (missing char)" },
    { name: "an unknown anchor", text: oneRule("age: *secret"), at: "2:10: unknown anchor" },
    { name: "an anchor in itself", text: "a: &a [*a]\n", at: "1:7: an anchor that contains itself" },
    {
      name: "a duplicate key (CF-47)",
      text: "creation_rules:\ncreation_rules:\n",
      at: '2:1: mapping key "creation_rules" already defined at line 1',
    },
    { name: "a duplicate unknown key", text: "x: 1\nx: 2\n", at: '2:1: mapping key "x" already defined at line 1' },
    {
      name: "a duplicate in a rule",
      text: oneRule("age: a", "age: b"),
      at: '3:5: mapping key "age" already defined at line 2',
    },
    {
      name: "a merge of text",
      text: oneRule("<<: text"),
      at: "2:9: map merge requires a mapping, or a list of mappings",
    },
    { name: "a list as key", text: oneRule("? [a]", ": b"), at: "2:7: expected text as a mapping's key" },
  ])("$name", async ({ text, at }) => {
    expect(await failureOf(configOf(text))).toMatchObject({ code: "ERR_CONFIG", message: PREFIX + at });
  });

  it.each([
    { style: "flow", text: "[".repeat(100_000) },
    { style: "block", text: "- ".repeat(100_000) },
  ])("$style collections nested too deeply", async ({ text }) => {
    const error = await failureOf(configOf(text));
    expect(error.code).toBe("ERR_CONFIG");
    expect(error.message).toMatch(/: not valid YAML \(resource exhaustion\)$/);
  });

  it("bytes that are not UTF-8", async () => {
    expect((await failureOf(configOf(Uint8Array.of(0x23, 0x80)))).message).toBe(
      `${PREFIX}1:1: the file is not UTF-8 text`,
    );
  });

  it("never tells what stood there", async () => {
    for (const text of ["a: 'hunter2", "hunter2: [", "hunter2", oneRule("age: *hunter2"), "- hunter2: {"])
      expect((await failureOf(configOf(text))).message).not.toContain("hunter2");
  });
});

describe("reading the file", () => {
  it("says which file is missing (CF-06, F13)", async () => {
    expect(await failureOf(loadFrom(null))).toMatchObject({
      code: "ERR_CONFIG",
      message: "could not read config file: .sops.yaml: no such file or directory",
    });
  });

  it("says why a file cannot be read (CF-48)", async () => {
    const error = new SopsError("ERR_READ", "x is a directory");
    expect(await failureOf(loadFrom(error))).toMatchObject({
      code: "ERR_CONFIG",
      message: "could not read config file: x is a directory",
    });
  });

  it("reads what is there", async () => {
    expect((await loadFrom(Buffer.from(oneRule("age: R1")))).creationRules).toHaveLength(1);
  });
});

describe("stores only", () => {
  const storesOf = (text: string): ReturnType<typeof loadStores> =>
    loadStores(LOCATION, { readFile: () => Buffer.from(text) });

  it("reads them without looking at keys (CF-43)", async () => {
    expect(await storesOf(`stores: {yaml: {indent: 2}}\n${oneRule("age: [1]")}`)).toEqual({ yaml: 2 });
  });

  it("does not look into rules", async () => {
    expect(await storesOf("creation_rules:\n  - age: nonsense\n")).toEqual({});
    expect(await storesOf("creation_rules:\n  - nonsense: true\n")).toEqual({});
  });

  it.each(["creation_rules: [", "creation_rules: text", "stores: ["])(
    "refuses %j, which decrypting warns of (I-37)",
    async (text) => {
      expect((await failureOf(storesOf(text))).code).toBe("ERR_CONFIG");
    },
  );
});

it("reads 10,000 rules in 10 MB within 2 s (F10)", async () => {
  const filler = "q".repeat(900);
  const rules = Array.from(
    { length: 10_000 },
    (_, index) => `  - path_regex: ^d${String(index)}/.*\\.yaml$\n    age: ${filler}\n`,
  );
  const text = `creation_rules:\n${rules.join("")}`;
  const start = performance.now();
  expect(await keysOf(text, "d9999/p.yaml")).toEqual([[`age:${filler}`]]);
  expect(performance.now() - start).toBeLessThan(2_000 * LOAD_ALLOWANCE);
});

/** The bound is for a machine that does nothing else; tests run beside each other. */
const LOAD_ALLOWANCE = 3;
