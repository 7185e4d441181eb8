import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commands, type CommandName } from "../../src/cli/commands.ts";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { startScriptedServer } from "../support/scripted-server.ts";

/** Recipient of the identity that the sandbox has. */
const recipient = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const plain = "database:\n  password: hunter2\n  port: 1\n";

let box: Sandbox;

beforeEach(() => {
  const files = {
    id: fixture("keys/age1.txt"),
    "secrets.yaml": plain,
    "secrets.env": "TOKEN=abc\n",
    "secrets.json": "{}",
  };
  box = sandbox(files, {
    SOPS_AGE_KEY_FILE: "id",
    SOPS_AGE_RECIPIENTS: recipient,
    RECIPIENT: recipient,
    EDITOR: "sed -i s/hunter2/changed/",
  });
});

afterEach(() => {
  box.remove();
});

/** Runs the example of a command as a user would, in a shell. */
function runExample(name: CommandName, env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return box.start(["sh", "-c", `leafcrypt ${commands[name].example}`], { env });
}

async function encryptFirst(path = "secrets.yaml"): Promise<void> {
  expect(await box.run("encrypt", "-i", path)).toMatchObject({ status: 0, stderr: "" });
}

async function decrypted(): Promise<string> {
  return (await box.run("decrypt", "secrets.yaml")).stdout;
}

describe("the example in the help of", () => {
  it("encrypt", async () => {
    expect(await runExample("encrypt")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(box.read("secrets.yaml")).toContain("password: ENC[AES256_GCM,");
    expect(await decrypted()).toBe(plain);
  });

  it.each<[name: CommandName, stdout: string, after: string]>([
    ["decrypt", "hunter2", plain],
    ["legacy", plain, plain],
    ["edit", "", plain.replace("hunter2", "changed")],
    ["set", "", plain.replace("port: 1", "port: 5432")],
    ["unset", "", plain.replace("  port: 1\n", "")],
    ["rotate", "", plain],
    ["filestatus", '{"encrypted":true', plain],
  ])("%s", async (name, stdout, after) => {
    await encryptFirst();
    const result = await runExample(name);
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout.startsWith(stdout)).toBe(true);
    expect(await decrypted()).toBe(after);
  });

  it("updatekeys", async () => {
    await encryptFirst();
    const second = "age16aqrer9e53tnj7wf96tmf0faxq528uerwt0ad5g64w96gyd3kanq68v690";
    box.write(".sops.yaml", `creation_rules:\n  - age: ${recipient},${second}\n`);
    expect(await runExample("updatekeys")).toMatchObject({ status: 0 });
    expect(box.read("secrets.yaml")).toContain(second);
  });

  it("groups add, groups delete", async () => {
    await encryptFirst();
    expect(await runExample("groups add")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(box.read("secrets.yaml")).toContain("shamir_threshold: 2");
    // Two of three groups are left, which is as many as the threshold asks for.
    expect(await runExample("groups add")).toMatchObject({ status: 0 });
    expect(await runExample("groups delete")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(await decrypted()).toBe(plain);
  });

  it("exec-env", async () => {
    await encryptFirst("secrets.env");
    const result = await runExample("exec-env");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout.trim()).toBe("4");
  });

  it("exec-file", async () => {
    await encryptFirst("secrets.json");
    const result = await runExample("exec-file");
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toMatch(/^\s*\d+ \S+\n$/u);
  });

  it("publish", async () => {
    await encryptFirst("secrets.json");
    const content = box.read("secrets.json");
    const server = await startScriptedServer();
    const md5Hash = createHash("md5").update(content).digest("base64");
    server.script({ status: 200, body: JSON.stringify({ md5Hash }) });
    box.write(".sops.yaml", "destination_rules:\n  - gcs_bucket: bucket\n");
    const result = await runExample("publish", { STORAGE_EMULATOR_HOST: server.url });
    await server.stop();
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(server.requests.map(({ body }) => body)).toEqual([content]);
  });

  it("keyservice", async () => {
    const service = `leafcrypt ${commands.keyservice.example}`;
    const wait = "i=0; while [ ! -S key.sock ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i+1)); done";
    const result = await box.start(["sh", "-c", `${service} & service=$!; ${wait}; kill $service; wait $service`]);
    expect(result).toMatchObject({ status: 0, stdout: "" });
  });
});
