import { lstatSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { identityFile, R1, R2, R3, recipientOf } from "../support/keys.ts";
import { startRecorder } from "../support/recorder.ts";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

/** What changes files (cli-behaviour.md 12), in our own face; that of sops is in the transcripts. */

const plain = "a: 1\nb: text\nlist:\n    - x\n    # between\n    - y\nmap:\n    k: v\n";

interface Stored {
  readonly sops: {
    readonly age?: readonly { readonly recipient: string; readonly enc: string }[];
    readonly hc_vault?: readonly { readonly key_name: string; readonly created_at: string }[];
    readonly key_groups?: readonly { readonly age: readonly { readonly recipient: string }[] }[];
    readonly shamir_threshold?: number;
  };
}

let box: Sandbox;

beforeEach(async () => {
  box = sandbox({ "e.yaml": plain }, { SOPS_AGE_KEY_FILE: identityFile("age1") });
  expect(await box.run("encrypt", "-i", "--age", R1, "e.yaml")).toMatchObject({ status: 0, stderr: "" });
});

afterEach(() => {
  box.remove();
});

function stored(path = "e.yaml"): Stored["sops"] {
  return (parse(box.read(path)) as Stored).sops;
}

function recipients(path = "e.yaml"): readonly string[] {
  return stored(path).age?.map(({ recipient }) => recipient) ?? [];
}

async function decrypted(...args: readonly string[]): Promise<string> {
  return (await box.run("decrypt", ...args, "e.yaml")).stdout;
}

/** Three groups of which two are needed. */
const threeGroups = [
  "creation_rules:",
  "  - shamir_threshold: 2",
  "    key_groups:",
  ...[R1, R2, R3].map((recipient) => `      - age: [${recipient}]`),
  "",
].join("\n");

const isUnix = process.platform !== "win32";

describe.skipIf(!isUnix)("I-20 files that are written", () => {
  it("are for their owner only where they are in clear", async () => {
    expect(await box.start(["sh", "-c", "umask 022; leafcrypt decrypt --output o.yaml e.yaml"])).toMatchObject({
      status: 0,
    });
    expect(statSync(join(box.dir, "o.yaml")).mode & 0o777).toBe(0o600);
  });

  it("keep their mode, and what a link leads to", async () => {
    box.write("real/x.yaml", box.read("e.yaml"), 0o640);
    symlinkSync("real/x.yaml", join(box.dir, "link.yaml"));
    expect(await box.run("rotate", "-i", "link.yaml")).toMatchObject({ status: 0 });
    expect(lstatSync(join(box.dir, "link.yaml")).isSymbolicLink()).toBe(true);
    expect(statSync(join(box.dir, "real/x.yaml")).mode & 0o777).toBe(0o640);
    expect(box.read("real/x.yaml")).not.toBe(box.read("e.yaml"));
  });

  it("are as they were when the result cannot be made", async () => {
    const before = box.read("e.yaml");
    expect(await box.run("rotate", "-i", "--add-pgp", "0000", "e.yaml")).toMatchObject({ status: 1, stdout: "" });
    expect(box.read("e.yaml")).toBe(before);
  });
});

describe("I-21 groups add and delete", () => {
  it.each([
    { argv: ["add", "-i", "-f", "e.yaml", "--pgp", "0000"], says: "0000" },
    { argv: ["add", "-i", "-f", "e.yaml", "--age", "nonsense"], says: "unknown recipient type" },
    { argv: ["add", "-i", "-f", "e.yaml", "--hckms", "x"], says: "region:key-uuid" },
    { argv: ["add", "-i", "-f", "e.yaml"], says: "no key was given" },
    { argv: ["delete", "-i", "-f", "e.yaml", "9"], says: "no key group with index 9" },
    { argv: ["delete", "-i", "-f", "e.yaml", "0"], says: "nobody can open" },
  ])("refuse $argv", async ({ argv, says }) => {
    const before = box.read("e.yaml");
    const result = await box.run("groups", ...argv);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(says);
    expect(box.read("e.yaml")).toBe(before);
  });
});

describe("I-28 rotate", () => {
  it("adds a key once, and removes neighbours", async () => {
    await box.run("rotate", "-i", "--add-age", `${R2},${R1},${R3},${R2}`, "e.yaml");
    expect(recipients()).toEqual([R1, R2, R3]);
    await box.run("rotate", "-i", "--rm-age", `${R2},${R3}`, "e.yaml");
    expect(recipients()).toEqual([R1]);
  });

  it("adds to the group that --group counts", async () => {
    box.write(".sops.yaml", threeGroups);
    box.write("g.yaml", plain);
    await box.run("encrypt", "-i", "g.yaml");
    const both = { env: { SOPS_AGE_KEY_FILE: "", SOPS_AGE_KEY: [1, 2].map((n) => identityOf(n)).join("\n") } };
    const argv = ["leafcrypt", "rotate", "-i", "--group", "2", "--add-age", recipientOf("agepq"), "g.yaml"];
    expect(await box.start(argv, both)).toMatchObject({ status: 0 });
    expect(stored("g.yaml").key_groups?.map(({ age }) => age.length)).toEqual([1, 1, 2]);
    expect(await box.run("rotate", "--group", "3", "--add-age", R2, "e.yaml")).toMatchObject({ status: 1, stdout: "" });
  });

  it("dates the keys that wrapped anew", async () => {
    const vault = await startRecorder(({ body }) => {
      const { plaintext, ciphertext } = JSON.parse(body) as Readonly<Record<string, string>>;
      const data =
        plaintext === undefined ? { plaintext: ciphertext?.slice(9) } : { ciphertext: `vault:v1:${plaintext}` };
      return { body: JSON.stringify({ data }) };
    });
    const env = { VAULT_TOKEN: "t" };
    const key = `${vault.url}/v1/transit/keys/k`;
    await box.start(["leafcrypt", "rotate", "-i", "--add-hc-vault-transit", key, "e.yaml"], { env });
    box.write("e.yaml", box.read("e.yaml").replace(/created_at: ".*"/u, 'created_at: "2020-01-01T00:00:00Z"'));
    expect(await box.start(["leafcrypt", "rotate", "-i", "e.yaml"], { env })).toMatchObject({ status: 0 });
    await vault.stop();
    expect(stored().hc_vault?.[0]?.created_at).toMatch(/^20(?!20)/u);
  });
});

/** The text of one of the fixtures' identities. */
function identityOf(number: number): string {
  return fixture(`keys/age${String(number)}.txt`).toString();
}

describe("I-29 updatekeys", () => {
  it("honours the threshold of the rule", async () => {
    box.write(".sops.yaml", threeGroups);
    expect(await box.run("updatekeys", "-y", "e.yaml")).toMatchObject({ status: 0 });
    expect(stored().shamir_threshold).toBe(2);
  });

  it.each(["--check", "--dry-run"])("tells with %s whether keys would change, by its status", async (option) => {
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1}\n`);
    expect(await box.run("updatekeys", option, "e.yaml")).toMatchObject({ status: 0, stdout: "" });
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R2}\n`);
    const before = box.read("e.yaml");
    const result = await box.run("updatekeys", option, "e.yaml");
    expect(result).toMatchObject({ status: 10 });
    expect(result.stdout).toContain(`+++ ${R2}\n--- ${R1}\n`);
    expect(box.read("e.yaml")).toBe(before);
  });

  it("needs no key to check", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R2}\n`);
    const argv = ["leafcrypt", "updatekeys", "--check", "e.yaml"];
    expect(await box.start(argv, { env: { SOPS_AGE_KEY_FILE: "" } })).toMatchObject({ status: 10 });
  });

  it("goes through a folder with --recursive, past what is not encrypted", async () => {
    box.write("dir/a.yaml", box.read("e.yaml"));
    box.write("dir/deep/b.yaml", box.read("e.yaml"));
    box.write("dir/README.md", "ENC[ is how a cell begins\n");
    box.write("dir/plain.yaml", plain);
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1},${R2}\n`);
    expect(await box.run("updatekeys", "-y", "--recursive", "dir")).toMatchObject({ status: 0 });
    expect([recipients("dir/a.yaml"), recipients("dir/deep/b.yaml")]).toEqual([
      [R1, R2],
      [R1, R2],
    ]);
    expect(box.read("dir/plain.yaml")).toBe(plain);
  });

  it("keeps what unchanged keys wrapped, which need not be at hand", async () => {
    await box.run("rotate", "-i", "--add-age", R2, "e.yaml");
    const [first] = stored().age ?? [];
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1},${R3}\n`);
    expect(await box.run("updatekeys", "-y", "e.yaml")).toMatchObject({ status: 0 });
    expect(recipients()).toEqual([R1, R3]);
    expect(stored().age?.[0]).toEqual(first);
  });
});

describe("I-30 paths and values", () => {
  it.each([
    { argv: ["set", "e.yaml", '["k[0]"]', '"v"'], line: "k[0]: v\n" },
    { argv: ["set", "e.yaml", String.raw`["q\"uote\u0041"]`, '"v"'], line: 'q"uoteA: v\n' },
    { argv: ["set", "e.yaml", '["list"][1]', '"z"'], line: "    # between\n    - z\n" },
    { argv: ["unset", "e.yaml", '["list"][1]'], line: "    - x\n" },
    { argv: ["set", "e.yaml", '["a"]', "9007199254740993"], line: "a: 9007199254740993\n" },
    { argv: ["set", "e.yaml", '["a"]', "1.0"], line: "a: 1.0\n" },
    { argv: ["set", "e.yaml", '["b"]', '["p", {"q": [1]}]'], line: "b:\n    - p\n    - q:\n        - 1\n" },
  ])("$argv", async ({ argv, line }) => {
    expect(await box.run(...argv)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(await decrypted()).toContain(line);
  });

  it.each([
    { path: '["list"]["x"]', says: "a list takes an index" },
    { path: "[0]", says: "a mapping takes a key" },
    { path: "", says: "the path is empty" },
    { path: '["list"][-1]', says: "indices are whole numbers from 0" },
    { path: "b", says: `write the path as ["key"]` },
  ])("set refuses the path $path", async ({ path, says }) => {
    const before = box.read("e.yaml");
    const result = await box.run("set", "e.yaml", path, "1");
    expect(result).toMatchObject({ status: 7, stdout: "" });
    expect(result.stderr).toContain(says);
    expect(box.read("e.yaml")).toBe(before);
  });

  it("--document counts the documents of a file", async () => {
    box.write("m.yaml", "a: 1\n---\na: 2\n");
    await box.run("encrypt", "-i", "--age", R1, "m.yaml");
    const inSecond = ["--document", "1", "m.yaml"];
    expect(await box.run("set", ...inSecond, '["b"]', "3")).toMatchObject({ status: 0 });
    expect(await box.run("unset", ...inSecond, '["a"]')).toMatchObject({ status: 0 });
    expect(await box.run("decrypt", "m.yaml")).toMatchObject({ stdout: "a: 1\n---\nb: 3\n" });
    expect(await box.run("decrypt", "--extract", '["b"]', ...inSecond)).toMatchObject({ stdout: "3\n" });
    const beyond: RunResult = await box.run("decrypt", "--extract", '["b"]', "--document", "2", "m.yaml");
    expect(beyond).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("several FILEs", () => {
  it.each([
    { command: ["encrypt", "-i", "--age", R1], start: false },
    { command: ["decrypt", "-i"], start: true },
    { command: ["rotate", "-i"], start: true },
    { command: ["set"], behind: ['["new"]', '"value"'], start: true },
    { command: ["unset"], behind: ['["a"]'], start: true },
  ])("are worked on by $command.0, and a failure of one is told with its name", async ({ command, behind, start }) => {
    for (const name of ["a.yaml", "b.yaml"]) box.write(name, start ? box.read("e.yaml") : plain);
    const before = box.read("a.yaml");
    const result = await box.run(...command, "a.yaml", "nope.yaml", "b.yaml", ...(behind ?? []));
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain("leafcrypt: nope.yaml: ");
    expect(result.stderr).toContain("1 of 3 files failed");
    for (const name of ["a.yaml", "b.yaml"]) expect(box.read(name)).not.toBe(before);
  });

  it("are no business of the name sops, which takes one to set a value in", async () => {
    for (const name of ["a.yaml", "b.yaml"]) box.write(name, box.read("e.yaml"));
    expect(await box.sops("set", "a.yaml", "b.yaml", '["new"]', "1")).toMatchObject({ status: 100 });
    expect(box.read("a.yaml")).toBe(box.read("e.yaml"));
  });
});
