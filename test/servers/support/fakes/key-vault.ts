import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { listenOnLoopback } from "../../../support/loopback.ts";
import type { Authority } from "../authority.ts";
import type { Running } from "../process.ts";
import { startConnectProxy } from "./connect-proxy.ts";

/** A stand-in for Azure Key Vault and for the managed identity that gives tokens for it. */
export interface KeyVault extends Running {
  /** What a program needs to reach `https://<any name>.vault.azure.net` here: proxy, authority, identity. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes a new version of a key. */
  createKey(name: string): string;
  /** The port that the proxy leads to: the vault's own, unless something is to stand in between. */
  route: number;
  /** The resource that the vault's challenge names; another than its own must be refused. */
  resource: string;
  /** Statuses of the next answers to requests with a token, in place of the right ones. */
  readonly failures: number[];
  /** Requests seen, such as `POST /keys/k/…/encrypt`. */
  readonly requests: string[];
}

interface VaultKey {
  readonly version: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const OAEP = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };

/** Starts the vault (HTTPS), the identity endpoint (HTTP) and the proxy that leads `*.vault.azure.net:443` to the vault. */
export async function startKeyVault(authority: Authority): Promise<KeyVault> {
  const keys = new Map<string, VaultKey[]>();
  const requests: string[] = [];
  const failures: number[] = [];
  const state = { resource: "https://vault.azure.net" };
  const vault = createHttpsServer({ cert: authority.cert, key: authority.key }, (request, response) => {
    requests.push(`${request.method ?? ""} ${request.url?.split("?")[0] ?? ""}`);
    void answer(request, response, keys, { resource: state.resource, failures });
  });
  const identity = createServer((_request, response) => {
    const inAnHour = String(Math.floor(Date.now() / 1000) + 3600);
    send(response, 200, {
      access_token: "token-of-the-stand-in",
      expires_on: inAnHour,
      resource: state.resource,
      token_type: "Bearer",
    });
  });
  const vaultPort = await listenOnLoopback(vault);
  const identityPort = await listenOnLoopback(identity);
  const route = { port: vaultPort };
  const proxy = await startConnectProxy((host) => (host.endsWith(".vault.azure.net") ? route.port : null));
  return {
    port: vaultPort,
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${String(proxy.port)}`,
      NO_PROXY: "127.0.0.1,localhost",
      IDENTITY_ENDPOINT: `http://127.0.0.1:${String(identityPort)}/msi/token`,
      IDENTITY_HEADER: "h",
      NODE_EXTRA_CA_CERTS: authority.caFile,
      SSL_CERT_FILE: authority.caFile,
    },
    requests,
    failures,
    get route() {
      return route.port;
    },
    set route(port: number) {
      route.port = port;
    },
    get resource() {
      return state.resource;
    },
    set resource(resource: string) {
      state.resource = resource;
    },
    createKey(name) {
      const version = randomBytes(16).toString("hex");
      keys.set(name, [...(keys.get(name) ?? []), { version, ...generateKeyPairSync("rsa", { modulusLength: 2048 }) }]);
      return version;
    },
    kill: () => {
      vault.closeAllConnections();
      vault.close();
    },
    stop: async () => {
      await proxy.stop();
      for (const server of [vault, identity]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  keys: ReadonlyMap<string, readonly VaultKey[]>,
  { resource, failures }: { resource: string; failures: number[] },
): Promise<void> {
  const body = await readBody(request);
  if (request.headers.authorization === undefined) {
    const challenge = `Bearer authorization="https://login.microsoftonline.com/tenant", resource="${resource}"`;
    send(response, 401, { error: { code: "Unauthorized", message: "no token" } }, { "WWW-Authenticate": challenge });
    return;
  }
  const failure = failures.shift();
  if (failure !== undefined) {
    const code = failure === 403 ? "Forbidden" : "Busy";
    send(response, failure, { error: { code, message: "s3cret-answer" } }, { location: "/elsewhere" });
    return;
  }
  const path = new URL(request.url ?? "", "https://vault").pathname;
  const [, name = "", version = "", action = ""] = /^\/keys\/([^/]+)(?:\/([^/]*))?(?:\/([^/]+))?$/.exec(path) ?? [];
  const versions = keys.get(name) ?? [];
  const key = version === "" ? versions.at(-1) : versions.find((candidate) => candidate.version === version);
  if (key === undefined) {
    send(response, 404, { error: { code: "KeyNotFound", message: "no such key" } });
    return;
  }
  const kid = `https://${request.headers.host ?? ""}/keys/${name}/${key.version}`;
  if (request.method === "GET") {
    const { n, e } = key.publicKey.export({ format: "jwk" });
    const now = Math.floor(Date.now() / 1000);
    send(response, 200, {
      key: { kid, kty: "RSA", key_ops: ["encrypt", "decrypt"], n, e },
      attributes: { enabled: true, created: now, updated: now },
    });
    return;
  }
  const { alg, value } = JSON.parse(body) as { alg?: unknown; value?: unknown };
  const use = action === "encrypt" ? publicEncrypt : privateDecrypt;
  try {
    if (alg !== "RSA-OAEP-256" || typeof value !== "string") throw new Error("not understood");
    const secret = action === "encrypt" ? key.publicKey : key.privateKey;
    send(response, 200, {
      kid,
      value: use({ key: secret, ...OAEP }, Buffer.from(value, "base64url")).toString("base64url"),
    });
  } catch {
    send(response, 400, { error: { code: "BadParameter", message: `cannot ${action} ${String(value)}` } });
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
