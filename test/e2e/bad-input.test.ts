import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sandbox, type Sandbox } from "../support/sandbox.ts";
import { fixture } from "../support/vectors.ts";

const CANARY = "hunter2-canary";
const RECIPIENT = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const CONFIG = `creation_rules:\n  - age: ${RECIPIENT}\n`;

let box: Sandbox | undefined;
afterEach(() => {
  box?.remove();
  box = undefined;
});

function boxWith(files: Readonly<Record<string, string>>, identity = "age1"): Sandbox {
  box = sandbox({ ".sops.yaml": CONFIG, ".key": fixture(`keys/${identity}.txt`), ...files });
  box = { ...box };
  return box;
}

async function run(place: Sandbox, ...argv: readonly string[]) {
  return place.start(["leafcrypt", ...argv], { env: { SOPS_AGE_KEY_FILE: join(place.dir, ".key") } });
}

/** What cannot be encrypted: documented status, a place, no value, and the file as it was. */
describe.each([
  { name: "broken YAML", file: "a.yaml", text: `a: 1\nb: "${CANARY}\nc: d\n`, status: 2, place: /line \d/ },
  { name: "a repeated YAML key", file: "a.yaml", text: `a: ${CANARY}\nb: 2\na: 3\n`, status: 2, place: /line 3/ },
  {
    name: "a repeated key in a later document",
    file: "a.yaml",
    text: `a: 1\n---\nb: ${CANARY}\nb: 2\n`,
    status: 2,
    place: /line 4/,
  },
  { name: "a YAML list", file: "a.yaml", text: `- ${CANARY}\n`, status: 2, place: /line 1/ },
  { name: "an unknown alias", file: "a.yaml", text: `a: ${CANARY}\nb: *nope\n`, status: 2, place: /line 2/ },
  { name: "tabs as indentation", file: "a.yaml", text: `a:\n\tb: ${CANARY}\n`, status: 2, place: /line 2/ },
  { name: "an empty YAML file", file: "a.yaml", text: "", status: 92, place: /at least one document/ },
  { name: "a number as key", file: "a.yaml", text: `1: ${CANARY}\n`, status: 23, place: /\["1"\]/ },
  {
    name: "a number of more than 64 bits",
    file: "a.yaml",
    text: `s: ${CANARY}\nn: 18446744073709551615\n`,
    status: 23,
    place: /\["n"\]/,
  },
  { name: "truncated JSON", file: "a.json", text: `{"a": "${CANARY}", "l": [1, 2`, status: 2, place: /line 1/ },
  {
    name: "JSON with something after it",
    file: "a.json",
    text: `{"a": "${CANARY}"}\njunk`,
    status: 2,
    place: /line 2/,
  },
  { name: "a repeated JSON key", file: "a.json", text: `{"a": "${CANARY}",\n"a": 2}`, status: 2, place: /line 2/ },
  { name: "a JSON list", file: "a.json", text: `["${CANARY}"]`, status: 2, place: /top-level object/ },
  { name: "a dotenv line without =", file: "a.env", text: `A=1\n${CANARY}\n`, status: 2, place: /line 2/ },
  { name: "an INI line without =", file: "a.ini", text: `[s]\n${CANARY}\n`, status: 2, place: /line 2/ },
  {
    name: "a file that looks encrypted",
    file: "a.yaml",
    text: `a: ${CANARY}\nsops: {}\n`,
    status: 203,
    place: /'sops'/,
  },
])("encrypting $name", ({ file, text, status, place }) => {
  it("is refused with its place, and nothing changes", async () => {
    const place_ = boxWith({ [file]: text });
    const result = await run(place_, "encrypt", "-i", file);
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr).toMatch(place);
    expect(result.stderr).not.toContain(CANARY);
    expect(place_.read(file)).toBe(text);
  });
});

describe("an encrypted file", () => {
  async function encrypted(identity = "age1"): Promise<Sandbox> {
    const place = boxWith({ "a.yaml": `a: ${CANARY}\nb_unencrypted: open\nl:\n    - one\n    - two\n` });
    expect(await run(place, "encrypt", "-i", "a.yaml")).toMatchObject({ status: 0 });
    place.write(".key", fixture(`keys/${identity}.txt`));
    return place;
  }

  it.each<{ name: string; change: (text: string) => string; status: number; message: RegExp }>([
    {
      name: "an altered cell",
      change: (t) => t.replace(/data:(.)/, (_, c: string) => `data:${c === "A" ? "B" : "A"}`),
      status: 25,
      message: /\["a"\].*does not open/,
    },
    {
      name: "a clear value in a cell's place",
      change: (t) => t.replace(/^a: ENC.*$/m, "a: clear"),
      status: 25,
      message: /\["a"\].*not encrypted but should be/,
    },
    { name: "an altered clear value", change: (t) => t.replace("open", "shut"), status: 51, message: /MAC mismatch/ },
    {
      name: "swapped list items",
      change: (t) => t.replace(/( +- ENC.*\n)( +- ENC.*\n)/, "$2$1"),
      status: 51,
      message: /MAC mismatch/,
    },
    { name: "no MAC", change: (t) => t.replace(/^ *mac: .*\n/m, ""), status: 51, message: /no MAC/ },
    {
      name: "an altered date",
      change: (t) => t.replace(/lastmodified: "20../, 'lastmodified: "1999'),
      status: 51,
      message: /Cannot decrypt MAC/,
    },
    {
      name: "no date",
      change: (t) => t.replace(/lastmodified: ".*"/, 'lastmodified: "soon"'),
      status: 1,
      message: /lastmodified/,
    },
    {
      name: "no keys",
      change: (t) => t.replace(/^ *age:\n( +.*\n)*?(?= *lastmodified)/m, ""),
      status: 1,
      message: /No keys found in file/,
    },
    {
      name: "no metadata",
      change: (t) => t.slice(0, t.indexOf("sops:")),
      status: 1,
      message: /sops metadata not found/,
    },
    { name: "half of it", change: (t) => t.slice(0, t.length / 2), status: 1, message: /./ },
  ])("with $name is refused", async ({ change, status, message }) => {
    const place = await encrypted();
    const text = change(place.read("a.yaml"));
    place.write("a.yaml", text);
    for (const argv of [
      ["decrypt", "-i", "a.yaml"],
      ["rotate", "-i", "a.yaml"],
      ["set", "a.yaml", '["a"]', "1"],
    ]) {
      const result = await run(place, ...argv);
      expect(result).toMatchObject({ status, stdout: "" });
      expect(result.stderr).toMatch(message);
      expect(result.stderr).not.toContain(CANARY);
      expect(place.read("a.yaml")).toBe(text);
    }
  });

  it.each(["age2"])("does not open with another key (%s): 128, and the keys that would", async (identity) => {
    const place = await encrypted(identity);
    const before = place.read("a.yaml");
    const result = await run(place, "decrypt", "-i", "a.yaml");
    expect(result).toMatchObject({ status: 128, stdout: "" });
    expect(result.stderr).toContain(`${RECIPIENT}: FAILED`);
    expect(result.stderr).not.toMatch(/AGE-SECRET-KEY/);
    expect(place.read("a.yaml")).toBe(before);
  });

  it("is not encrypted twice", async () => {
    const place = await encrypted();
    expect(await run(place, "encrypt", "-i", "a.yaml")).toMatchObject({ status: 203, stdout: "" });
  });
});

describe("configuration", () => {
  it("names an unknown field and the nearest known one, with its place", async () => {
    const place = boxWith({
      "a.yaml": "a: 1\n",
      ".sops.yaml": `creation_rules:\n  - age: ${RECIPIENT}\n    encrypted_regx: ^a$\n`,
    });
    const result = await run(place, "encrypt", "a.yaml");
    expect(result.stderr).toMatch(/\.sops\.yaml:3:5.*encrypted_regx.*encrypted_regex/);
  });

  it.each([
    {
      name: "no rule for the file",
      config: `creation_rules:\n  - path_regex: ^prod/\n    age: ${RECIPIENT}\n`,
      message: /no matching creation rules found/,
    },
    { name: "no rules", config: "stores: {}\n", message: /no keys provided/ },
    { name: "a broken recipient", config: "creation_rules:\n  - age: age1nope\n", message: /\.sops\.yaml:2/ },
    {
      name: "a broken pattern",
      config: `creation_rules:\n  - path_regex: (\n    age: ${RECIPIENT}\n`,
      message: /can not compile regexp/,
    },
    {
      name: "a pattern that selects nothing",
      config: `creation_rules:\n  - encrypted_regex: ^nothing$\n    age: ${RECIPIENT}\n`,
      message: /nothing would be encrypted/,
    },
    {
      name: "a broken selection",
      config: `creation_rules:\n  - encrypted_regex: (\n    age: ${RECIPIENT}\n`,
      message: /can not compile regexp/,
    },
  ])("with $name refuses to encrypt", async ({ config, message }) => {
    const place = boxWith({ "a.yaml": `a: ${CANARY}\n`, ".sops.yaml": config });
    const result = await run(place, "encrypt", "-i", "a.yaml");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(message);
    expect(place.read("a.yaml")).toBe(`a: ${CANARY}\n`);
  });

  it("that is broken does not keep anybody from decrypting", async () => {
    const place = boxWith({ "a.yaml": "a: 1\n" });
    await run(place, "encrypt", "-i", "a.yaml");
    place.write(".sops.yaml", "stores: [\n");
    expect(await run(place, "decrypt", "a.yaml")).toMatchObject({ status: 0, stdout: "a: 1\n" });
  });
});

it("says what is missing when there is nothing to work on", async () => {
  const place = boxWith({});
  expect(await run(place, "decrypt", "nope.yaml")).toMatchObject({ status: 100, stdout: "" });
  expect(await run(place)).toMatchObject({ status: 100, stdout: "" });
});
