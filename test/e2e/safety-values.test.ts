// The faults V1 to V16 of values and paths: what set, unset and extract take, refuse, and give back.
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { AGE1, CANARY } from "../support/workbench.ts";

const PLAIN = `map:
    key: ${CANARY}
list:
    - only
word: text
`;

let box: Sandbox;
let encrypted: string | undefined;

beforeEach(async () => {
  if (encrypted === undefined) {
    box = sandbox(
      { ".sops.yaml": `creation_rules:\n  - age: ${AGE1}\n`, "a.yaml": PLAIN, key: fixture("keys/age1.txt") },
      { SOPS_AGE_KEY_FILE: "key" },
    );
    expect(await box.run("encrypt", "-i", "a.yaml")).toMatchObject({ status: 0 });
    encrypted = box.read("a.yaml");
  }
  box.write("a.yaml", encrypted);
});

afterAll(() => {
  box.remove();
});

const extract = (path: string): Promise<RunResult> => box.run("decrypt", "--extract", path, "a.yaml");

/** The cell of a top-level key. */
const cellOf = (key: string): string => new RegExp(`^${key}: (ENC.*)$`, "m").exec(box.read("a.yaml"))?.[1] ?? "";

const REFUSED = [1, 2, 7, 91];

describe("set", () => {
  it("V1 stores integers as they are", async () => {
    expect(await box.run("set", "a.yaml", '["word"]', "9007199254740993")).toMatchObject({ status: 0 });
    expect((await extract('["word"]')).stdout.trim()).toBe("9007199254740993");
  });

  it.each(["word", "{", '"open', "'a'", "1 2"])("V2 refuses the value %s: 7", async (value) => {
    expect(await box.run("set", "a.yaml", '["word"]', value)).toMatchObject({ status: 7, stdout: "" });
    expect(box.read("a.yaml")).toBe(encrypted);
  });

  it.each(['["]', "[]", "[", "a", '["a"', '["a"]x'])("V3 refuses the path %s", async (path) => {
    for (const argv of [
      ["set", "a.yaml", path, "1"],
      ["unset", "a.yaml", path],
      ["decrypt", "--extract", path, "a.yaml"],
    ]) {
      const result = await box.run(...argv);
      expect(REFUSED).toContain(result.status);
      expect(result.stdout).toBe("");
    }
    expect(box.read("a.yaml")).toBe(encrypted);
  });

  it.each([
    ["V4", '["list"][-1]'],
    ["V5", '["list"]["x"]'],
    ["V5", '["map"][0]'],
  ])("%s refuses %s, as unset and extract do", async (_id, path) => {
    for (const argv of [
      ["set", "a.yaml", path, "1"],
      ["unset", "a.yaml", path],
      ["decrypt", "--extract", path, "a.yaml"],
    ]) {
      const result = await box.run(...argv);
      expect(REFUSED, argv.join(" ")).toContain(result.status);
      expect(result.stdout).toBe("");
      expect(result.stderr).not.toContain(CANARY);
    }
    expect(box.read("a.yaml")).toBe(encrypted);
  });

  it.each([
    ["V5", '["word"]["x"]', '["word"]["x"]'],
    ["V6", '["list"][99]', '["list"][1]'],
  ])("%s writes %s as the reference does, and unset and extract refuse it", async (_id, path, written) => {
    for (const argv of [
      ["unset", "a.yaml", path],
      ["decrypt", "--extract", path, "a.yaml"],
    ])
      expect(REFUSED).toContain((await box.run(...argv)).status);
    expect(await box.run("set", "a.yaml", path, '"new"')).toMatchObject({ status: 0 });
    expect(await extract(written)).toMatchObject({ status: 0, stdout: "new" });
  });

  it.each(['["a[b"]', '["a]b"]', '["a.b"]', '["a\\"b"]', '["é\u0301"]'])(
    "V7, V15 reaches the key of %s",
    async (path) => {
      expect(await box.run("set", "a.yaml", path, '"there"')).toMatchObject({ status: 0 });
      expect(await extract(path)).toMatchObject({ status: 0, stdout: "there" });
      expect(await box.run("unset", "a.yaml", path)).toMatchObject({ status: 0 });
    },
  );

  it.each(['["__proto__"]["x"]', '["constructor"]["prototype"]["x"]'])("V8, P39 takes %s for data", async (path) => {
    expect(await box.run("set", "a.yaml", path, '"there"')).toMatchObject({ status: 0 });
    expect(await extract(path)).toMatchObject({ status: 0, stdout: "there" });
  });

  it("V9 refuses the place of the metadata: 203", async () => {
    expect(await box.run("set", "a.yaml", '["sops"]', "1")).toMatchObject({ status: 203 });
    expect(box.read("a.yaml")).toBe(encrypted);
  });

  it("V10 does not write what is there, with --idempotent", async () => {
    expect(await box.run("set", "--idempotent", "a.yaml", '["word"]', '"text"')).toMatchObject({ status: 0 });
    expect(box.read("a.yaml")).toBe(encrypted);
  });

  it("V11 unset of what is not there: 1, and 0 with --idempotent", async () => {
    expect(await box.run("unset", "a.yaml", '["none"]')).toMatchObject({ status: 1 });
    expect(await box.run("unset", "--idempotent", "a.yaml", '["none"]')).toMatchObject({ status: 0 });
    expect(box.read("a.yaml")).toBe(encrypted);
  });

  it("V13, P25 draws a new IV whenever the bytes or the type differ", async () => {
    const seen = new Map<string, string>();
    for (const value of ["-0.0", "0.0", "0", '"0"', "1", '"1"', "true", '"True"', '"2024-01-01T00:00:00Z"']) {
      expect(await box.run("set", "a.yaml", '["word"]', value)).toMatchObject({ status: 0 });
      const iv = /iv:([^,]*)/.exec(cellOf("word"))?.[1] ?? "";
      expect(iv).not.toBe("");
      expect(seen.has(iv), `${value} after ${seen.get(iv) ?? ""}`).toBe(false);
      seen.set(iv, value);
    }
  });

  it("V16 takes 10 MB from standard input", async () => {
    const value = "x".repeat(10 * 1024 * 1024);
    const result = await box.start(["leafcrypt", "set", "--value-stdin", "a.yaml", '["word"]'], {
      input: `"${value}"`,
    });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect((await extract('["word"]')).stdout.length).toBe(value.length);
  });

  it("V14 gives strange texts back, as value and as key", async () => {
    const strange = [
      ...[
        "",
        " ",
        "undefined",
        "null",
        "NaN",
        "-0",
        "1e1000",
        "0x0",
        "__proto__",
        "' OR 1=1 --",
        "<script>",
        "${HOME}",
      ],
      ...[
        "田中さん",
        "👩‍👩‍👧",
        "‮right",
        "\u200b",
        "\u00a0",
        "%s%n",
        "{{ x }}",
        "---",
        "...",
        "- a",
        "a: b",
        "#c",
        "*d",
        "&e",
        "!f",
        "|",
        ">",
        "@g",
        "`h",
      ],
    ];
    for (const text of strange) {
      const path = `[${JSON.stringify(`k${text}`)}]`;
      expect(await box.run("set", "a.yaml", path, JSON.stringify(text)), path).toMatchObject({ status: 0 });
      expect(await extract(path), path).toMatchObject({ status: 0, stdout: text });
    }
  }, 60_000);
});
