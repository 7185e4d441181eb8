import { createHash } from "node:crypto";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunOptions, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { startScriptedServer, type ScriptedServer } from "../support/scripted-server.ts";

const recipient = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const second = "age16aqrer9e53tnj7wf96tmf0faxq528uerwt0ad5g64w96gyd3kanq68v690";
const plain = "open: clear\nb: hunter2\n";

let box: Sandbox;
let server: ScriptedServer;

beforeAll(async () => {
  server = await startScriptedServer();
});

afterAll(() => server.stop());

beforeEach(async () => {
  box = sandbox({ id: fixture("keys/age1.txt"), id2: fixture("keys/age2.txt") }, { SOPS_AGE_KEY_FILE: "id" });
  await encrypted("e.yaml", plain);
});

afterEach(() => {
  box.remove();
});

async function encrypted(path: string, content: string, ...options: readonly string[]): Promise<void> {
  box.write(path, content);
  expect(await box.run("encrypt", "-i", "--age", recipient, ...options, path)).toMatchObject({ status: 0 });
}

/** The same encrypted file at several places, so that uploads side by side have the same answer in any order. */
function copies(...paths: readonly string[]): string {
  const content = box.read("e.yaml");
  for (const path of paths) box.write(path, content);
  return content;
}

function rule(...lines: readonly string[]): void {
  box.write(".sops.yaml", `destination_rules:\n  - ${lines.join("\n    ")}\n`);
}

/** Runs publish with the storage of Google at our server, which answers as it does. */
async function publish(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const env = { STORAGE_EMULATOR_HOST: server.url, VAULT_ADDR: server.url, VAULT_TOKEN: "vault-token" };
  const result = await box.start(["leafcrypt", "publish", ...args], { ...options, env: { ...env, ...options.env } });
  expect(result.stderr).not.toMatch(/^ {4}at |hunter2|vault-token/m);
  return result;
}

function accept(...contents: readonly (string | Uint8Array)[]): void {
  const answers = contents.map((content) => ({
    status: 200,
    body: JSON.stringify({ md5Hash: createHash("md5").update(content).digest("base64") }),
  }));
  server.script(...answers);
}

const names = (): (string | null)[] =>
  server.requests.map(({ path }) => new URL(path, server.url).searchParams.get("name")).sort();

describe("the name of what is published", () => {
  it.each([
    {
      name: "K-39 the flag leaves the extension out",
      args: ["--omit-extensions", "e.yaml"],
      rules: [],
      object: "pre/e",
    },
    { name: "K-39 so does the rule", args: ["e.yaml"], rules: ["omit_extensions: true"], object: "pre/e" },
    { name: "K-47 I-27 one file is no folder", args: ["--recursive", "e.yaml"], rules: [], object: "pre/e.yaml" },
  ])("$name", async ({ args, rules, object }) => {
    rule("gcs_bucket: bucket", "gcs_prefix: pre/", ...rules);
    accept(box.read("e.yaml"));
    expect(await publish(["-y", ...args])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(names()).toEqual([object]);
    expect(server.requests[0]?.body).toBe(box.read("e.yaml"));
  });

  it.each(["leafcrypt", "sops"])(
    "K-41 of a folder is the path below it, links to files included, as %s",
    async (face) => {
      accept(copies("dir/b.yaml", "dir/a/c.yaml", "dir/.git/d.yaml"));
      symlinkSync(join(box.dir, "e.yaml"), join(box.dir, "dir/link.yaml"));
      rule("gcs_bucket: bucket");
      const result = await publish(["-y", "--recursive", "dir"], { env: { LEAFCRYPT_COMPAT: face } });
      expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
      expect(names()).toEqual(["a/c.yaml", "b.yaml", "link.yaml"]);
    },
  );

  it("fails for links that lead to no file", async () => {
    accept(copies("dir/b.yaml", "other/c.yaml"));
    symlinkSync(join(box.dir, "nowhere"), join(box.dir, "dir/broken.yaml"));
    symlinkSync(join(box.dir, "other"), join(box.dir, "dir/folder"));
    rule("gcs_bucket: bucket");
    const result = await publish(["-y", "--recursive", "dir"]);
    expect(result).toMatchObject({ status: 2, stdout: "" });
    expect(result.stderr).toContain("2 of 3 files failed");
    expect(names()).toEqual(["b.yaml"]);
  });

  it("of several paths is that of each, and a file named twice is published once", async () => {
    accept(copies("a/x.yaml", "dir/y.yaml", "dir/sub/z.yaml"));
    rule("gcs_bucket: bucket");
    const result = await publish(["-y", "--recursive", "e.yaml", "dir", "a/x.yaml", "./e.yaml"]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(names()).toEqual(["e.yaml", "sub/z.yaml", "x.yaml", "y.yaml"]);
  });

  it("of further paths is not looked at under the name sops, with a warning", async () => {
    accept(copies("f.yaml"));
    rule("gcs_bucket: bucket");
    const result = await publish(["-y", "e.yaml", "f.yaml"], { env: { LEAFCRYPT_COMPAT: "sops" } });
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("Only the first one will be used!");
    expect(names()).toEqual(["e.yaml"]);
  });

  it("I-35 goes by the configuration in the folder, which is not published itself", async () => {
    accept(copies("dir/y.yaml"));
    box.write("dir/.sops.yaml", "destination_rules:\n  - path_regex: ^y\n    gcs_bucket: bucket\n");
    expect(await publish(["-y", "--recursive", "dir"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(names()).toEqual(["y.yaml"]);
  });

  it("is none where a folder is empty", async () => {
    mkdirSync(join(box.dir, "dir"));
    rule("gcs_bucket: bucket");
    expect(await publish(["-y", "--recursive", "dir"])).toMatchObject({ status: 0, stdout: "", stderr: "" });
  });

  it.each(["../", "a/../../", "a\\nb/"])("Z10 leads nowhere else: prefix %j", async (prefix) => {
    rule("gcs_bucket: bucket", `gcs_prefix: "${prefix}"`);
    server.script();
    const result = await publish(["-y", "e.yaml"]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("is not a name for a published object");
    expect(server.requests).toEqual([]);
  });

  it("I-27 is matched by its path below the configuration, or as it was given", async () => {
    await encrypted("sub/f.yaml", plain);
    rule("path_regex: ^sub/f", "gcs_bucket: bucket");
    accept(box.read("sub/f.yaml"));
    expect(await publish(["-y", "f.yaml"], { cwd: "sub", env: { SOPS_AGE_KEY_FILE: "../id" } })).toMatchObject({
      status: 0,
    });
    rule("path_regex: ^\\./e", "gcs_bucket: bucket");
    accept(box.read("e.yaml"));
    expect(await publish(["-y", "./e.yaml"])).toMatchObject({ status: 0 });
  });
});

describe("a file encrypted anew", () => {
  it.each([
    { name: "K-44 keeps its selection", options: ["--encrypted-regex", "^b$"], kept: "encrypted_regex: ^b$" },
    { name: "I-27 keeps what its MAC covers", options: ["--mac-only-encrypted"], kept: "mac_only_encrypted: true" },
  ])("$name", async ({ options, kept }) => {
    await encrypted("r.yaml", plain, ...options);
    rule("gcs_bucket: bucket", "recreation_rule:", `  age: ${second}`);
    server.script({ status: 200 });
    const result = await publish(["-y", "r.yaml"]);
    // The hash cannot be foreseen, so that this upload counts as damaged.
    expect(result).toMatchObject({ status: 1 });
    expect(result.stderr).toContain("what arrived is not what was sent");
    expect(result.stdout).toContain(`+++ ${second}`);
    const [request] = server.requests;
    expect(request?.body).toContain(kept);
    box.write("published.yaml", request?.body ?? "");
    const opened = await box.start(["leafcrypt", "decrypt", "published.yaml"], { env: { SOPS_AGE_KEY_FILE: "id2" } });
    expect(opened).toMatchObject({ status: 0, stdout: plain });
  });

  it("takes the selection of the rule where it has one", async () => {
    rule("gcs_bucket: bucket", "recreation_rule:", `  age: ${second}`, "  encrypted_regex: ^b$");
    server.script({ status: 200 });
    await publish(["-y", "e.yaml"]);
    expect(server.requests[0]?.body).toMatch(/^open: clear\nb: ENC/);
  });
});

describe("the dialogue", () => {
  const question = (): string => `uploading ${box.dir}/e.yaml to gcs://bucket/e.yaml ? (y/n): `;

  it.each([
    { name: "y uploads", input: "y\n", status: 0, times: 1, requests: 1, stderr: "" },
    { name: "K-40 n does not", input: "n\n", status: 1, times: 1, requests: 0, stderr: "canceled" },
    {
      name: "K-46 anything else is asked again, until the end",
      input: "x\n",
      status: 1,
      times: 2,
      requests: 0,
      stderr: "EOF",
    },
  ])("$name", async ({ input, status, times, requests, stderr }) => {
    rule("gcs_bucket: bucket");
    accept(box.read("e.yaml"));
    const result = await publish(["e.yaml"], { input });
    expect(result).toMatchObject({ status, stdout: question().repeat(times) });
    expect(result.stderr).toContain(stderr);
    expect(server.requests.length).toBe(requests);
  });

  it("goes on with the next file of a folder", async () => {
    await encrypted("dir/a.yaml", plain);
    await encrypted("dir/b.yaml", plain);
    rule("gcs_bucket: bucket");
    accept(box.read("dir/b.yaml"));
    const result = await publish(["--recursive", "dir"], { input: "n\ny\n" });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain(`Publication of ${box.dir}/dir/a.yaml canceled\n`);
    expect(names()).toEqual(["b.yaml"]);
  });
});

describe("failures", () => {
  it("Z11 of some files do not stop the others, and are counted", async () => {
    accept(copies("dir/a.yaml", "dir/c.yaml"));
    box.write("dir/b.yaml", plain);
    rule("gcs_bucket: bucket");
    const result = await publish(["-y", "--recursive", "dir"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(`${box.dir}/dir/b.yaml: `);
    expect(result.stderr).toContain("sops metadata not found");
    expect(result.stderr).toContain("1 of 3 files failed");
    expect(names()).toEqual(["a.yaml", "c.yaml"]);
  });

  it.each([
    { name: "a refusal", answer: { status: 403 }, says: "HTTP status 403; the account may not write there" },
    {
      name: "a redirect",
      answer: { status: 302, headers: { location: "http://127.0.0.1:1/" } },
      says: "HTTP status 302",
    },
    { name: "I-26 an upload that was cut short", answer: { status: 200 }, says: "what arrived is not what was sent" },
    { name: "half an answer", answer: "half" as const, says: "no connection (ECONNRESET)" },
  ])("$name", async ({ answer, says }) => {
    rule("gcs_bucket: bucket");
    server.script(answer);
    const result = await publish(["-y", "e.yaml"]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(`failed to upload to gcs://bucket/e.yaml: ${says}`);
  });

  it("no path", async () => {
    rule("gcs_bucket: bucket");
    expect(await publish([])).toMatchObject({ status: 100 });
    expect(await publish(["-y", "nope.yaml"])).toMatchObject({ status: 1 });
  });
});

describe("Vault", () => {
  it.each([
    { name: "version 2", lines: ["vault_path: team"], path: "/v1/secret/data/team/e.yaml", wrap: true },
    {
      name: "version 1",
      lines: ["vault_path: team/", "vault_kv_version: 1", "vault_kv_mount_name: kv/"],
      path: "/v1/kv/team/e.yaml",
      wrap: false,
    },
  ])("K-36 K-37 gets a JSON object, $name", async ({ lines, path, wrap }) => {
    rule(...lines);
    server.script({ status: 404 }, { status: 200 });
    const result = await publish(["e.yaml"], { input: "y\n", env: { VAULT_NAMESPACE: "ns" } });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toBe(`uploading ${box.dir}/e.yaml to ${server.url}${path} ? (y/n): `);
    expect(server.requests.map(({ method, path: asked }) => `${method} ${asked}`)).toEqual([
      `GET ${path}`,
      `PUT ${path}`,
    ]);
    const object: unknown = { open: "clear", b: "hunter2" };
    expect(JSON.parse(server.requests[1]?.body ?? "")).toEqual(wrap ? { data: object } : object);
    expect(server.requests[1]?.headers).toMatchObject({ "x-vault-token": "vault-token", "x-vault-namespace": "ns" });
  });

  it("K-38 is not written what it has already, in whatever order", async () => {
    rule("vault_path: team");
    server.script({ status: 200, body: '{"data":{"data":{"b":"hunter2","open":"clear"},"metadata":{}}}' });
    expect(await publish(["-y", "e.yaml"])).toMatchObject({ status: 0 });
    expect(server.requests.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("may be written where it cannot be read, with a warning", async () => {
    rule("vault_path: team");
    server.script({ status: 403 }, { status: 204 });
    const result = await publish(["-y", "e.yaml"]);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("cannot check whether the secret is in Vault already");
    expect(server.requests.map(({ method }) => method)).toEqual(["GET", "PUT"]);
  });

  it("merges the documents of a file", async () => {
    await encrypted("m.yaml", "a: 1\nb: 1\n---\nb: 2\nc: 3\n");
    rule("vault_path: team");
    server.script({ status: 404 }, { status: 200 });
    expect(await publish(["-y", "m.yaml"])).toMatchObject({ status: 0 });
    expect(JSON.parse(server.requests[1]?.body ?? "")).toEqual({ data: { a: 1, b: 2, c: 3 } });
  });

  it("is not given other characters for bytes that are no text", async () => {
    const bytes = Uint8Array.of(0x68, 0xff, 0x69);
    box.write("b.bin", bytes);
    expect(await box.run("encrypt", "-i", "--age", recipient, "b.bin")).toMatchObject({ status: 0 });
    rule("vault_path: team");
    server.script({ status: 404 }, { status: 200 });
    const result = await publish(["-y", "b.bin"]);
    expect(result).toMatchObject({ status: 4, stdout: "" });
    expect(result.stderr).toContain('["data"]: the value is not UTF-8 text');
    expect(server.requests).toEqual([]);
  });

  it("gets no token at an address that only the repository names", async () => {
    rule("vault_path: team", "vault_address: https://vault.attacker.test");
    server.script();
    const result = await publish(["-y", "e.yaml"]);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("no token is sent to https://vault.attacker.test");
  });
});
