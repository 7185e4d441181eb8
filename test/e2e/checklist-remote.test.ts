import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startKeyVault, type KeyVault } from "../servers/support/fakes/key-vault.ts";
import { createAuthority } from "../servers/support/authority.ts";
import { identityFile, R1 } from "../support/keys.ts";
import { startRecorder, type Answer, type RecordedRequest, type Recorder } from "../support/recorder.ts";
import { sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

/** Rows of the checklist about what goes over the wire: stand-ins answer, and what they were asked is looked at. */

const plain = "a: 1\nb: text\n";

let box: Sandbox;

beforeEach(() => {
  box = sandbox({ "p.yaml": plain }, { SOPS_AGE_KEY_FILE: identityFile("age1") });
});

afterEach(() => {
  box.remove();
});

async function encrypt(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<RunResult> {
  const result = await box.start(["sops", "encrypt", ...args, "p.yaml"], { env });
  box.write("e.yaml", result.stdout);
  return result;
}

function decrypt(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<RunResult> {
  return box.start(["sops", "decrypt", ...args, "e.yaml"], { env });
}

describe("AWS KMS", () => {
  const arn = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000001";
  const role = "arn:aws:iam::123456789012:role/deploy";
  let server: Recorder;
  let env: Readonly<Record<string, string>>;

  /** Wraps by turning the text around, and unwraps likewise. */
  function answer({ headers, body }: RecordedRequest): Answer {
    if (body.includes("Action=AssumeRole")) {
      const credentials =
        "<AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>";
      const result = `<AssumeRoleResult><Credentials>${credentials}</Credentials></AssumeRoleResult>`;
      return {
        body: `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${result}</AssumeRoleResponse>`,
        type: "text/xml",
      };
    }
    const { KeyId, Plaintext, CiphertextBlob } = JSON.parse(body) as Readonly<Record<string, string>>;
    const turned = Buffer.from(Buffer.from(Plaintext ?? CiphertextBlob ?? "", "base64").toReversed()).toString(
      "base64",
    );
    const isWrap = headers["x-amz-target"] === "TrentService.Encrypt";
    return {
      body: JSON.stringify({ KeyId, ...(isWrap ? { CiphertextBlob: turned } : { Plaintext: turned }) }),
      type: "application/x-amz-json-1.1",
    };
  }

  beforeEach(async () => {
    server = await startRecorder(answer);
    env = {
      AWS_ENDPOINT_URL_KMS: server.url,
      AWS_ENDPOINT_URL_STS: server.url,
      AWS_ACCESS_KEY_ID: "ENVKEY",
      AWS_SECRET_ACCESS_KEY: "s",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    };
  });

  afterEach(() => server.stop());

  function bodies(target: string): unknown[] {
    const asked = server.requests.filter(({ headers }) => headers["x-amz-target"] === `TrentService.${target}`);
    return asked.map(({ body }) => JSON.parse(body) as unknown);
  }

  it("J-28 asks for TrentService.Encrypt with the key and 32 bytes", async () => {
    expect(await encrypt(env, "--kms", arn)).toMatchObject({ status: 0 });
    expect(bodies("Encrypt")).toEqual([
      expect.objectContaining({ KeyId: arn, Plaintext: expect.any(String) as string }),
    ]);
    const [{ Plaintext }] = bodies("Encrypt") as [{ Plaintext: string }];
    expect(Buffer.from(Plaintext, "base64")).toHaveLength(32);
    const asked = expect.objectContaining({ KeyId: arn }) as object;
    expect(bodies("Decrypt")).toEqual([asked]); // whether what it gave opens (P30)
    expect(await decrypt(env)).toMatchObject({ status: 0, stdout: plain });
    expect(bodies("Decrypt")).toEqual([asked, asked]);
  });

  it("J-29 signs for the region of the ARN", async () => {
    expect(await encrypt({ ...env, AWS_REGION: "us-east-2" }, "--kms", arn)).toMatchObject({ status: 0 });
    expect(server.requests[0]?.headers.authorization).toContain("/eu-west-1/kms/aws4_request");
  });

  it("J-30 sends the encryption context, stores it, and sends it again", async () => {
    await encrypt(env, "--kms", arn, "--encryption-context", "a:b,c:d");
    const context = expect.objectContaining({ EncryptionContext: { a: "b", c: "d" } }) as object;
    expect(bodies("Encrypt")).toEqual([context]);
    expect(box.read("e.yaml")).toMatch(/context:\n +a: b\n +c: d\n/u);
    expect(await decrypt(env)).toMatchObject({ status: 0 });
    expect(bodies("Decrypt")).toEqual([context, context]); // the first asks whether what it gave opens (P30)
  });

  it("I-46 opens a file of a version before 3.3.0 with nothing but the document on standard output", async () => {
    await encrypt(env, "--kms", arn, "--encryption-context", "a:b,c:d");
    box.write("e.yaml", box.read("e.yaml").replace(/version: .*/u, "version: 3.2.0"));
    expect(await decrypt(env)).toMatchObject({ status: 0, stdout: plain });
  });

  it("J-31 assumes the role under a name of the host", async () => {
    expect(await encrypt(env, "--kms", `${arn}+${role}`)).toMatchObject({ status: 0 });
    const assumed = new URLSearchParams(server.requests[0]?.body);
    expect(assumed.get("RoleArn")).toBe(role);
    const name = assumed.get("RoleSessionName") ?? "";
    expect(name).toBe(
      `sops@${hostname()
        .replaceAll(/[^\w=,.@]/gu, "")
        .slice(0, 59)}`,
    );
    expect(name.length).toBeLessThanOrEqual(64);
    expect(server.requests[1]?.headers.authorization).toContain("Credential=ROLEKEY/");
    expect(box.read("e.yaml")).toContain(`role: ${role}`);
  });

  it("J-33 takes aliases and other partitions", async () => {
    const alias = "arn:aws-cn:kms:cn-north-1:123456789012:alias/x";
    expect(await encrypt(env, "--kms", alias)).toMatchObject({ status: 0 });
    expect(server.requests[0]?.headers.authorization).toContain("/cn-north-1/kms/");
  });

  it("J-34 uses the credentials of --aws-profile, and shows it", async () => {
    box.write("credentials", "[p]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n");
    const withProfile = { ...env, AWS_SHARED_CREDENTIALS_FILE: join(box.dir, "credentials") };
    expect(await encrypt(withProfile, "--kms", arn, "--aws-profile", "p")).toMatchObject({ status: 0 });
    expect(server.requests[0]?.headers.authorization).toContain("Credential=PROFILEKEY/");
    expect(box.read("e.yaml")).toContain("aws_profile: p");
    const report = await decrypt({ ...env, AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:1", LEAFCRYPT_TIMEOUT: "1" });
    expect(report).toMatchObject({ status: 128 });
    expect(report.stderr).toContain(`${arn}||p: FAILED`);
  });

  it("J-35 applies --encryption-context to keys of the configuration", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - kms: ${arn}\n`);
    expect(await encrypt(env, "--encryption-context", "a:b")).toMatchObject({ status: 0 });
    expect(bodies("Encrypt")).toEqual([expect.objectContaining({ EncryptionContext: { a: "b" } })]);
  });

  it("J-66 has --aws-profile with keys of the configuration", async () => {
    box.write(".sops.yaml", `creation_rules:\n  - kms: ${arn}\n`);
    box.write("credentials", "[p]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n");
    const withProfile = { ...env, AWS_SHARED_CREDENTIALS_FILE: join(box.dir, "credentials") };
    expect(await encrypt(withProfile, "--aws-profile", "p")).toMatchObject({ status: 0 });
    expect(box.read("e.yaml")).toMatch(/aws_profile: (""|p)\n/u);
  });

  it("is asked once for what many files have, whatever is done to them", async () => {
    expect(await encrypt(env, "--kms", arn)).toMatchObject({ status: 0 });
    for (const name of ["f.yaml", "g.yaml"]) box.write(name, box.read("e.yaml"));
    const before = bodies("Decrypt").length;
    const words = ["set", "e.yaml", "f.yaml", "g.yaml", '["new"]', "1"];
    expect(await box.start(["leafcrypt", ...words], { env })).toMatchObject({ status: 0 });
    expect(bodies("Decrypt")).toHaveLength(before + 1);
  });

  it("J-52 tries age first, and then asks no KMS", async () => {
    expect(await encrypt(env, "--kms", arn, "--age", R1)).toMatchObject({ status: 0 });
    const before = server.requests.length;
    expect(await decrypt(env)).toMatchObject({ status: 0, stdout: plain });
    expect(server.requests).toHaveLength(before);
  });

  it("J-53 tries KMS first with --decryption-order kms,age", async () => {
    expect(await encrypt(env, "--kms", arn, "--age", R1)).toMatchObject({ status: 0 });
    const before = bodies("Decrypt").length;
    expect(await decrypt(env, "--decryption-order", "kms,age")).toMatchObject({ status: 0, stdout: plain });
    expect(bodies("Decrypt")).toHaveLength(before + 1);
  });
});

describe("GCP KMS", () => {
  const key = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
  let server: Recorder;
  let env: Readonly<Record<string, string>>;

  beforeEach(async () => {
    server = await startRecorder(({ path, body }) => {
      if (path === "/token")
        return { body: JSON.stringify({ access_token: "of-the-account", expires_in: 3600, token_type: "Bearer" }) };
      const { plaintext, ciphertext } = JSON.parse(body) as Readonly<Record<string, string>>;
      return {
        body: JSON.stringify(
          path.includes(":encrypt") ? { name: key, ciphertext: plaintext } : { plaintext: ciphertext },
        ),
      };
    });
    env = { SOPS_GCP_KMS_CLIENT_TYPE: "rest", SOPS_GCP_KMS_ENDPOINT: server.url, METADATA_SERVER_DETECTION: "none" };
  });

  afterEach(() => server.stop());

  it("J-37 posts to the key's name with the token, and stores base64", async () => {
    const withToken = { ...env, GOOGLE_OAUTH_ACCESS_TOKEN: "of-the-variable" };
    expect(await encrypt(withToken, "--gcp-kms", key)).toMatchObject({ status: 0 });
    const [asked] = server.requests;
    expect(asked?.method).toBe("POST");
    expect(asked?.path).toContain(`/v1/${key}:encrypt`);
    expect(asked?.headers.authorization).toBe("Bearer of-the-variable");
    expect(box.read("e.yaml")).toMatch(/enc: [A-Za-z0-9+/]{43}=\n/u);
    expect(await decrypt(withToken)).toMatchObject({ status: 0, stdout: plain });
    expect(server.requests.at(-1)?.path).toContain(`/v1/${key}:decrypt`);
  });

  it.each(["JSON", "a path"])("J-38 takes credentials before a token: GOOGLE_CREDENTIALS is %s", async (kind) => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const account = JSON.stringify({
      type: "service_account",
      client_email: "a@p.example.com",
      private_key: privateKey.export({ type: "pkcs8", format: "pem" }),
      token_uri: `${server.url}/token`,
    });
    box.write("account.json", account);
    const both = {
      ...env,
      GOOGLE_CREDENTIALS: kind === "JSON" ? account : join(box.dir, "account.json"),
      GOOGLE_OAUTH_ACCESS_TOKEN: "of-the-variable",
    };
    const result = await encrypt(both, "--gcp-kms", key);
    const last = server.requests.at(-1)?.headers.authorization;
    expect({ status: result.status, last }).not.toMatchObject({ last: "Bearer of-the-variable" });
    expect(result).toMatchObject({ status: 0 });
  });
});

describe("Azure Key Vault", () => {
  let folder: string;
  let vault: KeyVault;
  const url = "https://test.vault.azure.net/keys";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "lc-vault-"));
    vault = await startKeyVault(createAuthority(folder));
  });

  afterAll(async () => {
    await vault.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    vault.requests.length = 0;
  });

  it("J-39 posts to the version of the key, by RSA-OAEP-256, and stores unpadded base64url", async () => {
    const version = vault.createKey("k");
    expect(await encrypt(vault.env, "--azure-kv", `${url}/k/${version}`)).toMatchObject({ status: 0 });
    // The stand-in refuses any other algorithm.
    expect(vault.requests).toContain(`POST /keys/k/${version}/encrypt`);
    expect(box.read("e.yaml")).toMatch(/enc: [\w-]{342}\n/u);
    expect(await decrypt(vault.env)).toMatchObject({ status: 0, stdout: plain });
    expect(vault.requests).toContain(`POST /keys/k/${version}/decrypt`);
  });

  it.each(["", "/"])("J-40 asks for the version of a key without one, and stores it (%j)", async (end) => {
    const version = vault.createKey("rolled");
    expect(await encrypt(vault.env, "--azure-kv", `${url}/rolled${end}`)).toMatchObject({ status: 0 });
    expect(vault.requests.find((request) => request.startsWith("GET /keys/rolled"))).toBeDefined();
    expect(box.read("e.yaml")).toContain(`version: ${version}`);
  });
});

describe("Vault transit", () => {
  let server: Recorder;
  let env: Readonly<Record<string, string>>;

  beforeEach(async () => {
    server = await startRecorder(({ body }) => {
      const { plaintext, ciphertext } = JSON.parse(body) as Readonly<Record<string, string>>;
      const data =
        plaintext === undefined ? { plaintext: ciphertext?.slice(9) } : { ciphertext: `vault:v1:${plaintext}` };
      return { body: JSON.stringify({ data }) };
    });
    env = { VAULT_TOKEN: "t" };
  });

  afterEach(() => server.stop());

  it("J-42 puts to transit/encrypt with the token, and stores what it gets", async () => {
    expect(await encrypt(env, "--hc-vault-transit", `${server.url}/v1/transit/keys/k`)).toMatchObject({ status: 0 });
    const [asked] = server.requests;
    expect(asked).toMatchObject({ path: "/v1/transit/encrypt/k", headers: { "x-vault-token": "t" } });
    expect(asked?.method).toBe("PUT");
    expect(box.read("e.yaml")).toContain("enc: vault:v1:");
    expect(await decrypt(env)).toMatchObject({ status: 0, stdout: plain });
    expect(server.requests[1]?.path).toBe("/v1/transit/decrypt/k");
  });

  it("J-43 knows engines below a path", async () => {
    expect(await encrypt(env, "--hc-vault-transit", `${server.url}/v1/a/b/keys/k`)).toMatchObject({ status: 0 });
    expect(server.requests[0]?.path).toBe("/v1/a/b/encrypt/k");
    expect(box.read("e.yaml")).toContain("engine_path: a/b\n");
  });

  it.each([
    { name: "of the file, trimmed", variables: { VAULT_TOKEN: "" }, token: "of-the-file" },
    { name: "of the variable", variables: { VAULT_TOKEN: "of-the-variable" }, token: "of-the-variable" },
  ])("J-44 sends the token $name", async ({ variables, token }) => {
    box.write(join(box.home, ".vault-token"), "  of-the-file \n");
    await encrypt(variables, "--hc-vault-transit", `${server.url}/v1/transit/keys/k`);
    expect(server.requests[0]?.headers["x-vault-token"]).toBe(token);
  });

  it("I-42 holds the address that is asked against the allow-list, not the one of the key", async () => {
    const through = { ...env, VAULT_AGENT_ADDR: server.url, SOPS_HC_VAULT_ALLOWLIST: "http://127.0.0.1:2" };
    const result = await encrypt(through, "--hc-vault-transit", "http://127.0.0.1:2/v1/transit/keys/k");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("Allowlist does not allow");
    expect(server.requests).toEqual([]);
  });

  it.each([
    { path: "v1/v2/keys/k", asked: "/v1/v2/encrypt/k" },
    { path: "v1/team/v1/sops/keys/k", asked: "/v1/team/v1/sops/encrypt/k" },
  ])("I-42 takes an engine at $path", async ({ path, asked }) => {
    expect(await encrypt(env, "--hc-vault-transit", `${server.url}/${path}`)).toMatchObject({ status: 0 });
    expect(server.requests[0]?.path).toBe(asked);
  });

  it("I-42 refuses a path whose last but one segment is not keys", async () => {
    const result = await encrypt(env, "--hc-vault-transit", `${server.url}/v1/transit/encrypt/k`);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(server.requests).toEqual([]);
  });

  it("I-40 asks no group once as many as are needed are recovered", async () => {
    const groups = [`- age: [${R1}]`, `- age: [${R1}]`, `- hc_vault: ["${server.url}/v1/transit/keys/k"]`];
    box.write(
      ".sops.yaml",
      [
        "creation_rules:",
        "  - shamir_threshold: 2",
        "    key_groups:",
        ...groups.map((line) => `      ${line}`),
        "",
      ].join("\n"),
    );
    expect(await encrypt(env)).toMatchObject({ status: 0 });
    const asked = server.requests.length;
    expect(await decrypt(env)).toMatchObject({ status: 0, stdout: plain });
    expect(server.requests).toHaveLength(asked);
  });

  it("J-45 names the namespace", async () => {
    await encrypt({ ...env, VAULT_NAMESPACE: "team" }, "--hc-vault-transit", `${server.url}/v1/transit/keys/k`);
    expect(server.requests[0]?.headers["x-vault-namespace"]).toBe("team");
  });
});
