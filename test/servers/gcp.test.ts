import { expect, it } from "vitest";
import type { MasterKey } from "../../src/keys/backend.ts";
import { gcpKms } from "../../src/keys/gcp-kms.ts";
import { startGate } from "./support/gate.ts";
import { withEnvironment } from "./support/host.ts";
import { describeKeyLife, prepared } from "./support/scenarios.ts";
import { describeWith, drongo, drongoGrpc } from "./support/servers.ts";

const DATA_KEY = Buffer.alloc(32, 7);
const TOKEN = "google-token-of-the-test";
const RING = "projects/p/locations/global/keyRings";

async function createKeys(port: number, names: readonly string[]): Promise<string[]> {
  const post = async (path: string, body?: object): Promise<void> => {
    await fetch(`http://127.0.0.1:${String(port)}/v1/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body ?? {}),
    });
  };
  await post(`${RING}?keyRingId=r`);
  for (const name of names) await post(`${RING}/r/cryptoKeys?cryptoKeyId=${name}`, { purpose: "ENCRYPT_DECRYPT" });
  return names.map((name) => `${RING}/r/cryptoKeys/${name}`);
}

function keyOf(resourceId: string): MasterKey {
  const [key] = gcpKms.parse(resourceId, {});
  if (key === undefined) throw new Error("no key");
  return key;
}

const offline = { METADATA_SERVER_DETECTION: "none" };

describeWith("GCP KMS over REST (drongo)", drongo, (server) => {
  describeKeyLife(
    prepared(async () => {
      const gate = await startGate(server().port);
      const [key = "", otherKey = ""] = await createKeys(server().port, ["k1", "k2"]);
      return {
        ...{ flag: "gcp-kms", rule: "gcp_kms", list: "gcp_kms" },
        ...{ key, otherKey, gate, secrets: [TOKEN] },
        env: {
          ...offline,
          SOPS_GCP_KMS_CLIENT_TYPE: "rest",
          SOPS_GCP_KMS_ENDPOINT: `http://127.0.0.1:${String(gate.port)}`,
          GOOGLE_OAUTH_ACCESS_TOKEN: TOKEN,
        },
      };
    }),
  );

  const rest = (): Record<string, string> => ({
    ...offline,
    SOPS_GCP_KMS_CLIENT_TYPE: "rest",
    SOPS_GCP_KMS_ENDPOINT: `http://127.0.0.1:${String(server().port)}`,
  });

  it("says that a key does not exist, and that a wrapped key is not its", async () => {
    const [id = ""] = await createKeys(server().port, ["k3"]);
    await withEnvironment({ ...rest(), GOOGLE_OAUTH_ACCESS_TOKEN: TOKEN }, async (host) => {
      await expect(keyOf(`${RING}/r/cryptoKeys/none`).wrap(DATA_KEY, host)).rejects.toThrow(
        "failed to encrypt sops data key with GCP KMS: NOT_FOUND; there is no such key",
      );
      await expect(keyOf(id).unwrap(Buffer.alloc(64).toString("base64"), host)).rejects.toThrow(
        "failed to decrypt sops data key with GCP KMS: INVALID_ARGUMENT; the wrapped key was not made by this key",
      );
    });
  });

  it("says that there are no credentials", async () => {
    await withEnvironment({ ...rest(), HOME: "/nonexistent" }, async (host) => {
      await expect(keyOf(`${RING}/r/cryptoKeys/k`).wrap(DATA_KEY, host)).rejects.toThrow(
        /no Google credentials were found/,
      );
    });
  });

  it("takes GOOGLE_CREDENTIALS before a token, and shows none of it", async () => {
    await withEnvironment(
      { ...rest(), GOOGLE_CREDENTIALS: "private text", GOOGLE_OAUTH_ACCESS_TOKEN: TOKEN },
      async (host) => {
        await expect(keyOf(`${RING}/r/cryptoKeys/k`).wrap(DATA_KEY, host)).rejects.toThrow(
          "GOOGLE_CREDENTIALS is neither the path of a file with JSON credentials nor JSON credentials",
        );
      },
    );
  });
});

describeWith("GCP KMS over gRPC (bridge to drongo)", drongoGrpc, (server) => {
  describeKeyLife(
    prepared(async () => {
      const gate = await startGate(server().port);
      const [key = "", otherKey = ""] = await createKeys(server().restPort, ["k1", "k2"]);
      return {
        ...{ flag: "gcp-kms", rule: "gcp_kms", list: "gcp_kms" },
        ...{ key, otherKey, gate, secrets: [TOKEN] },
        env: {
          ...offline,
          SOPS_GCP_KMS_ENDPOINT: `localhost:${String(gate.port)}`,
          GOOGLE_OAUTH_ACCESS_TOKEN: TOKEN,
          GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: server().caFile,
          NODE_EXTRA_CA_CERTS: server().caFile,
          SSL_CERT_FILE: server().caFile,
        },
      };
    }),
  );
});
