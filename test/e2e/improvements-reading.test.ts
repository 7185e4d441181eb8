import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identityFile, R1, R2 } from "../support/keys.ts";
import { fixture, sandbox, type Sandbox } from "../support/sandbox.ts";

/** What reads files and settings (cli-behaviour.md 12), in our own face; that of sops is in the transcripts. */

const CANARY = "hunter2-canary";
const plain = `a: 1\nb: ${CANARY}\nlist:\n    - x\n    # between\n    - y\nmap:\n    k: v\n`;

let box: Sandbox;

beforeEach(async () => {
  box = sandbox({ "e.yaml": plain }, { SOPS_AGE_KEY_FILE: identityFile("age1") });
  expect(await box.run("encrypt", "-i", "--age", R1, "e.yaml")).toMatchObject({ status: 0, stderr: "" });
});

afterEach(() => {
  box.remove();
});

/** Changes the encrypted file as somebody with an editor would. */
function tamper(change: (text: string) => string): void {
  box.write("e.yaml", change(box.read("e.yaml")));
}

describe("I-31 --extract", () => {
  it("prints only the selection of a file with several documents", async () => {
    box.write("m.yaml", "a:\n    b: 1\n---\nc: 2\n");
    await box.run("encrypt", "-i", "--age", R1, "m.yaml");
    expect(await box.run("decrypt", "--extract", '["a"]', "m.yaml")).toMatchObject({ status: 0, stdout: "b: 1\n" });
  });

  it("prints a section of an INI file", async () => {
    box.write("a.ini", "[s]\nk = v\n\n[t]\nl = w\n");
    await box.run("encrypt", "-i", "--age", R1, "a.ini");
    expect((await box.run("decrypt", "--extract", '["t"]', "a.ini")).stdout).toBe("l = w\n");
  });

  it("refuses an index on a mapping", async () => {
    expect(await box.run("decrypt", "--extract", '["map"][0]', "e.yaml")).toMatchObject({ status: 1, stdout: "" });
  });
});

describe("I-32 messages", () => {
  it.each<{ name: string; change: (text: string) => string }>([
    { name: "a value in clear where a cell should be", change: (text) => text.replace(/^b: .*$/mu, `b: ${CANARY}`) },
    { name: "a broken line", change: (text) => `${CANARY}: {\n${text}` },
    { name: "a repeated key", change: (text) => `b: ${CANARY}\n${text}` },
    { name: "a date that is none", change: (text) => text.replace(/lastmodified: .*/u, `lastmodified: "${CANARY}"`) },
  ])("about $name hold no value", async ({ change }) => {
    tamper(change);
    for (const name of ["leafcrypt", "sops"]) {
      const { status, stdout, stderr } = await box.start([name, "decrypt", "e.yaml"]);
      expect(status).not.toBe(0);
      expect(stdout + stderr).not.toContain(CANARY);
      expect(stderr).toMatch(/line \d|\["b"\]|lastmodified/u);
    }
  });
});

describe("I-34 explicit keys", () => {
  it("need no matching rule", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - path_regex: ^prod/\n    age: ${R2}\n`);
    box.write("p.yaml", plain);
    const { status, stdout } = await box.run("encrypt", "--age", R1, "p.yaml");
    expect({ status, isFor: stdout.includes(R1) }).toEqual({ status: 0, isFor: true });
  });
});

describe("I-35 the configuration", () => {
  it("is searched from the file where the working directory has none, and told with --verbose", async () => {
    box.write("sub/.sops.yaml", `creation_rules:\n  - age: ${R2}\n`);
    box.write("sub/p.yaml", plain);
    const result = await box.run("encrypt", "--verbose", "sub/p.yaml");
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).toContain(R2);
    expect(result.stderr).toContain("Using configuration file (config=sub/.sops.yaml)");
  });

  it("of the working directory is asked first", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1}\n`);
    box.write("sub/.sops.yaml", `creation_rules:\n  - age: ${R2}\n`);
    box.write("sub/p.yaml", plain);
    expect((await box.run("encrypt", "sub/p.yaml")).stdout).toContain(R1);
  });
});

describe("I-36 a field of a rule that is unknown", () => {
  it("is told, with the one that was meant", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1}\n    encrypted_regx: ^b$\n`);
    box.write("p.yaml", plain);
    const { stderr } = await box.run("encrypt", "p.yaml");
    expect(stderr).toMatch(/^leafcrypt: warning: .*encrypted_regx.*encrypted_regex/mu);
  });
});

describe("I-37 a broken configuration", () => {
  it.each([["decrypt"], ["rotate"], ["filestatus"]])("does not keep %s from its work", async (command) => {
    box.write(".sops.yaml", "stores: [\n");
    expect(await box.run(command, "e.yaml")).toMatchObject({ status: 0 });
  });
});

describe("I-38 keys of the environment", () => {
  it("replace those of the configuration, with a note", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1}\n`);
    box.write("p.yaml", plain);
    const result = await box.start(["leafcrypt", "encrypt", "p.yaml"], { env: { SOPS_AGE_RECIPIENTS: R2 } });
    expect(result).toMatchObject({ status: 0 });
    expect([result.stdout.includes(R1), result.stdout.includes(R2)]).toEqual([false, true]);
    expect(result.stderr).toContain("keys of the environment are used instead of those of the configuration");
    const argument = await box.run("encrypt", "--age", R2, "p.yaml");
    expect(argument).toMatchObject({ status: 0, stderr: "" });
  });
});

describe("I-41 lists of keys", () => {
  it.each([`${R1},`, `,${R1}`, `${R1}, ,${R1}`])("drop empty items: %j", async (list) => {
    box.write("p.yaml", plain);
    const { status, stdout } = await box.run("encrypt", "--age", list, "p.yaml");
    expect(status).toBe(0);
    expect(stdout.match(/recipient:/gu)?.length).toBe(list.split(R1).length - 1);
  });

  it("compare fingerprints whatever their case", async () => {
    box.write("g.yaml", fixture("transcripts/files/pge.yaml"));
    const fingerprint = /fp: (\w+)/u.exec(box.read("g.yaml"))?.[1] ?? "";
    expect(fingerprint).toBe(fingerprint.toUpperCase());
    box.write(".sops.yaml", `creation_rules:\n  - pgp: ${fingerprint.toLowerCase()}\n`);
    expect(await box.run("updatekeys", "--check", "g.yaml")).toMatchObject({ status: 0, stdout: "" });
  });
});

describe.skipIf(process.platform === "win32")("I-43 SOPS_AGE_KEY_CMD", () => {
  it("counts as unset when it is empty", async () => {
    const empty = { env: { SOPS_AGE_KEY_CMD: "" } };
    expect(await box.start(["leafcrypt", "decrypt", "e.yaml"], empty)).toMatchObject({ status: 0, stdout: plain });
  });

  it("is run once for a recipient, however many files have it, and its messages are passed on", async () => {
    const script = `#!/bin/sh\necho run >> "$COUNT"\necho "touch the token" >&2\ncat "$IDENTITY"\n`;
    box.write("identity", script, 0o755);
    box.write("f.yaml", box.read("e.yaml"));
    const result = await box.start(["leafcrypt", "decrypt", "e.yaml", "f.yaml"], {
      env: {
        SOPS_AGE_KEY_FILE: undefined,
        SOPS_AGE_KEY_CMD: join(box.dir, "identity"),
        COUNT: join(box.dir, "count"),
        IDENTITY: identityFile("age1"),
      },
    });
    expect(result).toMatchObject({ status: 0, stdout: plain + plain, stderr: "touch the token\n" });
    expect(box.read("count")).toBe("run\n");
  });
});

describe("I-47 a version that is missing or odd", () => {
  it.each(["", "version: soon", "version: 4"])("is no obstacle: %j", async (line) => {
    tamper((text) => text.replace(/^( *)version: .*\n/mu, line === "" ? "" : `$1${line}\n`));
    expect(await box.run("decrypt", "e.yaml")).toMatchObject({ status: 0, stdout: plain });
  });
});

describe("I-49 filestatus", () => {
  it("tells version, date and keys after whether the file is encrypted", async () => {
    const { status, stdout } = await box.run("filestatus", "e.yaml");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^\{"encrypted":true,/u);
    expect(JSON.parse(stdout)).toMatchObject({
      version: "3.13.2",
      lastmodified: expect.stringMatching(/^\d{4}-.*Z$/u) as string,
      key_groups: [[{ type: "age", id: R1 }]],
    });
  });

  it.each(["p.bin", "notes.txt", "p.yaml"])("says of %s that it is not", async (path) => {
    box.write(path, "text: of some kind\n");
    expect(await box.run("filestatus", path)).toMatchObject({ status: 0, stdout: '{"encrypted":false}\n' });
  });
});

describe("I-56 filestatus on the age of keys", () => {
  it.each([
    { created: "2020-01-01T00:00:00Z", isDue: true },
    { created: "2099-01-01T00:00:00Z", isDue: false },
  ])("since $created", async ({ created, isDue }) => {
    box.write(
      "g.yaml",
      fixture("transcripts/files/pge.yaml")
        .toString()
        .replace(/created_at: ".*"/u, `created_at: "${created}"`),
    );
    const { stdout } = await box.run("filestatus", "g.yaml");
    const [[key]] = (JSON.parse(stdout) as { key_groups: [[object]] }).key_groups;
    expect(key).toMatchObject({ type: "pgp", created_at: created, rotation_due: isDue });
  });
});

describe("I-55 identity files", () => {
  it("lose a line that is none, not the others, and may have blanks around", async () => {
    const lines = fixture("keys/age1.txt").toString().split("\n");
    box.write("id", [`${CANARY} is no identity`, ...lines.map((line) => `  ${line}  `)].join("\n"));
    const result = await box.start(["leafcrypt", "decrypt", "e.yaml"], { env: { SOPS_AGE_KEY_FILE: "id" } });
    expect(result).toMatchObject({ status: 0, stdout: plain });
    expect(result.stderr).toContain("line 1 of the age identities in id: unknown identity type");
    expect(result.stderr).not.toContain(CANARY);
  });
});

describe("I-57 I-58 comments in lists", () => {
  it.each(["leafcrypt", "sops"])("come back where they were, by %s", async (name) => {
    box.write("c.yaml", "l:\n    # one\n    - x\n    # two\n    - z\n");
    for (const argv of [
      ["encrypt", "-i", "--age", R1],
      ["rotate", "-i"],
      ["decrypt", "-i"],
    ])
      expect(await box.start([name, ...argv, "c.yaml"])).toMatchObject({ status: 0, stderr: "" });
    expect(box.read("c.yaml")).toBe("l:\n    # one\n    - x\n    # two\n    - z\n");
  });

  it("are not counted by an index", async () => {
    expect(await box.run("decrypt", "--extract", '["list"][1]', "e.yaml")).toMatchObject({ status: 0, stdout: "y" });
    expect(await box.run("decrypt", "--extract", '["list"][2]', "e.yaml")).toMatchObject({ status: 1, stdout: "" });
  });
});
