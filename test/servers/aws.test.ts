import { request as requestPlain } from "node:http";
import { createServer } from "node:https";
import { beforeAll, expect, it } from "vitest";
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { awsKms } from "../../src/keys/aws-kms.ts";
import type { MasterKey } from "../../src/keys/backend.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { sandbox } from "../support/sandbox.ts";
import { createAuthority } from "./support/authority.ts";
import { startConnectProxy } from "./support/fakes/connect-proxy.ts";
import { startGate } from "./support/gate.ts";
import { withEnvironment } from "./support/host.ts";
import { describeKeyLife, prepared, type Subject } from "./support/scenarios.ts";
import { describeWith, localKms, moto } from "./support/servers.ts";

const DATA_KEY = Buffer.alloc(32, 7);
const SECRET = "aws-secret-of-the-test";
const ROLE = "arn:aws:iam::123456789012:role/sops";

const environment = (port: number): Record<string, string> => ({
  AWS_ENDPOINT_URL: `http://127.0.0.1:${String(port)}`,
  AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${String(port)}`,
  AWS_ACCESS_KEY_ID: "test",
  AWS_SECRET_ACCESS_KEY: SECRET,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
});

function client(port: number): KMSClient {
  return new KMSClient({
    region: "eu-west-1",
    endpoint: `http://127.0.0.1:${String(port)}`,
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
}

async function createKey(port: number): Promise<string> {
  const { KeyMetadata } = await client(port).send(new CreateKeyCommand({}));
  return KeyMetadata?.Arn ?? "";
}

async function subjectFor(port: number): Promise<Subject> {
  const gate = await startGate(port);
  return {
    ...{ flag: "kms", rule: "kms", list: "kms" },
    key: await createKey(port),
    otherKey: await createKey(port),
    env: environment(gate.port),
    gate,
    secrets: [SECRET],
  };
}

function keyOf(text: string, context: Readonly<Record<string, string>> = {}): MasterKey {
  const [key] = awsKms.parse(text, { encryptionContext: context });
  if (key === undefined) throw new Error("no key");
  return key;
}

describeWith("AWS KMS (moto)", moto, (server, folder) => {
  describeKeyLife(prepared(() => subjectFor(server().port)));

  let arn = "";
  beforeAll(async () => {
    arn = await createKey(server().port);
  });
  const using = <T>(work: Parameters<typeof withEnvironment<T>>[1]): Promise<T> =>
    withEnvironment(environment(server().port), work);

  it("binds the data key to the encryption context", async () => {
    await using(async (host) => {
      const enc = await keyOf(arn, { app: "web", env: "prod" }).wrap(DATA_KEY, host);
      expect(Buffer.from(await keyOf(arn, { env: "prod", app: "web" }).unwrap(enc, host))).toEqual(DATA_KEY);
      for (const context of [{}, { app: "web" }, { app: "web", env: "test" }]) {
        await expect(keyOf(arn, context).unwrap(enc, host)).rejects.toThrow(
          "failed to decrypt sops data key with AWS KMS: InvalidCiphertextException (HTTP status 400); the wrapped key was made by another key or with another encryption context",
        );
      }
    });
  });

  it("opens what a version before 3.3.0 wrapped with one value for every name of the context", async () => {
    await using(async (host) => {
      const enc = await keyOf(arn, { app: "prod", env: "prod" }).wrap(DATA_KEY, host);
      expect(Buffer.from(await keyOf(arn, { app: "web", env: "prod" }).unwrap(enc, host))).toEqual(DATA_KEY);
    });
  });

  it("assumes the role of the key", async () => {
    await using(async (host) => {
      const key = keyOf(`${arn}+${ROLE}`);
      expect(Buffer.from(await key.unwrap(await key.wrap(DATA_KEY, host), host))).toEqual(DATA_KEY);
    });
  });

  it("uses the profile of the key, with its role, through the program", async () => {
    const box = sandbox({ "a.yaml": "a: 1\n" }, { ...environment(server().port), AWS_CONFIG_FILE: "aws-config" });
    box.write(
      "aws-config",
      `[profile base]\naws_access_key_id = k\naws_secret_access_key = ${SECRET}\n[profile ci]\nrole_arn = ${ROLE}\nsource_profile = base\n`,
    );
    const encrypted = await box.start(["leafcrypt", "encrypt", "--kms", arn, "--aws-profile", "ci", "a.yaml"], {
      env: { AWS_ACCESS_KEY_ID: undefined },
    });
    expect(encrypted).toMatchObject({ status: 0, stderr: "" });
    expect(encrypted.stdout).toContain("aws_profile: ci");
    box.write("e.yaml", encrypted.stdout);
    expect(await box.run("decrypt", "e.yaml")).toMatchObject({ status: 0, stdout: "a: 1\n", stderr: "" });
    const elsewhere = { env: { SOPS_AWS_PROFILE_ALLOWLIST: "deploy" } };
    expect(await box.start(["leafcrypt", "decrypt", "e.yaml"], elsewhere)).toMatchObject({ status: 128, stdout: "" });
    box.remove();
  });

  it("goes through HTTPS_PROXY, and trusts AWS_CA_BUNDLE alone", async () => {
    const authority = createAuthority(folder());
    const front = createServer({ cert: authority.cert, key: authority.key }, (request, response) => {
      const onward = requestPlain(
        { port: server().port, host: "127.0.0.1", method: request.method, path: request.url, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        },
      );
      request.pipe(onward);
    });
    const frontPort = await listenOnLoopback(front);
    const proxy = await startConnectProxy((host) => (host === "kms.example.test" ? frontPort : null));
    const env = {
      ...environment(server().port),
      AWS_ENDPOINT_URL: "https://kms.example.test",
      HTTPS_PROXY: `http://127.0.0.1:${String(proxy.port)}`,
      AWS_CA_BUNDLE: authority.caFile,
    };
    const box = sandbox({ "a.yaml": "a: 1\n" }, env);
    expect(await box.run("encrypt", "--kms", arn, "a.yaml")).toMatchObject({ status: 0, stderr: "" });
    expect(proxy.hosts).toContain("kms.example.test");
    const result = await box.start(["leafcrypt", "encrypt", "--kms", arn, "a.yaml"], {
      env: { AWS_CA_BUNDLE: undefined },
    });
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("the certificate's authority is not known here");
    box.remove();
    await proxy.stop();
    front.closeAllConnections();
    front.close();
  });

  it("says that a key does not exist, and that a profile has no credentials", async () => {
    await using(async (host) => {
      await expect(keyOf(arn.replace(/key\/.*/, "key/none")).wrap(DATA_KEY, host)).rejects.toThrow(
        /NotFoundException \(HTTP status 400\); the key does not exist/,
      );
      const [key] = awsKms.parse(arn, { awsProfile: "nobody" });
      await expect(key?.wrap(DATA_KEY, host)).rejects.toThrow(
        /CredentialsProviderError; no AWS credentials were found/,
      );
    });
  });
});

describeWith("AWS KMS (local-kms)", localKms, (server) => {
  describeKeyLife(prepared(() => subjectFor(server().port)));

  it("says that a key is disabled", async () => {
    const arn = await createKey(server().port);
    await client(server().port).send(new DisableKeyCommand({ KeyId: arn }));
    await withEnvironment(environment(server().port), async (host) => {
      await expect(keyOf(arn).wrap(DATA_KEY, host)).rejects.toThrow(/DisabledException .*; the key is disabled/);
    });
  });
});
