import { lstatSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

const keys = JSON.parse(fixture("keys/keys.json").toString()) as Record<string, { recipient: string }>;
const recipient = (name: string): string => keys[name]?.recipient ?? "";
const [ONE, TWO, THREE] = ["age1", "age2", "age3"].map(recipient) as [string, string, string];
const CONFIG = `creation_rules:\n  - age: ${ONE}\n`;

let box: Sandbox | undefined;
afterEach(() => {
  box?.remove();
});

/** Runs the program in both of its faces. */
type Run = (...args: readonly string[]) => Promise<RunResult>;

async function prepare(
  face: string,
  files: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
) {
  const at = sandbox({ ".sops.yaml": CONFIG, ...files, ".key": fixture("keys/age1.txt") });
  box = at;
  const all = { SOPS_AGE_KEY_FILE: join(at.dir, ".key"), ...env };
  const run: Run = (...args) => at.start([face, ...args], { env: all });
  for (const name of Object.keys(files)) {
    if (name.startsWith(".")) continue;
    expect(await at.start(["leafcrypt", "encrypt", "-i", name], { env: all })).toMatchObject({ status: 0 });
  }
  return { at, run };
}

const TEXT = "a: 1\nm:\n  k: v\nl:\n  # note\n  - x\n";

describe.each(["leafcrypt", "sops"])("improvements, as %s", (face) => {
  it("I-20 replaces files in one step, keeps links, and keeps plaintext to its owner", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    symlinkSync("a.yaml", join(at.dir, "link.yaml"));
    const before = statSync(join(at.dir, "a.yaml")).ino;
    expect(await run("rotate", "-i", "link.yaml")).toMatchObject({ status: 0 });
    expect(lstatSync(join(at.dir, "link.yaml")).isSymbolicLink()).toBe(true);
    expect(statSync(join(at.dir, "a.yaml")).ino).not.toBe(before);
    expect(await run("decrypt", "--output", "plain.yaml", "a.yaml")).toMatchObject({ status: 0 });
    expect(statSync(join(at.dir, "plain.yaml")).mode & 0o777).toBe(0o600);
  });

  it.each([
    { name: "a key that cannot wrap", args: ["groups", "add", "-i", "-f", "a.yaml", "--age", "age1nonsense"] },
    { name: "no key at all", args: ["groups", "add", "-i", "-f", "a.yaml"] },
    { name: "an index that is none", args: ["groups", "delete", "-i", "-f", "a.yaml", "7"] },
    { name: "the only group", args: ["groups", "delete", "-i", "-f", "a.yaml", "0"] },
  ])("I-21 groups fails before writing: $name", async ({ args }) => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    const before = at.read("a.yaml");
    expect((await run(...args)).status).not.toBe(0);
    expect(at.read("a.yaml")).toBe(before);
  });

  it("I-28 rotate adds a key once, and removes every one it is told to", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    expect(await run("rotate", "-i", "--add-age", `${TWO},${THREE},${TWO},${ONE}`, "a.yaml")).toMatchObject({
      status: 0,
    });
    const count = (key: string): number => at.read("a.yaml").split(`recipient: ${key}`).length - 1;
    expect([ONE, TWO, THREE].map(count)).toEqual([1, 1, 1]);
    expect(await run("rotate", "-i", "--rm-age", `${TWO},${THREE}`, "a.yaml")).toMatchObject({ status: 0 });
    expect([ONE, TWO, THREE].map(count)).toEqual([1, 0, 0]);
  });

  it("I-29 updatekeys honours the rule's threshold, and --check only tells", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    const groups = [ONE, TWO, THREE].map((key) => `      - age: [${key}]\n`).join("");
    at.write(".sops.yaml", `creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n${groups}`);
    const before = at.read("a.yaml");
    expect(await run("updatekeys", "--check", "a.yaml")).toMatchObject({ status: 10 });
    expect(at.read("a.yaml")).toBe(before);
    expect(await run("updatekeys", "-y", "a.yaml")).toMatchObject({ status: 0 });
    expect(at.read("a.yaml")).toMatch(/shamir_threshold: 2\n/);
    expect(await run("updatekeys", "--check", "a.yaml")).toMatchObject({ status: 0 });
  });

  it("I-30 paths reach what they name, and integers and lists can be set", async () => {
    const { run } = await prepare(face, { "a.yaml": `${TEXT}---\nb: 2\n` });
    expect(await run("set", "a.yaml", '["a["]', "[1, 2]")).toMatchObject({ status: 0 });
    expect(await run("set", "a.yaml", '["a"]', "9007199254740993")).toMatchObject({ status: 0 });
    expect(await run("set", "--document", "1", "a.yaml", '["b"]', "3")).toMatchObject({ status: 0 });
    expect(await run("decrypt", "--extract", '["a["][1]', "a.yaml")).toMatchObject({ stdout: "2\n" });
    expect(await run("decrypt", "--extract", '["a"]', "a.yaml")).toMatchObject({ stdout: "9007199254740993\n" });
    expect(await run("decrypt", "--document", "1", "--extract", '["b"]', "a.yaml")).toMatchObject({ stdout: "3\n" });
    expect(await run("set", "a.yaml", '["m"][0]', "1")).toMatchObject({ status: 7, stdout: "" });
    expect(await run("decrypt", "--extract", "[]", "a.yaml")).toMatchObject({ status: 91, stdout: "" });
  });

  it("I-31 an extracted mapping, or section, comes alone", async () => {
    const { run } = await prepare(face, { "a.yaml": `${TEXT}---\nb: 2\n`, "a.ini": "[s]\nk = v\n[t]\nz = 1\n" });
    expect(await run("decrypt", "--extract", '["m"]', "a.yaml")).toMatchObject({ status: 0, stdout: "k: v\n" });
    expect(await run("decrypt", "--extract", '["s"]', "a.ini")).toMatchObject({ status: 0, stdout: "k = v\n" });
  });

  it("I-32 an error names the path, never the value", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    at.write("a.yaml", at.read("a.yaml").replace(/^a: .*$/m, "a: hunter2"));
    const result = await run("decrypt", "a.yaml");
    expect(result).toMatchObject({ status: 25, stdout: "" });
    expect(result.stderr).toContain('["a"]');
    expect(result.stderr).not.toContain("hunter2");
  });

  it("I-34 a key that is given needs no rule", async () => {
    const { at, run } = await prepare(face, {});
    at.write(".sops.yaml", `creation_rules:\n  - path_regex: ^other/\n    age: ${ONE}\n`);
    at.write("a.yaml", TEXT);
    expect(await run("encrypt", "--age", ONE, "a.yaml")).toMatchObject({ status: 0 });
  });

  it("I-37 a broken configuration does not keep anybody from decrypting", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    at.write(".sops.yaml", "creation_rules: [\n");
    const result = await run("decrypt", "a.yaml");
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain(".sops.yaml");
  });

  it("I-38 says when keys of the environment take the place of the configuration's", async () => {
    const { at, run } = await prepare(face, {}, { SOPS_AGE_RECIPIENTS: TWO });
    at.write("a.yaml", TEXT);
    const result = await run("encrypt", "a.yaml");
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).toContain(TWO);
    expect(result.stdout).not.toContain(ONE);
    expect(result.stderr).toMatch(/environment.*--age/);
  });

  it("I-43 an empty key command counts as none, and one is run once for many files", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT, "b.yaml": TEXT });
    expect(await run("decrypt", "a.yaml")).toMatchObject({ status: 0 });
    const env = { SOPS_AGE_KEY_FILE: undefined, SOPS_AGE_KEY_CMD: `/bin/sh -c 'echo run >> runs; cat .key'` };
    expect(await at.start(["leafcrypt", "decrypt", "a.yaml", "b.yaml"], { env })).toMatchObject({ status: 0 });
    expect(at.read("runs")).toBe("run\n");
    const empty = { SOPS_AGE_KEY_CMD: "", SOPS_AGE_KEY_FILE: join(at.dir, ".key") };
    expect(await at.start([face, "decrypt", "a.yaml"], { env: empty })).toMatchObject({ status: 0 });
  });

  it("I-46 nothing but the document goes to standard output, whatever the file's version", async () => {
    const { at, run } = await prepare(face, { "a.yaml": "a: 1\n" });
    at.write("a.yaml", at.read("a.yaml").replace("version: 3.13.2", "version: 3.2.0"));
    expect(await run("decrypt", "a.yaml")).toMatchObject({ status: 0, stdout: "a: 1\n" });
  });

  it("I-55 a bad line in a key file costs only that line, and is named", async () => {
    const { at, run } = await prepare(face, { "a.yaml": TEXT });
    at.write(".key", `not a key\n  ${fixture("keys/age1.txt").toString().trim().split("\n").at(-1) ?? ""}  \n`);
    expect(await run("decrypt", "a.yaml")).toMatchObject({ status: 0 });
    at.write(".key", "not a key\n");
    const failed = await run("decrypt", "a.yaml");
    expect(failed.status).toBe(128);
    expect(failed.stderr).toMatch(/line 1|unknown identity type/);
    expect(failed.stderr).not.toContain("not a key");
  });

  it("I-58 an index of a list counts values, not comments", async () => {
    const { run } = await prepare(face, { "a.yaml": TEXT });
    expect(await run("decrypt", "--extract", '["l"][0]', "a.yaml")).toMatchObject({ status: 0, stdout: "x" });
    expect(await run("decrypt", "--extract", '["l"][1]', "a.yaml")).toMatchObject({ status: 1, stdout: "" });
  });
});

it("I-56 filestatus says which keys are due for rotation", async () => {
  const { at, run } = await prepare("leafcrypt", { "a.yaml": "a: 1\n" });
  const old = [
    "sops:",
    "    kms:",
    "        - arn: arn:aws:kms:us-east-1:1:key/x",
    '          created_at: "2020-01-01T00:00:00Z"',
    "          enc: QQ==",
    "",
  ].join("\n");
  at.write("a.yaml", at.read("a.yaml").replace("sops:\n", old));
  const { status, stdout } = await run("filestatus", "a.yaml");
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    encrypted: true,
    key_groups: [expect.arrayContaining([expect.objectContaining({ type: "kms", rotation_due: true })])],
  });
});
