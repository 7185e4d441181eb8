import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identityFile, R1, R2 } from "../support/keys.ts";
import { fixture, sandbox, type Sandbox } from "../support/sandbox.ts";

/** How options and arguments are read (cli-behaviour.md 12), in our own face; that of sops is in the transcripts. */

const files = ["e.yaml", "e.json", "e.env", "p.yaml", "badmac.yaml"] as const;
/** What `e.yaml` holds, as the reference laid it out. */
const plain = [
  ...["a: 1", "b: text", "flag: true", "list:", "    - x", '    - "y"', "map:", "    k: v"],
  ...["n_unencrypted: plain", ""],
].join("\n");

let box: Sandbox;

beforeEach(() => {
  const content = Object.fromEntries(files.map((name) => [name, fixture(`transcripts/files/${name}`)]));
  box = sandbox(content, { SOPS_AGE_KEY_FILE: identityFile("age1") });
});

afterEach(() => {
  box.remove();
});

function usageError(text: string): object {
  return { status: 1, stdout: "", stderr: expect.stringContaining(text) as string };
}

describe("I-01 options after FILE in the older style", () => {
  it("are read", async () => {
    expect(await box.run("-d", "e.yaml", "--extract", '["b"]')).toMatchObject({ status: 0, stdout: "text" });
  });

  it("are refused where they are unknown, so that nothing is printed by mistake", async () => {
    expect(await box.run("-d", "e.yaml", "--extrat", '["b"]')).toMatchObject(usageError("did you mean --extract?"));
  });
});

describe("I-02 a switch takes no operand along", () => {
  it("before FILE and a further option", async () => {
    const { stdout } = await box.run("decrypt", "--ignore-mac", "e.yaml", "--output-type", "json");
    expect(JSON.parse(stdout)).toMatchObject({ b: "text" });
  });

  it("between operands", async () => {
    const before = box.read("e.yaml");
    expect(await box.run("set", "e.yaml", "--idempotent", '["b"]', '"text"')).toMatchObject({ status: 0, stdout: "" });
    expect(box.read("e.yaml")).toBe(before);
  });
});

describe.each(["leafcrypt", "sops"])("I-03 a mistyped command, by %s", (name) => {
  it.each([["decrpyt"], ["decrpyt", "e.yaml"], ["encyrpt"], ["updatekey"]])("%s %s", async (...argv) => {
    const result = await box.start([name, ...argv], { env: { EDITOR: "touch started" } });
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toMatch(/did you mean (decrypt|encrypt|updatekeys)\?/u);
    expect([box.exists("started"), box.exists(argv[0])]).toEqual([false, false]);
  });

  it("or another word that is no file, by leafcrypt", async () => {
    for (const argv of [["status"], ["status", "e.yaml"]]) {
      const result = await box.start(["leafcrypt", ...argv], { env: { EDITOR: "touch started" } });
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toContain("unknown command");
      expect(box.exists("started")).toBe(false);
    }
  });

  it("is the file of that name where there is one", async () => {
    box.write("decrpyt", box.read("e.yaml"));
    const argv = [name, "--input-type", "yaml", "--output-type", "yaml", "decrpyt"];
    expect(await box.start(argv, { env: { EDITOR: "true" } })).toMatchObject({ status: 200 });
  });
});

describe("I-04 options before the command", () => {
  it("hold for it", async () => {
    expect(await box.run("decrypt", "badmac.yaml")).toMatchObject({ status: 51 });
    expect(await box.run("--ignore-mac", "decrypt", "badmac.yaml")).toMatchObject({ status: 0 });
  });

  it("are refused where they mean nothing", async () => {
    expect(await box.run("--ignore-mac", "encrypt", "p.yaml")).toMatchObject(usageError("--ignore-mac has no meaning"));
  });
});

describe("I-05 options that the reference wants elsewhere", () => {
  it.each([
    { option: ["--encrypted-comment-regex", "enc"], stored: "encrypted_comment_regex: enc" },
    { option: ["--unencrypted-comment-regex", "clear"], stored: "unencrypted_comment_regex: clear" },
    { option: ["--mac-only-encrypted"], stored: "mac_only_encrypted: true" },
  ])("$option.0 stands after encrypt", async ({ option, stored }) => {
    box.write("c.yaml", "# enc this\na: 1\n# clear this\nb: 2\n");
    const result = await box.run("encrypt", "--age", R1, ...option, "c.yaml");
    expect(result).toMatchObject({ status: 0, stdout: expect.stringContaining(stored) as string });
  });

  it("--config, --indent and --verbose stand after the command", async () => {
    box.write("c.yaml", `creation_rules:\n  - age: ${R1}\n`);
    const result = await box.run("encrypt", "--config", "c.yaml", "--indent", "2", "--verbose", "p.yaml");
    expect(result).toMatchObject({ status: 0, stdout: expect.stringContaining("\n  k: ENC[") as string });
    expect(result.stderr).toContain("c.yaml");
  });
});

describe("I-06 options that the reference's commands lack", () => {
  it.each<{ argv: readonly string[]; stdout?: string }>([
    { argv: ["rotate", "--ignore-mac", "badmac.yaml"] },
    { argv: ["exec-env", "--ignore-mac", "badflat.env", 'printf %s "$A"'], stdout: "1" },
    { argv: ["exec-env", "--input-type", "dotenv", "copy", 'printf %s "$B"'], stdout: "text" },
    { argv: ["exec-file", "--ignore-mac", "--no-fifo", "badmac.yaml", "grep -c text {}"], stdout: "1\n" },
    { argv: ["set", "--filename-override", "x.yaml", "copy.txt", '["b"]', "1"], stdout: "" },
    { argv: ["unset", "--filename-override", "x.yaml", "copy.txt", '["b"]'], stdout: "" },
    { argv: ["groups", "add", "--input-type", "yaml", "-f", "copy.txt", "--age", R2] },
    {
      argv: ["updatekeys", "--decryption-order", "age", "--filename-override", "x.yaml", "-y", "copy.txt"],
      stdout: "",
    },
  ])("$argv", async ({ argv, stdout }) => {
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1}\n`);
    box.write("copy", box.read("e.env"));
    box.write("copy.txt", box.read("e.yaml"));
    box.write("badflat.env", box.read("e.env").replace(/^sops_mac=.*\n/mu, ""));
    const result = await box.run(...argv);
    expect(result).toMatchObject({ status: 0, ...(stdout === undefined ? {} : { stdout }) });
  });
});

describe("I-07 names of types", () => {
  it.each([
    ["yml", "e.yaml"],
    ["env", "e.env"],
  ])("%s is a synonym", async (type, file) => {
    box.write("copy", box.read(file));
    expect(await box.run("decrypt", "--input-type", type, "copy")).toMatchObject({ status: 0 });
  });

  it.each(["leafcrypt", "sops"])("others are refused by %s, and the names listed", async (name) => {
    const result = await box.start([name, "decrypt", "--input-type", "toml", "e.yaml"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("yaml, json, dotenv, ini, binary");
  });
});

describe("I-08 a dash", () => {
  it("is standard input and standard output", async () => {
    const argv = ["leafcrypt", "decrypt", "--input-type", "yaml", "--output", "-", "-"];
    expect(await box.start(argv, { input: box.read("e.yaml") })).toMatchObject({ status: 0, stdout: plain });
  });

  it("names a file as ./-", async () => {
    box.write("-", box.read("e.yaml"));
    expect(await box.run("decrypt", "--input-type", "yaml", "./-")).toMatchObject({ status: 0, stdout: plain });
  });
});

describe.skipIf(process.platform === "win32")("I-09 exec-env and exec-file", () => {
  it("run a program with its arguments after two dashes, without a shell", async () => {
    const argv = ["exec-env", "e.env", "--", "printf", "%s|%s", "$B", "two words"];
    expect(await box.run(...argv)).toMatchObject({ status: 0, stdout: "$B|two words" });
    expect(await box.run("exec-file", "--no-fifo", "e.env", "--", "cat", "{}")).toMatchObject({
      stdout: "A=1\nB=text\n",
    });
  });

  it("say what is missing", async () => {
    const { status, stderr } = await box.run("exec-env", "e.env", "printf", "%s");
    expect(status).toBe(1);
    expect(stderr).toContain("missing file to decrypt");
    expect(stderr).toContain("FILE -- program argument");
  });
});

describe("I-10 errors of groups, filestatus and keyservice", () => {
  it("are bare, with a status of their own", async () => {
    const withoutKey = { env: { SOPS_AGE_KEY_FILE: identityFile("age2") } };
    const added = await box.start(["sops", "groups", "add", "-f", "e.yaml", "--age", R2], withoutKey);
    expect(added).toMatchObject({ status: 128, stdout: "" });
    const status = await box.sops("filestatus", "nope.yaml");
    expect(status).toMatchObject({ status: 1, stdout: "" });
    for (const { stderr } of [added, status]) expect(stderr).not.toContain("level=fatal");
  });
});

describe("I-11 variables that are no boolean", () => {
  it("hurt only where they are used", async () => {
    const odd = { env: { SOPS_ENABLE_LOCAL_KEYSERVICE: "yes", SOPS_DISABLE_VERSION_CHECK: "yes" } };
    expect(await box.start(["leafcrypt", "filestatus", "e.yaml"], odd)).toMatchObject({ status: 0 });
    expect(await box.start(["leafcrypt", "decrypt", "e.yaml"], odd)).toMatchObject(
      usageError("SOPS_ENABLE_LOCAL_KEYSERVICE takes true or false"),
    );
  });

  it("count as unset when they are empty", async () => {
    const env = { SOPS_ENABLE_LOCAL_KEYSERVICE: "", SOPS_DISABLE_VERSION_CHECK: "" };
    expect(await box.start(["leafcrypt", "decrypt", "e.yaml"], { env })).toMatchObject({ status: 0, stdout: plain });
  });
});

describe("I-12 the version", () => {
  it.each(["leafcrypt", "sops"])("of %s is told without a request", async (name) => {
    // A request would go to a proxy that is not there, and say so.
    const env = { HTTPS_PROXY: "http://127.0.0.1:1", https_proxy: "http://127.0.0.1:1" };
    const result = await box.start([name, "--version"], { env });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\n$`, "u"));
  });
});

describe("I-51 no argument at all", () => {
  it.each(["leafcrypt", "sops"])("gets a hint from %s", async (name) => {
    const { status, stdout, stderr } = await box.start([name]);
    expect({ status, stdout }).toEqual({ status: 100, stdout: "" });
    expect(stderr.split("\n")[0]).toBe(name === "sops" ? "Error: no file specified" : "leafcrypt: no file specified");
    expect(stderr).toContain("--help");
  });
});

describe("I-52 editing a file that is not encrypted", () => {
  it.each(["leafcrypt", "sops"])("is explained by %s", async (name) => {
    const { status, stderr } = await box.start([name, "edit", "p.yaml"], { env: { EDITOR: "true" } });
    expect(status).toBe(1);
    expect(stderr).toContain("sops metadata not found");
    expect(stderr).toContain("encrypt it first");
  });
});

describe.skipIf(process.platform === "win32")("I-53 the editor", () => {
  it("is the first of vim, nano and vi where no variable names one", async () => {
    box.write("bin/vi", '#!/bin/sh\necho "z: vi" >> "$1"\n', 0o755);
    box.write("bin/nano", '#!/bin/sh\necho "z: nano" >> "$1"\n', 0o755);
    // VISUAL is not asked, as in the reference.
    const env = { PATH: join(box.dir, "bin"), VISUAL: "/bin/false", EDITOR: "", SOPS_EDITOR: "" };
    box.write("bin/sh", '#!/bin/sh\nexec /bin/sh "$@"\n', 0o755);
    expect(await box.start(["leafcrypt", "edit", "e.yaml"], { env })).toMatchObject({ status: 0 });
    expect((await box.run("decrypt", "e.yaml")).stdout).toContain("z: nano\n");
  });
});
