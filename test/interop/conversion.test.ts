import { describe, expect, it } from "vitest";
import { parseTreePath } from "../../src/document/path.ts";
import type { SelectionRule } from "../../src/document/selection.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { formatOfName } from "../../src/formats/registry.ts";
import type { Layout } from "../../src/operations/context.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { bench, policyOf } from "../support/operations.ts";
import { decryptWithSops, hasSops, sopsNote } from "../support/reference.ts";

/** One tree in every format that can hold it; binary holds a text under `data`, and nothing else. */
const TEXTS: Readonly<Record<FormatName, string>> = {
  yaml: "data:\n    a: x # c\n    b: two words\n",
  json: '{\n\t"data": {\n\t\t"a": "x",\n\t\t"b": "two words"\n\t}\n}\n',
  dotenv: "data=x\nother=two words\n",
  ini: "[data]\na = x\nb = two words\n",
  binary: "x",
};

/** What a text becomes in another format, or the error that says why it cannot. */
const CONVERTED: readonly {
  readonly from: FormatName;
  readonly to: FormatName;
  readonly then: string | RegExp;
}[] = [
  { from: "yaml", to: "json", then: TEXTS.json },
  { from: "yaml", to: "dotenv", then: /complex value in dotenv file; offending key data/ },
  { from: "yaml", to: "ini", then: ";  c\n[data]\na = x\nb = two words\n" },
  { from: "yaml", to: "binary", then: /data/ },
  { from: "json", to: "yaml", then: "data:\n    a: x\n    b: two words\n" },
  { from: "json", to: "dotenv", then: /complex value in dotenv file; offending key data/ },
  { from: "json", to: "ini", then: TEXTS.ini },
  { from: "json", to: "binary", then: /data/ },
  { from: "dotenv", to: "yaml", then: "data: x\nother: two words\n" },
  { from: "dotenv", to: "json", then: '{\n\t"data": "x",\n\t"other": "two words"\n}\n' },
  { from: "dotenv", to: "ini", then: /Section values should always be TreeBranches/ },
  { from: "dotenv", to: "binary", then: "x" },
  { from: "ini", to: "yaml", then: "DEFAULT: {}\ndata:\n    a: x\n    b: two words\n" },
  { from: "ini", to: "json", then: '{\n\t"DEFAULT": {},\n\t"data": {\n\t\t"a": "x",\n\t\t"b": "two words"\n\t}\n}\n' },
  { from: "ini", to: "dotenv", then: /complex value in dotenv file; offending key DEFAULT/ },
  { from: "ini", to: "binary", then: /data/ },
  { from: "binary", to: "yaml", then: "data: x\n" },
  { from: "binary", to: "json", then: '{\n\t"data": "x"\n}\n' },
  { from: "binary", to: "dotenv", then: "data=x\n" },
  { from: "binary", to: "ini", then: /Section values should always be TreeBranches/ },
];

function setup(from: FormatName, to: FormatName, selection?: SelectionRule) {
  const { choice, host } = bench(from);
  const policy = { ...policyOf("age1"), selection };
  const encryption = { ...choice, output: formatOfName(to), policy, strict: false, allowUnencrypted: false };
  return { host, encryption, decryption: { ...choice, output: formatOfName(to) } };
}

async function text(bytes: Promise<Uint8Array>): Promise<string> {
  return Buffer.from(await bytes).toString();
}

async function expectConversion(result: Promise<string>, then: string | RegExp): Promise<void> {
  if (typeof then === "string") expect(await result).toBe(then);
  else await expect(result).rejects.toMatchObject({ code: "ERR_EMIT", message: expect.stringMatching(then) as string });
}

describe.each(CONVERTED)("from $from to $to", ({ from, to, then }) => {
  const bytes = Buffer.from(TEXTS[from]);

  it("an encrypted file is decrypted", async () => {
    const encrypted = await encrypt(bytes, setup(from, from).encryption);
    await expectConversion(text(decrypt(encrypted, setup(from, to).decryption)), then);
  });

  // An encrypted binary file is JSON, which can hold any tree; that it is not what was meant shows when it is opened.
  it.skipIf(to === "binary")("a plain file is encrypted", async () => {
    const convert = async (): Promise<string> => {
      const encrypted = await encrypt(bytes, setup(from, to).encryption);
      return text(decrypt(encrypted, setup(to, to).decryption));
    };
    await expectConversion(convert(), then);
  });

  it.skipIf(!hasSops || to === "binary" || typeof then !== "string")(
    `what was encrypted is opened by sops (${sopsNote})`,
    async () => {
      const endings = { yaml: "yaml", json: "json", dotenv: "env", ini: "ini", binary: "bin" };
      const encrypted = await encrypt(bytes, setup(from, to).encryption);
      const { status, stdout } = decryptWithSops(`a.${endings[to]}`, encrypted);
      expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: then });
    },
  );
});

describe("one value", () => {
  it.each<{ format: FormatName; source: string; path: string; then: string | RegExp }>([
    { format: "yaml", source: "a:\n  b: [1, x]\n", path: '["a"]["b"][1]', then: "x" },
    { format: "yaml", source: "a:\n  b: [1, x]\n", path: '["a"]["b"]', then: "- 1\n- x\n" },
    { format: "yaml", source: "a:\n  b: [1, x]\n", path: '["a"]', then: "b:\n    - 1\n    - x\n" },
    { format: "json", source: '{"a": {"b": [1, "x"]}}', path: '["a"]["b"]', then: '[\n\t1,\n\t"x"\n]' },
    { format: "json", source: '{"a": {"b": [1, "x"]}}', path: '["a"]', then: '{\n\t"b": [\n\t\t1,\n\t\t"x"\n\t]\n}\n' },
    { format: "json", source: '{"a": {"b": [1.10, "x"]}}', path: '["a"]["b"][0]', then: "1.1" },
    { format: "dotenv", source: "A=1\nB=two\n", path: '["B"]', then: "two" },
    { format: "ini", source: "[s]\nk = v\n", path: '["s"]["k"]', then: "v" },
    { format: "ini", source: "[s]\nk = v\n", path: '["s"]', then: "k = v\n" },
    { format: "binary", source: "\0\xff", path: '["data"]', then: "\0\xff" },
  ])("is taken from $format: $path", async ({ format, source, path, then }) => {
    const bytes = Buffer.from(source, "latin1");
    const { encryption, decryption } = setup(format, format);
    const extract = parseTreePath(path, "ERR_EXTRACT_PATH");
    const result = await decrypt(await encrypt(bytes, encryption), { ...decryption, extract });
    expect(Buffer.from(result).toString("latin1")).toBe(then);
  });
});

describe("an indentation that is asked for", () => {
  it.each<{ format: FormatName; source: string; indent: number; then: string }>([
    { format: "yaml", source: "a:\n - b: 1\n", indent: 2, then: "a:\n  - b: 1\n" },
    { format: "yaml", source: "a:\n - b: 1\n", indent: 0, then: "a:\n    - b: 1\n" },
    { format: "json", source: '{"a": {"b": 1}}', indent: 2, then: '{\n  "a": {\n    "b": 1\n  }\n}\n' },
    { format: "json", source: '{"a": {"b": 1}}', indent: 0, then: '{\n"a": {\n"b": 1\n}\n}\n' },
    { format: "json", source: '{"a": {"b": 1}}', indent: -1, then: '{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n' },
  ])("is that of the text: $format, $indent", async ({ format, source, indent, then }) => {
    const { encryption, decryption } = setup(format, format);
    const encrypted = await encrypt(Buffer.from(source), encryption);
    expect(await text(decrypt(encrypted, { ...decryption, layout: "reference", style: { indent } }))).toBe(then);
  });

  it.each<{ format: FormatName; indent: number }>([
    { format: "yaml", indent: -1 },
    { format: "json", indent: -2 },
  ])("cannot be less than nothing: $format, $indent", async ({ format, indent }) => {
    const { encryption, decryption } = setup(format, format);
    const encrypted = await encrypt(Buffer.from(format === "yaml" ? "a: 1\n" : '{"a": 1}'), encryption);
    const result = decrypt(encrypted, { ...decryption, layout: "reference", style: { indent } });
    await expect(result).rejects.toMatchObject({ code: "ERR_EMIT" });
  });
});

/** The last table of file-format.md 4, and what else an output format cannot hold. */
describe("a clear value that would not survive is refused, naming its key and not its value", () => {
  it.each<{ what: string; from: FormatName; to: FormatName; source: string; layout?: Layout }>([
    { what: "the float -0.0", from: "yaml", to: "yaml", source: "a: -0.0\nb: x\n", layout: "reference" },
    { what: "the float -0.0", from: "json", to: "json", source: '{"a": -0.0, "b": "x"}', layout: "reference" },
    { what: "the float -0.0", from: "json", to: "yaml", source: '{"a": -0.0, "b": "x"}' },
    { what: "a bool", from: "yaml", to: "dotenv", source: "a: true\nb: x\n" },
    { what: "a bool", from: "yaml", to: "ini", source: "s:\n  a: true\n  b: x\n" },
    { what: "an integral float", from: "yaml", to: "dotenv", source: "a: 1.0\nb: x\n" },
    { what: "a float with an exponent", from: "yaml", to: "ini", source: "s:\n  a: 1e6\n  b: x\n" },
    { what: "null", from: "yaml", to: "dotenv", source: "a: null\nb: x\n" },
    { what: "null", from: "yaml", to: "ini", source: "s:\n  a: null\n  b: x\n" },
    { what: "a time with a fraction", from: "yaml", to: "dotenv", source: "a: 2024-01-02T03:04:05.5Z\nb: x\n" },
    { what: "a time with a fraction", from: "yaml", to: "ini", source: "s:\n  a: 2024-01-02T03:04:05.5Z\n  b: x\n" },
    { what: "a backslash and an n", from: "yaml", to: "dotenv", source: "a: 'canary\\nx'\nb: x\n" },
    { what: "a text in quotes", from: "yaml", to: "ini", source: "s:\n  a: '\"canary\"'\n  b: x\n" },
    { what: "a text that ends in a backslash", from: "yaml", to: "ini", source: "s:\n  a: 'canary\\'\n  b: x\n" },
    { what: "bytes that are no UTF-8", from: "yaml", to: "json", source: "a: !!binary /w==\nb: x\n" },
  ])("$what: $from to $to", async ({ from, to, source, layout = "keep" }) => {
    const { encryption } = setup(from, to, { kind: "encrypted_regex", pattern: "^b$" });
    const refusal = await encrypt(Buffer.from(source), { ...encryption, layout }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: "ERR_EMIT",
      message: expect.stringMatching(/\["a"\] does not survive/) as string,
    });
    expect(String(refusal)).not.toContain("canary");
  });

  it.each<{ what: string; from: FormatName; to: FormatName; source: string }>([
    { what: "an integer", from: "yaml", to: "dotenv", source: "a: 1\nb: x\n" },
    { what: "a float with a fraction", from: "yaml", to: "dotenv", source: "a: 1.5\nb: x\n" },
    { what: "a time", from: "yaml", to: "dotenv", source: "a: 2024-01-02T03:04:05Z\nb: x\n" },
    {
      what: "lines that begin with a blank, in a list",
      from: "json",
      to: "yaml",
      source: '{"a": [" x\\ny"], "b": "x"}',
    },
    { what: "lines that begin with a tab", from: "json", to: "yaml", source: '{"a": "\\tx\\ny", "b": "x"}' },
  ])("$what does survive: $from to $to", async ({ from, to, source }) => {
    const { encryption } = setup(from, to, { kind: "encrypted_regex", pattern: "^b$" });
    const encrypted = await encrypt(Buffer.from(source), encryption);
    expect(await text(decrypt(encrypted, setup(to, to).decryption))).toContain("x");
  });
});

describe("a notation that does not come back", () => {
  const source = "# c\na: 0x1F\nb: x\nc: 1_000\n";

  it("is told once a file, with its lines", async () => {
    const { encryption, host } = setup("yaml", "yaml");
    await encrypt(Buffer.from(source), encryption);
    expect(host.warnings).toEqual([expect.stringMatching(/^lines 2, 4: decrypting gives the same values in another/)]);
  });

  it("is refused if asked for", async () => {
    const { encryption } = setup("yaml", "yaml");
    const strict = encrypt(Buffer.from(source), { ...encryption, strict: true });
    await expect(strict).rejects.toMatchObject({ code: "ERR_STRICT" });
  });
});

describe("a selection that selects nothing", () => {
  const nothing: SelectionRule = { kind: "encrypted_regex", pattern: "^nothing$" };

  it("is an error", async () => {
    const { encryption } = setup("yaml", "yaml", nothing);
    await expect(encrypt(Buffer.from("a: 1\n"), encryption)).rejects.toMatchObject({ code: "ERR_NOTHING_ENCRYPTED" });
  });

  it("is none if it is meant", async () => {
    const { encryption } = setup("yaml", "yaml", nothing);
    const allowed = encrypt(Buffer.from("a: 1\n"), { ...encryption, allowUnencrypted: true });
    expect(await text(allowed)).toMatch(/^a: 1\nsops:\n/);
  });

  it.each(["{}\n", "a: {}\nb: []\n", 'a: ""\nb: null\n'])("is none if there are no values: %j", async (source) => {
    const { encryption } = setup("yaml", "yaml", nothing);
    expect(await text(encrypt(Buffer.from(source), encryption))).toMatch(/\bsops"?:/);
  });
});
