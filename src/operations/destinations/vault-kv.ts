import type { Destination } from "../../config/destinations.ts";
import { findEntry, UnsignedInteger, type Leaf, type Mapping, type Node } from "../../document/model.ts";
import { FormatError, KeyError, SopsError } from "../../errors.ts";
import { json } from "../../formats/json.ts";
import type { Host } from "../../host.ts";
import { httpsAgent, proxyForHost } from "../../keys/agent.ts";
import { callRemote, connectionFailure, isPassingStatus, perHost, type Failure } from "../../keys/call.ts";
import { parseUrl, printable } from "../../keys/fields.ts";
import { requestText, type HttpResponse } from "../../keys/http.ts";
import { requireAllowedAddress, timeoutFrom, tlsFrom, tokenFrom } from "../../keys/vault-settings.ts";
import { requireObjectName, type Target } from "./destination.ts";

const DEFAULT_ADDRESS = "https://127.0.0.1:8200";

/** Vault takes entries of about 1 MiB; the answer adds a few fields. */
const MAX_ANSWER = 8 * 1024 * 1024;

type VaultDestination = Extract<Destination, { kind: "vault" }>;

/**
 * An entry of Vault's key-value store, version 1 or 2; the content is a JSON object.
 *
 * @throws {KeyError} if a rule names an address that the user did not, as a token would go there
 */
export function vaultTarget({ address, mount, path, version }: VaultDestination, name: string, host: Host): Target {
  const { env } = host;
  const named = [address, env["VAULT_ADDR"]].find((text) => text !== undefined && text !== "") ?? DEFAULT_ADDRESS;
  const shown = named.replace(/\/+$/, "");
  const entry = requireObjectName(`${mount}${version === 2 ? "data/" : ""}${path}${name}`);
  const agentAddress = env["VAULT_AGENT_ADDR"] ?? "";
  const base = requireAllowedAddress(agentAddress === "" ? shown : agentAddress, env);
  const url = new URL(`/v1/${entry.split("/").filter(Boolean).map(encodeURIComponent).join("/")}`, base);
  return {
    address: `${shown}/v1/${entry}`,
    async put(content) {
      const text = Buffer.from(content).toString("utf8").trim();
      if (await isPresent(url, text, version, host)) return "unchanged";
      const failed = `failed to write to ${printable(`${shown}/v1/${entry}`)}`;
      const answer = await ask(url, "PUT", version === 2 ? `{"data":${text}}` : text, failed, host);
      requireSuccess(answer, failed);
      return "written";
    },
  };
}

/** Whether the entry holds these data already; one that cannot be read, but perhaps written, is only a warning. */
async function isPresent(url: URL, text: string, version: 1 | 2, host: Host): Promise<boolean> {
  const failed = `cannot check whether the secret is in Vault already`;
  try {
    const answer = await ask(url, "GET", "", failed, host);
    if (answer.status === 404) return false;
    requireSuccess(answer, failed);
    const data = memberOf(documentOf(answer.text), version === 2 ? ["data", "data"] : ["data"]);
    return data !== undefined && canonical(data) === canonical(documentOf(text));
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const reason = error instanceof FormatError ? `${failed}: the answer is not Vault's` : error.message;
    host.warn(`${reason}; it is written in any case`);
    return false;
  }
}

/** Read by our own reader, which keeps numbers as they are. */
function documentOf(text: string): Mapping | undefined {
  return json.read(Buffer.from(text)).documents[0];
}

function memberOf(document: Mapping | undefined, path: readonly string[]): Node | undefined {
  let node: Node | undefined = document;
  for (const key of path) node = node?.kind === "mapping" ? findEntry(node, key)?.value : undefined;
  return node;
}

/** A text that is the same for equal data, whatever the order of the keys: Vault sorts them. */
function canonical(node: Node | undefined): string {
  if (node === undefined) return "";
  if (node.kind === "sequence")
    return `[${node.items.map((item) => (item.kind === "comment" ? "" : canonical(item))).join()}]`;
  if (node.kind === "leaf") return canonicalScalar(node);
  const entries = node.items.flatMap((item) =>
    item.kind === "entry" ? [`${JSON.stringify(item.key)}:${canonical(item.value)}`] : [],
  );
  return `{${entries.sort().join()}}`;
}

/** A number of JSON is a bigint or, with a fraction, a number; the largest are kept as their digits. */
function canonicalScalar({ value }: Leaf): string {
  if (value instanceof UnsignedInteger) return value.text;
  return typeof value === "object" ? "null" : `${typeof value} ${JSON.stringify(String(value))}`;
}

async function ask(url: URL, method: "GET" | "PUT", body: string, failed: string, host: Host): Promise<HttpResponse> {
  const { env } = host;
  const agent = url.protocol === "https:" ? agentOf(host) : undefined;
  const namespace = env["VAULT_NAMESPACE"] ?? "";
  const headers = {
    "x-vault-token": tokenFrom(host),
    "x-vault-request": "true",
    ...(namespace === "" ? {} : { "x-vault-namespace": namespace }),
  };
  const attempt = async (signal: AbortSignal): Promise<HttpResponse> => {
    const content = { payload: Buffer.from(body), contentType: "application/json", maxAnswer: MAX_ANSWER };
    const answer = await requestText(url, { method, headers, ...content, agent, signal });
    if (isPassingStatus(answer.status)) throw new StatusError(answer.status);
    return answer;
  };
  return callRemote({ failed, attempt, explain, limit: timeoutFrom(env) }, host);
}

/** Connections that are used again; through Vault's own variables for a proxy, or those of all programs. */
const agentOf = perHost((host) => {
  const { env } = host;
  const proxy = env["VAULT_PROXY_ADDR"] ?? env["VAULT_HTTP_PROXY"] ?? "";
  return httpsAgent(tlsFrom(host), (name) => (proxy === "" ? proxyForHost(name, env) : parseUrl(proxy)));
});

/** An answer after which the same request may succeed. */
class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super("not answered");
    this.status = status;
  }
}

function explain(error: unknown): Failure {
  if (!(error instanceof StatusError))
    return connectionFailure(error) ?? { reason: "the request failed", passing: false };
  return { reason: `HTTP status ${String(error.status)}`, passing: true, advice: ADVICE[error.status] };
}

const ADVICE: Readonly<Record<number, string>> = {
  403: "the token is missing, has expired, or its policy does not allow this: log in with vault login or set VAULT_TOKEN",
  404: "there is no key-value store at this path: check vault_kv_mount_name and vault_kv_version",
  405: "the store does not take this: check vault_kv_version",
  429: "Vault limits the rate of requests",
  473: "this node is a standby: use the address of the active one",
  503: "Vault is sealed or in maintenance",
};

/** @throws {KeyError} for any other answer than one of success */
function requireSuccess({ status }: HttpResponse, failed: string): void {
  if (status >= 200 && status < 300) return;
  const redirected = "redirects are not followed: use the address it leads to";
  const advice = status >= 300 && status < 400 ? redirected : ADVICE[status];
  throw new KeyError(`${failed}: HTTP status ${String(status)}${advice === undefined ? "" : `; ${advice}`}`);
}
