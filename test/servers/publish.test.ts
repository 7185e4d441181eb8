import { join } from "node:path";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { SOPS } from "./support/scenarios.ts";
import { bao, baoTls, describeWith, moto, storageEmulator, storageFront } from "./support/servers.ts";

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

async function publish(
  env: Readonly<Record<string, string | undefined>>,
  ...args: readonly string[]
): Promise<RunResult> {
  const result = await box.start(["leafcrypt", "publish", ...args], { env, timeout: 60_000 });
  expect(result.stderr).not.toMatch(/^ {4}at |hunter2|secret-of-the-test|token-of-the-stand-in/m);
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

  it.each([
    { name: "missing", region: undefined, says: "no AWS region is set; set AWS_REGION" },
    { name: "empty", region: "", says: "no AWS region is set; set AWS_REGION" },
    { name: "no host name", region: "a_b", says: "the AWS region cannot be one; check AWS_REGION" },
  ])("says that the region is $name", async ({ region, says }) => {
    rule("s3_bucket: bucket");
    expect((await publish({ ...env(), AWS_REGION: region }, "-y", "dir/e.yaml")).stderr).toContain(says);
  });

  it.each([undefined, ""])("takes AWS_DEFAULT_REGION where AWS_REGION is %j", async (region) => {
    rule("s3_bucket: bucket", "s3_prefix: other/");
    const regions = { AWS_REGION: region, AWS_DEFAULT_REGION: "eu-west-1" };
    expect(await publish({ ...env(), ...regions }, "-y", "dir/e.yaml")).toMatchObject({ status: 0, stderr: "" });
    expect(await object("other/e.yaml")).toBe(box.read("dir/e.yaml"));
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

describeWith(
  "publish to Google Cloud Storage with credentials (emulator behind a stand-in)",
  storageFront,
  (server) => {
    const emulator = (): string => `http://127.0.0.1:${String(server().emulatorPort)}`;
    const stored = async (name: string): Promise<string> =>
      (await fetch(`${emulator()}/storage/v1/b/bucket/o/${encodeURIComponent(name)}?alt=media`)).text();

    beforeAll(async () => {
      const body = JSON.stringify({ name: "bucket" });
      const headers = { "content-type": "application/json" };
      expect((await fetch(`${emulator()}/storage/v1/b?project=p`, { method: "POST", body, headers })).ok).toBe(true);
    });

    beforeEach(() => {
      rule("gcs_bucket: bucket");
    });

    it("asks for one token, and uploads all files with it", async () => {
      const before = server().tokens;
      for (const name of ["f", "g", "h"]) box.write(`dir/${name}.yaml`, box.read("dir/e.yaml"));
      expect(await publish(server().env, "-y", "--recursive", "dir")).toMatchObject({
        status: 0,
        stdout: "",
        stderr: "",
      });
      expect(server().tokens - before).toBe(1);
      for (const name of ["e", "f", "g", "h"]) expect(await stored(`${name}.yaml`)).toBe(box.read("dir/e.yaml"));
    });

    it("takes a token from the environment", async () => {
      const before = server().tokens;
      const env = { ...server().env, GOOGLE_OAUTH_ACCESS_TOKEN: "token-of-the-stand-in" };
      expect(await publish(env, "-y", "dir/e.yaml")).toMatchObject({ status: 0, stderr: "" });
      expect(server().tokens).toBe(before);
    });

    it("goes on after a failure that passes", async () => {
      server().failures.push(503, 429);
      expect(await publish(server().env, "-y", "dir/e.yaml")).toMatchObject({ status: 0, stderr: "" });
    });

    it.each([
      {
        name: "a token is not accepted",
        env: { GOOGLE_OAUTH_ACCESS_TOKEN: "secret-of-the-test" },
        says: "HTTP status 401; the credentials are not accepted",
      },
      {
        name: "the file with credentials is not there",
        env: { GOOGLE_APPLICATION_CREDENTIALS: "nowhere.json" },
        says: "a file with Google credentials cannot be read (ENOENT); check GOOGLE_APPLICATION_CREDENTIALS",
      },
      {
        name: "the file has no credentials",
        env: { GOOGLE_APPLICATION_CREDENTIALS: "id" },
        says: "no Google credentials were found; run gcloud auth application-default login",
      },
      {
        name: "no proxy leads there",
        env: { HTTPS_PROXY: "http://127.0.0.1:1" },
        says: "no connection (ECONNREFUSED)",
      },
    ])("says that $name", async ({ env, says }) => {
      const result = await publish({ ...server().env, ...env }, "-y", "dir/e.yaml");
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toContain(`failed to upload to gcs://bucket/e.yaml: ${says}`);
    });
  },
);

describeWith("publish to Vault's key-value store over TLS (OpenBao)", baoTls, (server, folder) => {
  const env = (): Record<string, string> => ({
    VAULT_ADDR: `https://127.0.0.1:${String(server().port)}`,
    VAULT_TOKEN: "root",
  });

  it("trusts VAULT_CACERT", async () => {
    rule("vault_path: team");
    const VAULT_CACERT = join(folder(), "vault-ca.pem");
    const result = await publish({ ...env(), VAULT_CACERT }, "-y", "--verbose", "dir/e.yaml");
    expect(result).toMatchObject({ status: 0 });
    const again = await publish({ ...env(), VAULT_CACERT }, "-y", "--verbose", "dir/e.yaml");
    expect(again.stderr).toContain("Not published: it is there already");
  });

  it("trusts nobody else", async () => {
    rule("vault_path: team");
    const result = await publish(env(), "-y", "dir/e.yaml");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("failed to write to https://127.0.0.1:");
    expect(result.stderr).toMatch(/no connection \([A-Z_]*(CERT|VERIFY)[A-Z_]*\)/);
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
