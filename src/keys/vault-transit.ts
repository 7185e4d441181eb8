import type NodeVault from "node-vault";
import { encodeBase64 } from "../bytes/base64.ts";
import { KeyError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { KeyBackend, MasterKey } from "./backend.ts";
import { callRemote, connectionFailure, type Failure, isPassingStatus, loadOptional } from "./call.ts";
import { isMapping, memberText, parseUrl, printable, requireBase64, requiredText, splitList } from "./fields.ts";
import { requireAllowedAddress, timeoutFrom, tlsFrom, tokenFrom } from "./vault-settings.ts";

/** What names a key of a transit engine. */
interface TransitKey {
  /** Scheme, host and port, as given. */
  readonly address: string;
  /** Where the engine is mounted, `transit` or `team/sops`. */
  readonly engine: string;
  readonly name: string;
}

/** Data keys wrapped by the transit engine of HashiCorp Vault or OpenBao. */
export const vaultTransit: KeyBackend = {
  type: "hc_vault",
  title: "Vault transit",
  names: {
    rule: "hc_vault_transit_uri",
    ruleAliases: ["hc_vault_uris"],
    group: "hc_vault",
    groupAliases: ["hc_vault_transit_uri", "hc_vault_uris"],
    flag: "hc-vault-transit",
    env: "SOPS_VAULT_URIS",
  },
  dated: true,
  parse: (text) => splitList(text).map((item) => masterKey(parseUri(item))),
  fromGroupEntry: (item) =>
    typeof item === "string" ? splitList(item).map((uri) => masterKey(parseUri(uri))) : [masterKey(groupKey(item))],
  fromRecord: (record) =>
    masterKey({
      address: requiredText(record, "vault_address"),
      engine: requiredText(record, "engine_path"),
      name: requiredText(record, "key_name"),
    }),
};

const EXAMPLE = "https://vault.example.com:8200/v1/transit/keys/keyName";

/**
 * Reads `SCHEME://HOST[:PORT]/vN/ENGINE…/keys/NAME`. Whatever N is, the API asked is v1.
 *
 * @throws {KeyError} also for a name that would change the path of a request
 */
function parseUri(text: string): TransitKey {
  const match = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)(.*)$/is.exec(text);
  if (match === null) {
    throw new KeyError(`missing scheme in Vault URL (should be like this: +${EXAMPLE}), got: ${printable(text)}`);
  }
  const segments = (match[2] ?? "").split("/").filter((segment) => segment !== "");
  const version = segments.findIndex((segment, index) => /^v\d+$/.test(segment) && segments.length - index > 3);
  const name = segments.at(-1);
  if (version < 0 || name === undefined || segments.at(-2) !== "keys") {
    throw new KeyError(`vault path does not seem to be formatted correctly: (eg. ${EXAMPLE})`);
  }
  if (version > 0) {
    throw new KeyError(`running Vault with a prefixed URL is not supported! (Format has to be like ${EXAMPLE})`);
  }
  const key = { address: match[1] ?? "", engine: segments.slice(1, -2).join("/"), name };
  requirePlainSegments(key);
  return key;
}

function groupKey(item: unknown): TransitKey {
  if (!isMapping(item)) throw new KeyError("an hc_vault key of a key group is a key URI");
  return parseUri(memberText(item, "uri"));
}

/** @throws {KeyError} if a segment of the path is more than a name: the token must reach no other part of the API */
function requirePlainSegments({ engine, name }: TransitKey): void {
  const isPlain = [...engine.split("/"), name].every(
    (segment) => /^[A-Za-z0-9_.-]+$/.test(segment) && !/^\.+$/.test(segment),
  );
  if (!isPlain) throw new KeyError("the engine path and key name of a Vault key have letters, digits, _ . - only");
}

function masterKey(key: TransitKey): MasterKey {
  return {
    type: "hc_vault",
    id: `${key.address}/v1/${key.engine}/keys/${key.name}`,
    wrap: (part, host) => encrypt(key, part, host),
    unwrap: (enc, host) => decrypt(key, enc, host),
    toRecord: () => ({ vault_address: key.address, engine_path: key.engine, key_name: key.name }),
  };
}

async function encrypt(key: TransitKey, part: Uint8Array, host: Host): Promise<string> {
  const failed = `failed to encrypt sops data key to Vault transit backend '${backendPath(key, "encrypt")}'`;
  const { ciphertext } = await ask(key, "encrypt", { plaintext: encodeBase64(part) }, failed, host);
  if (typeof ciphertext !== "string" || ciphertext === "") throw new KeyError(`${failed}: no ciphertext in the answer`);
  return ciphertext;
}

async function decrypt(key: TransitKey, enc: string, host: Host): Promise<Uint8Array> {
  const failed = `failed to decrypt sops data key from Vault transit backend '${backendPath(key, "decrypt")}'`;
  const { plaintext } = await ask(key, "decrypt", { ciphertext: enc.trim() }, failed, host);
  return requireBase64(plaintext, "the plaintext that Vault answered");
}

function backendPath({ engine, name }: TransitKey, action: "encrypt" | "decrypt"): string {
  return printable(`${engine}/${action}/${name}`);
}

async function ask(
  key: TransitKey,
  action: "encrypt" | "decrypt",
  body: Readonly<Record<string, string>>,
  failed: string,
  host: Host,
): Promise<Readonly<Record<string, unknown>>> {
  requirePlainSegments(key);
  const agentAddress = host.env["VAULT_AGENT_ADDR"] ?? "";
  const address = requireAllowedAddress(agentAddress === "" ? key.address : agentAddress, host.env);
  const connect = await clientFor(address, host);
  const path = `/${key.engine}/${action}/${key.name}`;
  const answer = await callRemote<unknown>(
    {
      failed,
      attempt: (signal) => connect(signal).request({ path, method: "PUT", json: body }),
      explain,
      limit: timeoutFrom(host.env),
    },
    host,
  );
  const data = isMapping(answer) ? answer["data"] : undefined;
  if (!isMapping(data)) throw new KeyError(`${failed}: the answer is not Vault's`);
  return data;
}

/**
 * A client for each attempt. The package builds the requests and reads the answers; it is given a transport of ours, as
 * its own follows redirects with the token, and knows neither limits nor proxies.
 */
async function clientFor(address: URL, host: Host): Promise<(signal: AbortSignal) => NodeVault.client> {
  const [{ default: nodeVault }, transport] = await Promise.all([
    loadOptional("node-vault", () => import("node-vault")),
    transportFor(address, host),
  ]);
  const token = tokenFrom(host);
  return (signal) => {
    const client = nodeVault({
      endpoint: address.origin,
      namespace: host.env["VAULT_NAMESPACE"] ?? "",
      debug: () => undefined, // would print request bodies when DEBUG asks for it
      "request-promise": { defaults: () => (request: VaultRequest) => transport(request, signal) },
    });
    // The package takes variables of the process for what is empty.
    return Object.assign(client, { token, pathPrefix: "" });
  };
}

/** What the package hands to its transport, and what it wants back. */
interface VaultRequest {
  readonly uri: string;
  readonly method: string;
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string>>;
}
interface VaultResponse {
  readonly statusCode: number;
  readonly body: unknown;
  readonly request: { readonly path: string };
}

async function transportFor(
  address: URL,
  host: Host,
): Promise<(request: VaultRequest, signal: AbortSignal) => Promise<VaultResponse>> {
  const [{ requestJson }, { httpsAgent, proxyForHost }] = await Promise.all([
    import("./http.ts"),
    import("./agent.ts"),
  ]);
  const proxy = host.env["VAULT_PROXY_ADDR"] ?? host.env["VAULT_HTTP_PROXY"] ?? "";
  const proxyOf = (name: string): URL | null => (proxy === "" ? proxyForHost(name, host.env) : parseUrl(proxy));
  const agent = address.protocol === "https:" ? httpsAgent(tlsFrom(host), proxyOf) : undefined;
  return async ({ uri, method, json, headers }, signal) => {
    const url = new URL(uri);
    const marked = { ...headers, "X-Vault-Request": "true" };
    const { status, body } = await requestJson(url, { method, headers: marked, body: json, agent, signal });
    return { statusCode: status, body, request: { path: url.pathname } };
  };
}

const ADVICE: Readonly<Record<number, string>> = {
  400: "there is no such key, or the wrapped key was not made by it",
  403: "the token is missing, has expired, or its policy does not allow this: log in with vault login or set VAULT_TOKEN",
  404: "there is no transit engine at this path",
  429: "Vault limits the rate of requests",
  473: "this node is a standby: use the address of the active one",
  503: "Vault is sealed or in maintenance",
};

function explain(error: unknown): Failure {
  const response = isMapping(error) ? error["response"] : undefined;
  const status = isMapping(response) ? response["statusCode"] : undefined;
  if (typeof status !== "number") return connectionFailure(error) ?? { reason: "the request failed", passing: false };
  const isRedirect = status >= 300 && status < 400;
  return {
    reason: `HTTP status ${String(status)}`,
    passing: isPassingStatus(status),
    advice: isRedirect ? "redirects are not followed: use the address it leads to" : ADVICE[status],
  };
}
