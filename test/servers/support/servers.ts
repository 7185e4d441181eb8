import * as http from "node:http";
import type { IncomingMessage } from "node:http";
import * as https from "node:https";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe } from "vitest";
import { createAuthority } from "./authority.ts";
import { type KeyVault, startKeyVault } from "./fakes/key-vault.ts";
import { startKmsBridge } from "./fakes/kms-grpc.ts";
import { type StorageFront, startStorageFront } from "./fakes/storage-front.ts";
import { findProgram, missingReason } from "./programs.ts";
import { freePort, type Running, start } from "./process.ts";

/** One counterpart: what it needs, how it starts. */
export interface ServerKind<T extends Running = Running> {
  /** Its word in `LEAFCRYPT_REQUIRED_SERVERS`. */
  readonly name: string;
  readonly programs: readonly string[];
  readonly start: (folder: string) => Promise<T>;
}

/** Runs a suite against a server of its own, or skips it with the reason in its title. */
export function describeWith<T extends Running>(
  title: string,
  kind: ServerKind<T>,
  body: (server: () => T, folder: () => string) => void,
): void {
  const missing = missingReason(kind.name, kind.programs);
  describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
    let folder = "";
    let server: T | undefined;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "leafcrypt-server-"));
      server = await kind.start(folder);
    });
    afterAll(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    body(
      () => {
        if (server === undefined) throw new Error("the server has not started");
        return server;
      },
      () => folder,
    );
  });
}

/** AWS KMS and STS by moto. */
export const moto: ServerKind = {
  name: "aws",
  programs: ["moto_server"],
  start: async (folder) => {
    const port = await freePort();
    return start({
      command: program("moto_server"),
      args: ["-H", "127.0.0.1", "-p", String(port)],
      folder,
      port,
      isReady: () => isOk(`http://127.0.0.1:${String(port)}/moto-api/`),
    });
  },
};

/** AWS KMS by local-kms, a second opinion. */
export const localKms: ServerKind = {
  name: "aws2",
  programs: ["local-kms"],
  start: async (folder) => {
    const port = await freePort();
    return start({
      command: program("local-kms"),
      args: [],
      folder,
      port,
      env: { PORT: String(port), KMS_REGION: "eu-west-1", KMS_ACCOUNT_ID: "123456789012", KMS_DATA_PATH: folder },
      isReady: async () => {
        await fetch(`http://127.0.0.1:${String(port)}/`, {
          method: "POST",
          headers: { "X-Amz-Target": "TrentService.ListKeys" },
        });
        return true;
      },
    });
  },
};

/** GCP KMS over REST by drongo. */
export const drongo: ServerKind = {
  name: "gcp",
  programs: ["drongo"],
  start: async (folder) => {
    const port = await freePort();
    return start({
      command: program("drongo"),
      args: ["server", "--host", "127.0.0.1", "--port", String(port)],
      folder,
      port,
      isReady: () => isOk(`http://127.0.0.1:${String(port)}/drongo/health`),
    });
  },
};

/** Drongo with a gRPC front of ours: what it decrypts it has encrypted, the transport is Google's. */
export const drongoGrpc: ServerKind<Running & { readonly restPort: number; readonly caFile: string }> = {
  name: "gcp",
  programs: ["drongo", "openssl"],
  start: async (folder) => {
    const authority = createAuthority(folder);
    const rest = await drongo.start(folder);
    const bridge = await startKmsBridge(rest.port, authority);
    return {
      port: bridge.port,
      restPort: rest.port,
      caFile: authority.caFile,
      kill: () => {
        bridge.kill();
        rest.kill();
      },
      stop: async () => {
        await bridge.stop();
        await rest.stop();
      },
    };
  },
};

/** Azure Key Vault by a stand-in of ours, behind a proxy that leads its host names there. */
export const keyVault: ServerKind<KeyVault> = {
  name: "azure",
  programs: ["openssl"],
  start: (folder) => startKeyVault(createAuthority(folder)),
};

/** Google Cloud Storage by an emulator, in memory. */
export const storageEmulator: ServerKind = {
  name: "gcs",
  programs: ["gcp-storage-emulator"],
  start: async (folder) => {
    const port = await freePort();
    return start({
      command: program("gcp-storage-emulator"),
      args: ["start", "--in-memory", "--host", "127.0.0.1", "--port", String(port)],
      folder,
      port,
      isReady: () => isOk(`http://127.0.0.1:${String(port)}/`),
    });
  },
};

/** The emulator behind the names, TLS and tokens of Google. */
export const storageFront: ServerKind<StorageFront & { readonly emulatorPort: number }> = {
  name: "gcs",
  programs: ["gcp-storage-emulator", "openssl"],
  start: async (folder) => {
    const emulator = await storageEmulator.start(folder);
    const front = await startStorageFront(emulator.port, createAuthority(folder), folder);
    return {
      port: front.port,
      emulatorPort: emulator.port,
      env: front.env,
      failures: front.failures,
      get tokens() {
        return front.tokens;
      },
      kill: () => {
        front.kill();
        emulator.kill();
      },
      stop: async () => {
        await front.stop();
        await emulator.stop();
      },
    };
  },
};

/** OpenBao's own server in dev mode, without TLS. */
export const bao: ServerKind = {
  name: "vault",
  programs: ["bao"],
  start: (folder) => startBao(folder, false),
};

/** OpenBao with TLS; its authority's certificate is `vault-ca.pem` in the server's folder. */
export const baoTls: ServerKind = {
  name: "vault",
  programs: ["bao"],
  start: (folder) => startBao(folder, true),
};

async function startBao(folder: string, tls: boolean): Promise<Running> {
  const port = await freePort();
  const args = [
    "-dev",
    "-dev-no-store-token",
    "-dev-root-token-id=root",
    `-dev-listen-address=127.0.0.1:${String(port)}`,
  ];
  return start({
    command: program("bao"),
    args: ["server", ...args, ...(tls ? ["-dev-tls", `-dev-tls-cert-dir=${folder}`] : [])],
    folder,
    port,
    isReady: () => isHealthy(`${tls ? "https" : "http"}://127.0.0.1:${String(port)}/v1/sys/health`),
  });
}

/** Asks without looking at the certificate: its authority is made at the start. */
function isHealthy(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const answered = (response: IncomingMessage): void => {
      response.resume();
      resolve(response.statusCode === 200);
    };
    const request = url.startsWith("https:")
      ? https.get(url, { rejectUnauthorized: false }, answered)
      : http.get(url, answered);
    request.once("error", reject);
  });
}

function program(name: string): string {
  return findProgram(name) ?? name;
}

async function isOk(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}
