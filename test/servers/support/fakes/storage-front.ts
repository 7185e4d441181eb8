import { createPublicKey, createVerify, generateKeyPairSync, type KeyObject } from "node:crypto";
import { writeFileSync } from "node:fs";
import { request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { join } from "node:path";
import { listenOnLoopback } from "../../../support/loopback.ts";
import type { Authority } from "../authority.ts";
import type { Running } from "../process.ts";
import { startConnectProxy } from "./connect-proxy.ts";

/** Google Cloud Storage as it is reached in earnest: by its own names, over TLS, with the token of a service account. */
export interface StorageFront extends Running {
  /** Proxy, authority and service account for a program. */
  readonly env: Readonly<Record<string, string>>;
  /** Tokens given out since the start. */
  readonly tokens: number;
  /** Statuses of the next answers of the storage, in place of the right ones. */
  readonly failures: number[];
}

const TOKEN = "token-of-the-stand-in";
const ACCOUNT = "publisher@project.example.test";

/** Stands in for Google's token service, and passes on to an emulator, which asks for no token, what has one. */
export async function startStorageFront(
  emulatorPort: number,
  authority: Authority,
  folder: string,
): Promise<StorageFront> {
  const state = { tokens: 0 };
  const failures: number[] = [];
  const account = writeAccount(folder);
  const server = createServer({ cert: authority.cert, key: authority.key }, (request, response) => {
    if (request.headers.host === "oauth2.googleapis.com") {
      void giveToken(request, response, account.publicKey).then((isGiven) => {
        if (isGiven) state.tokens++;
      });
      return;
    }
    const failure = request.headers.authorization === `Bearer ${TOKEN}` ? failures.shift() : 401;
    if (failure === undefined) passOn(request, response, emulatorPort);
    else response.writeHead(failure, { connection: "close" }).end(`{"error":"${TOKEN}"}`);
  });
  const port = await listenOnLoopback(server);
  const hosts = ["storage.googleapis.com", "oauth2.googleapis.com"];
  const proxy = await startConnectProxy((host) => (hosts.includes(host) ? port : null));
  const stop = async (): Promise<void> => {
    await proxy.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    port,
    env: {
      HTTPS_PROXY: `http://127.0.0.1:${String(proxy.port)}`,
      NODE_EXTRA_CA_CERTS: authority.caFile,
      GOOGLE_APPLICATION_CREDENTIALS: account.file,
    },
    get tokens() {
      return state.tokens;
    },
    failures,
    kill: () => void stop(),
    stop,
  };
}

function writeAccount(folder: string): { readonly file: string; readonly publicKey: KeyObject } {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" });
  const file = join(folder, "account.json");
  const account = { type: "service_account", project_id: "p", private_key_id: "k", private_key: pem };
  writeFileSync(file, JSON.stringify({ ...account, client_email: ACCOUNT, client_id: "1" }));
  return { file, publicKey: createPublicKey(privateKey) };
}

/** Answers what the account has signed, as in RFC 7523. */
async function giveToken(request: IncomingMessage, response: ServerResponse, publicKey: KeyObject): Promise<boolean> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const assertion = new URLSearchParams(Buffer.concat(chunks).toString("utf8")).get("assertion") ?? "";
  const [head = "", claims = "", signature = ""] = assertion.split(".");
  const isSigned = createVerify("sha256").update(`${head}.${claims}`).verify(publicKey, signature, "base64url");
  const { iss, scope } = isSigned
    ? (JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as { iss?: unknown; scope?: unknown })
    : {};
  const isGiven = iss === ACCOUNT && scope === "https://www.googleapis.com/auth/devstorage.read_write";
  response.writeHead(isGiven ? 200 : 400, { "content-type": "application/json" });
  response.end(JSON.stringify(isGiven ? { access_token: TOKEN, expires_in: 3600, token_type: "Bearer" } : {}));
  return isGiven;
}

function passOn(request: IncomingMessage, response: ServerResponse, port: number): void {
  const { method, url: path, headers } = request;
  const onward = forward({ host: "127.0.0.1", port, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  onward.once("error", () => response.destroy());
  request.pipe(onward);
}
