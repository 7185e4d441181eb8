import { beforeAll, expect, it } from "vitest";
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { awsKms } from "../../src/keys/aws-kms.ts";
import type { MasterKey } from "../../src/keys/backend.ts";
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

describeWith("AWS KMS (moto)", moto, (server) => {
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
