import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { awsKms } from "../../../src/keys/aws-kms.ts";
import type { KeyBackend, MasterKey } from "../../../src/keys/backend.ts";
import { gcpKms } from "../../../src/keys/gcp-kms.ts";
import { vaultTransit } from "../../../src/keys/vault-transit.ts";
import { withEnvironment } from "../../servers/support/host.ts";
import { type Answer, type ScriptedServer, startScriptedServer } from "../../support/scripted-server.ts";

/** What must appear in no message: credentials, and what the servers here put into their answers. */
const SECRETS = [
  "s3cret-token",
  "s3cret-answer",
  Buffer.alloc(32, 7).toString("base64"),
  Buffer.alloc(32, 7).toString("hex"),
];
const PART = Buffer.alloc(32, 7);

interface Remote {
  readonly name: string;
  readonly key: (server: ScriptedServer) => MasterKey;
  readonly env: (server: ScriptedServer) => Record<string, string>;
  /** An answer that unwraps, in the service's words. */
  readonly good: Answer;
  readonly enc: string;
}

function only(backend: KeyBackend, text: string): MasterKey {
  const [key] = backend.parse(text, {});
  if (key === undefined) throw new Error("no key");
  return key;
}

const base64 = PART.toString("base64");

const remotes: Remote[] = [
  {
    name: "AWS KMS",
    key: () => only(awsKms, "arn:aws:kms:eu-west-1:123456789012:key/k"),
    env: ({ url }) => ({
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "s3cret-token",
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    }),
    good: { status: 200, body: JSON.stringify({ Plaintext: base64 }) },
    enc: Buffer.from("wrapped").toString("base64"),
  },
  {
    name: "Vault",
    key: ({ url }) => only(vaultTransit, `${url}/v1/transit/keys/k`),
    env: () => ({ VAULT_TOKEN: "s3cret-token", HTTP_PROXY: "http://127.0.0.1:9" }),
    good: { status: 200, body: JSON.stringify({ data: { plaintext: base64 } }) },
    enc: "vault:v1:wrapped",
  },
  {
    name: "GCP KMS",
    key: () => only(gcpKms, "projects/p/locations/l/keyRings/r/cryptoKeys/k"),
    env: ({ url }) => ({
      SOPS_GCP_KMS_CLIENT_TYPE: "rest",
      SOPS_GCP_KMS_ENDPOINT: url,
      GOOGLE_OAUTH_ACCESS_TOKEN: "s3cret-token",
      METADATA_SERVER_DETECTION: "none",
    }),
    good: { status: 200, body: JSON.stringify({ plaintext: base64 }) },
    enc: Buffer.from("wrapped").toString("base64"),
  },
];

let server: ScriptedServer;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.stop());

/** Unwraps with the given answers; gives the key in hex or the failure's message. */
async function unwrap(remote: Remote, env: Record<string, string>, ...answers: Answer[]): Promise<string> {
  server.script(...answers);
  return withEnvironment({ LEAFCRYPT_TIMEOUT: "5", ...remote.env(server), ...env }, async (host) => {
    try {
      return Buffer.from(await remote.key(server).unwrap(remote.enc, host)).toString("hex");
    } catch (error) {
      const shown = `${String(error)}\n${String((error as Error).stack)}\n${JSON.stringify(error)}\n${String((error as Error).cause)}`;
      for (const secret of SECRETS) expect(shown).not.toContain(secret);
      return (error as Error).message;
    }
  });
}

const body = JSON.stringify({
  error: { message: "s3cret-answer", status: "x" },
  errors: ["s3cret-answer"],
  message: "s3cret-answer",
});
const PART_HEX = PART.toString("hex");

describe.each(remotes)("$name", (remote) => {
  it.each([
    { name: "throttles", bad: { status: 429, body } },
    { name: "is broken for a moment", bad: { status: 500, body } },
    { name: "is unavailable for a moment", bad: { status: 503, body } },
    { name: "resets the connection", bad: "reset" },
  ] as const)("is asked again when it $name", async ({ bad }) => {
    expect(await unwrap(remote, {}, bad, bad, remote.good)).toBe(PART_HEX);
    expect(server.requests).toHaveLength(3);
  });

  it.each([
    { name: "throttles all the time", answer: { status: 429, body }, requests: 3 },
    { name: "denies", answer: { status: 403, body }, requests: 1 },
    { name: "knows no such thing", answer: { status: 404, body }, requests: 1 },
    { name: "wants other credentials", answer: { status: 401, body }, requests: 1 },
    { name: "redirects", answer: { status: 307, body, headers: { location: "/elsewhere" } }, requests: 1 },
    { name: "answers with a page", answer: { status: 200, body: "<html>s3cret-answer</html>" }, requests: 1 },
    { name: "answers without a key", answer: { status: 200, body: "{}" }, requests: 1 },
    {
      name: "answers with something else in the key's place",
      answer: {
        status: 200,
        body: JSON.stringify({ Plaintext: {}, plaintext: {}, data: { plaintext: "s3cret-answer!" } }),
      },
      requests: 1,
    },
  ] as const)("fails once and for all when it $name", async ({ answer, requests }) => {
    const message = await unwrap(remote, {}, answer);
    expect(message).toMatch(/^(failed to decrypt|AWS KMS answered|GCP KMS answered|the plaintext)/);
    expect(server.requests.map(({ path }) => path)).not.toContain("/elsewhere");
    expect(server.requests).toHaveLength(requests);
  });

  it("ends with a sentence when half an answer comes", async () => {
    expect(await unwrap(remote, {}, "half")).toMatch(/^failed to decrypt/);
  });

  it("does not wait for a silent server", async () => {
    const started = performance.now();
    expect(await unwrap(remote, { LEAFCRYPT_TIMEOUT: "0.3" }, "silence")).toMatch(/no answer within|DEADLINE_EXCEEDED/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe("requests", () => {
  const [aws, vault, gcp] = remotes as [Remote, Remote, Remote];

  it("of AWS name the key, the context and the region of the ARN", async () => {
    await unwrap(aws, { AWS_REGION: "us-east-1" }, aws.good);
    const [request] = server.requests;
    expect(request?.headers["x-amz-target"]).toBe("TrentService.Decrypt");
    expect(request?.headers.authorization).toContain("/eu-west-1/kms/aws4_request");
    expect(JSON.parse(request?.body ?? "")).toEqual({
      KeyId: "arn:aws:kms:eu-west-1:123456789012:key/k",
      CiphertextBlob: aws.enc,
      EncryptionContext: {},
    });
  });

  it("of Vault carry the token, the mark and the namespace", async () => {
    await unwrap(vault, { VAULT_NAMESPACE: "team" }, vault.good);
    const [request] = server.requests;
    expect([request?.method, request?.path]).toEqual(["PUT", "/v1/transit/decrypt/k"]);
    expect(request?.headers).toMatchObject({
      "x-vault-token": "s3cret-token",
      "x-vault-request": "true",
      "x-vault-namespace": "team",
    });
    expect(request?.body).toBe('{"ciphertext":"vault:v1:wrapped"}');
  });

  it("of Vault go to the agent, which adds its own token", async () => {
    server.script(vault.good);
    const agent = { VAULT_AGENT_ADDR: server.url };
    await withEnvironment(agent, async (host) => {
      await only(vaultTransit, "https://vault.example.test/v1/transit/keys/k").unwrap("vault:v1:x", host);
    });
    expect(server.requests[0]?.headers["x-vault-token"]).toBeUndefined();
  });

  it("of Google go to the key with the token", async () => {
    await unwrap(gcp, {}, gcp.good);
    const [request] = server.requests;
    expect(request?.path).toMatch(/^\/v1\/projects\/p\/locations\/l\/keyRings\/r\/cryptoKeys\/k:decrypt/);
    expect(request?.headers.authorization).toBe("Bearer s3cret-token");
    expect(JSON.parse(request?.body ?? "")).toMatchObject({ ciphertext: gcp.enc });
  });
});

describe("what AWS says", () => {
  const [aws] = remotes as [Remote];
  it.each([
    { type: "AccessDeniedException", advice: "the credentials may not use this key" },
    { type: "NotFoundException", advice: "the key does not exist" },
    { type: "DisabledException", advice: "the key is disabled" },
    { type: "KMSInvalidStateException", advice: "pending deletion" },
    { type: "IncorrectKeyException", advice: "made by another key" },
    { type: "ExpiredTokenException", advice: "sign in again" },
    { type: "UnrecognizedClientException", advice: "does not know the access key" },
    { type: "InvalidSignatureException", advice: "the clock of this machine" },
  ])("is explained: $type", async ({ type, advice }) => {
    const answer = { status: 400, body: JSON.stringify({ __type: type, message: "s3cret-answer" }) };
    const message = await unwrap(aws, {}, answer);
    expect(message).toContain(`failed to decrypt sops data key with AWS KMS: ${type} (HTTP status 400); `);
    expect(message).toContain(advice);
  });

  it("about throttling is not the end", async () => {
    const answer = { status: 400, body: JSON.stringify({ __type: "ThrottlingException", message: "s3cret-answer" }) };
    expect(await unwrap(aws, {}, answer, aws.good)).toBe(PART_HEX);
  });
});

describe("what is refused before anything is sent", () => {
  it.each([
    { name: "a text that is no ARN", backend: awsKms, text: "foo", message: "no valid ARN found in 'foo'" },
    {
      name: "a region that is a host",
      backend: awsKms,
      text: "arn:aws:kms:x.evil.test/:1:key/k",
      message: "no valid ARN found in 'arn:aws:kms:x.evil.test/:1:key/k': x.evil.test/ is not a region",
    },
    { name: "a region with a user", backend: awsKms, text: "arn:aws:kms:a@evil:1:key/k", message: "is not a region" },
    {
      name: "half a resource id",
      backend: gcpKms,
      text: "projects/x",
      message: 'no valid resource ID found in "projects/x"',
    },
    {
      name: "a key version",
      backend: gcpKms,
      text: "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1",
      message: "no valid resource ID",
    },
    {
      name: "a resource id with dots",
      backend: gcpKms,
      text: "projects/p/locations/../keyRings/r/cryptoKeys/k",
      message: "no valid resource ID",
    },
    {
      name: "a resource id with a query",
      backend: gcpKms,
      text: "projects/p/locations/l/keyRings/r/cryptoKeys/k?x",
      message: "no valid resource ID",
    },
  ])("$name", async ({ backend, text, message }) => {
    await withEnvironment({}, async (host) => {
      await expect(only(backend, text).wrap(PART, host)).rejects.toThrow(message);
    });
  });

  it("an AWS profile that is not in SOPS_AWS_PROFILE_ALLOWLIST", async () => {
    const [key] = awsKms.parse("arn:aws:kms:eu-west-1:1:key/k", { awsProfile: "admin" });
    await withEnvironment({ SOPS_AWS_PROFILE_ALLOWLIST: "ci, deploy" }, async (host) => {
      await expect(key?.wrap(PART, host)).rejects.toThrow(
        "SOPS_AWS_PROFILE_ALLOWLIST does not allow the AWS profile admin",
      );
    });
  });
});
