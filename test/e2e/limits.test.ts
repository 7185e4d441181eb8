import { afterEach, describe, expect, it } from "vitest";
import { R1, identityFile } from "../support/keys.ts";
import { sandbox, type Sandbox } from "../support/sandbox.ts";

/** As deep as trees may be (safety.md, P26): a fresh process has the least room for them, as nothing is compiled yet. */
const DEEPEST = 2_000;

let box: Sandbox | undefined;
afterEach(() => {
  box?.remove();
  box = undefined;
});

const shapes: readonly { readonly name: string; readonly file: string; readonly text: (depth: number) => string }[] = [
  {
    name: "YAML mappings",
    file: "a.yaml",
    text: (depth) => {
      const keys = Array.from({ length: depth }, (_, level) => `${" ".repeat(level)}k:`);
      return `${keys.join("\n")} v\n`;
    },
  },
  { name: "YAML lists", file: "a.yaml", text: (depth) => `a:\n${"- ".repeat(depth - 1)}x\n` },
  {
    name: "YAML flow mappings",
    file: "a.yaml",
    text: (depth) => `a: ${"{b: ".repeat(depth - 1)}x${"}".repeat(depth - 1)}\n`,
  },
  { name: "JSON objects", file: "a.json", text: (depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}\n` },
  {
    name: "JSON lists",
    file: "a.json",
    text: (depth) => `{"a":${"[".repeat(depth - 1)}1${"]".repeat(depth - 1)}}\n`,
  },
];

describe.each(shapes)("$name", ({ file, text }) => {
  it(`may be ${String(DEEPEST)} deep, for every command`, async () => {
    box = sandbox({ [file]: text(DEEPEST) }, { SOPS_AGE_RECIPIENTS: R1, SOPS_AGE_KEY_FILE: identityFile("age1") });
    const other = file.endsWith("json") ? "yaml" : "json";
    for (const argv of [
      ["encrypt", "-i", file],
      ["set", file, '["z"]', '"v"'],
      ["unset", file, '["z"]'],
      ["rotate", "-i", file],
      ["decrypt", "--output-type", other, file],
      ["decrypt", "--layout", "reference", file],
      ["decrypt", "-i", file],
    ]) {
      expect(await box.run(...argv), argv[0]).toMatchObject({ status: 0, stderr: "" });
    }
    expect(box.read(file)).toBe(text(DEEPEST));
  });

  it.each([DEEPEST + 1, 100_000])("are refused with a place if they are %d deep", async (depth) => {
    // The block style would be gigabytes of indentation.
    const long = file === "a.yaml" && text(3).startsWith("k:") ? Math.min(depth, 3_000) : depth;
    box = sandbox({ [file]: text(long) }, { SOPS_AGE_RECIPIENTS: R1 });
    const result = await box.run("encrypt", "-i", file);
    expect(result).toMatchObject({ status: 2, stdout: "" });
    expect(result.stderr).toMatch(/line \d+, column \d+: .* nested more than 2000/);
  });
});
