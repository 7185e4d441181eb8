import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { SOPS } from "./support/scenarios.ts";
import { bao, describeWith, moto, storageEmulator } from "./support/servers.ts";

const recipient = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const second = "age16aqrer9e53tnj7wf96tmf0faxq528uerwt0ad5g64w96gyd3kanq68v690";
const plain = "user: alice\npassword: hunter2\nlist:\n    - name: one\n      port: 9007199254740991\n";

let box: Sandbox;

beforeEach(async () => {
  box = sandbox({ id: fixture("keys/age1.txt"), id2: fixture("keys/age2.txt") }, { SOPS_AGE_KEY_FILE: "id" });
  box.write("dir/e.yaml", plain);
  expect(await box.run("encrypt", "-i", "--age", recipient, "dir/e.yaml")).toMatchObject({ status: 0 });
});

afterEach(() => {
  box.remove();
});

function rule(...lines: readonly string[]): void {
  box.write(".sops.yaml", `destination_rules:\n  - ${lines.join("\n    ")}\n`);
}

async function publish(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<RunResult> {
  const result = await box.start(["leafcrypt", "publish", ...args], { env, timeout: 60_000 });
  expect(result.stderr).not.toMatch(/^ {4}at |hunter2|secret-of-the-test/m);
  return result;
}

async function decryptedBy(identity: string, text: string): Promise<RunResult> {
  box.write("published.yaml", text);
  return box.start(["leafcrypt", "decrypt", "published.yaml"], { env: { SOPS_AGE_KEY_FILE: identity } });
}

describeWith("publish to S3 (moto)", moto, (server) => {
  const env = (): Record<string, string> => ({
    AWS_ENDPOINT_URL: `http://127.0.0.1:${String(server().port)}`,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "secret-of-the-test",
    AWS_REGION: "eu-west-1",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  });
  const s3 = (): S3Client =>
    new S3Client({
      region: "eu-west-1",
      endpoint: `http://127.0.0.1:${String(server().port)}`,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      forcePathStyle: true,
    });
  const object = async (key: string): Promise<string> =>
    (await (await s3().send(new GetObjectCommand({ Bucket: "bucket", Key: key }))).Body?.transformToString()) ?? "";

  beforeAll(async () => {
    await s3().send(
      new CreateBucketCommand({ Bucket: "bucket", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }),
    );
  });

  it("K-34 puts the file's bytes under prefix and name", async () => {
    rule("s3_bucket: bucket", "s3_prefix: team/");
    expect(await publish(env(), "-y", "dir/e.yaml")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(await object("team/e.yaml")).toBe(box.read("dir/e.yaml"));
  });

  it("K-35 encrypts anew for the keys of a recreation rule", async () => {
    rule("s3_bucket: bucket", "recreation_rule:", `  age: ${second}`);
    const result = await publish(env(), "-y", "dir/e.yaml");
    expect(result).toMatchObject({ status: 0 });
    expect(result.stdout).toContain("The following changes will be made to the file's key groups:\nGroup 1\n");
    expect(result.stdout).toContain(`+++ ${second}`);
    const text = await object("e.yaml");
    expect(await decryptedBy("id2", text)).toMatchObject({ status: 0, stdout: plain });
    expect(await decryptedBy("id", text)).toMatchObject({ status: 128 });
  });

  it("K-41 K-39 puts every file of a folder under its relative name", async () => {
    box.write("dir/sub/f.yaml", box.read("dir/e.yaml"));
    rule("s3_bucket: bucket", "s3_prefix: all/", "omit_extensions: true");
    expect(await publish(env(), "-y", "--recursive", "dir")).toMatchObject({ status: 0 });
    expect(await object("all/e")).toBe(await object("all/sub/f"));
  });

  it("says that there is no such bucket", async () => {
    rule("s3_bucket: nowhere");
    const result = await publish(env(), "-y", "dir/e.yaml");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("failed to upload to s3://nowhere/e.yaml: NoSuchBucket (HTTP status 404)");
  });

  it("says that the region is missing", async () => {
    rule("s3_bucket: bucket");
    const withoutRegion = { ...env(), AWS_REGION: "" };
    expect((await publish(withoutRegion, "-y", "dir/e.yaml")).stderr).toContain("no AWS region is set; set AWS_REGION");
  });

  it.skipIf(SOPS === null)("puts what the reference puts (needs sops)", async () => {
    rule("s3_bucket: bucket", "s3_prefix: ref/");
    const reference = await box.start([SOPS ?? "", "publish", "-y", "dir/e.yaml"], { env: env(), timeout: 60_000 });
    expect(reference).toMatchObject({ status: 0 });
    const theirs = await object("ref/e.yaml");
    expect(await publish(env(), "-y", "dir/e.yaml")).toMatchObject({ status: 0 });
    expect(await object("ref/e.yaml")).toBe(theirs);
  });
});

describeWith("publish to Google Cloud Storage (emulator)", storageEmulator, (server) => {
  const url = (): string => `http://127.0.0.1:${String(server().port)}`;

  beforeAll(async () => {
    const body = JSON.stringify({ name: "bucket" });
    const headers = { "content-type": "application/json" };
    const made = await fetch(`${url()}/storage/v1/b?project=p`, { method: "POST", body, headers });
    expect(made.ok).toBe(true);
  });

  it.each(["with a scheme", "without a scheme"])("puts the file's bytes, %s", async (way) => {
    rule("gcs_bucket: bucket", "gcs_prefix: a b/");
    const host = way === "with a scheme" ? url() : url().replace("http://", "");
    expect(await publish({ STORAGE_EMULATOR_HOST: host }, "-y", "dir/e.yaml")).toMatchObject({ status: 0, stderr: "" });
    const stored = await fetch(`${url()}/storage/v1/b/bucket/o/${encodeURIComponent("a b/e.yaml")}?alt=media`);
    expect(await stored.text()).toBe(box.read("dir/e.yaml"));
  });

  it("I-26 is a failure where there is no bucket", async () => {
    rule("gcs_bucket: nowhere");
    const result = await publish({ STORAGE_EMULATOR_HOST: url() }, "-y", "dir/e.yaml");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(
      "failed to upload to gcs://nowhere/e.yaml: HTTP status 404; there is no such bucket",
    );
  });
});

describeWith("publish to Vault's key-value store (OpenBao)", bao, (server) => {
  const url = (): string => `http://127.0.0.1:${String(server().port)}`;
  const env = (): Record<string, string> => ({ VAULT_ADDR: url(), VAULT_TOKEN: "root" });
  const headers = { "X-Vault-Token": "root" };
  const secret = async (path: string): Promise<string> => (await fetch(`${url()}/v1/${path}`, { headers })).text();
  const data = '{"list":[{"name":"one","port":9007199254740991}],"password":"hunter2","user":"alice"}';

  beforeAll(async () => {
    const body = JSON.stringify({ type: "kv", options: { version: "1" } });
    expect((await fetch(`${url()}/v1/sys/mounts/kv1`, { method: "POST", body, headers })).ok).toBe(true);
  });

  it.each([
    { name: "K-36 version 2", lines: ["vault_path: team"], path: "secret/data/team/e" },
    {
      name: "K-37 version 1",
      lines: ["vault_path: team", "vault_kv_version: 1", "vault_kv_mount_name: kv1"],
      path: "kv1/team/e",
    },
  ])("$name: writes an object, K-43 lists of objects as they are", async ({ lines, path }) => {
    rule(...lines, "omit_extensions: true");
    expect(await publish(env(), "-y", "dir/e.yaml")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(await secret(path)).toContain(data);
  });

  it.each([
    { name: "version 2", lines: ["vault_path: same"], path: "secret/data/same/e.yaml" },
    {
      name: "version 1",
      lines: ["vault_path: same", "vault_kv_version: 1", "vault_kv_mount_name: kv1"],
      path: "kv1/same/e.yaml",
    },
  ])("K-38 I-27 writes nothing that is there already, $name", async ({ lines, path }) => {
    rule(...lines);
    expect(await publish(env(), "-y", "dir/e.yaml")).toMatchObject({ status: 0 });
    const first = await secret(path);
    const again = await publish(env(), "-y", "--verbose", "dir/e.yaml");
    expect(again).toMatchObject({ status: 0 });
    expect(again.stderr).toContain("Not published: it is there already");
    const version = /"version":(\d+)/.exec(await secret(path))?.[1];
    expect(version).toBe(/"version":(\d+)/.exec(first)?.[1]);
    expect(await box.run("set", "dir/e.yaml", '["user"]', '"bob"')).toMatchObject({ status: 0 });
    expect((await publish(env(), "-y", "--verbose", "dir/e.yaml")).stderr).not.toContain("already");
    expect(await secret(path)).toContain("bob");
  });

  it("says what a refusal means, without the token", async () => {
    rule("vault_path: team");
    const result = await publish({ VAULT_ADDR: url(), VAULT_TOKEN: "secret-of-the-test" }, "-y", "dir/e.yaml");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("HTTP status 403; the token is missing");
  });

  it.skipIf(SOPS === null)("writes what the reference writes (needs sops)", async () => {
    rule("vault_path: ref");
    box.write("dir/e.yaml", "a: 1\nb: text\n");
    expect(await box.run("encrypt", "-i", "--age", recipient, "dir/e.yaml")).toMatchObject({ status: 0 });
    expect(await box.start([SOPS ?? "", "publish", "-y", "dir/e.yaml"], { env: env() })).toMatchObject({ status: 0 });
    const again = await publish(env(), "-y", "--verbose", "dir/e.yaml");
    expect(again.stderr).toContain("Not published: it is there already");
  });
});
