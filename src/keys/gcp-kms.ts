import type * as Kms from "@google-cloud/kms";
import { encodeBase64 } from "../bytes/base64.ts";
import { parseJson } from "../bytes/json.ts";
import { KeyError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { KeyBackend, MasterKey } from "./backend.ts";
import { callRemote, connectionFailure, type Failure, isPassingStatus, perHost } from "./call.ts";
import { credentialsFileFailure, loadGoogle } from "./google-credentials.ts";
import {
  isMapping,
  memberText,
  parseUrl,
  quoted,
  requireBase64,
  requiredText,
  splitList,
  withoutBlanks,
} from "./fields.ts";

type ClientOptions = NonNullable<ConstructorParameters<typeof Kms.KeyManagementServiceClient>[0]>;
type Client = Kms.KeyManagementServiceClient;

/** Data keys wrapped by Google Cloud KMS; through its client library, over gRPC or REST. */
export const gcpKms: KeyBackend = {
  type: "gcp_kms",
  title: "GCP KMS",
  names: { rule: "gcp_kms", group: "gcp_kms", flag: "gcp-kms", env: "SOPS_GCP_KMS_IDS" },
  dated: true,
  parse: (text) => splitList(text).map(masterKey),
  fromGroupEntry: (item) => [masterKey(typeof item === "string" ? item : groupResourceId(item))],
  fromRecord: (record) => masterKey(requiredText(record, "resource_id")),
};

function groupResourceId(item: unknown): string {
  if (!isMapping(item)) {
    throw new KeyError("a gcp_kms key of a key group is a resource id, or a mapping with resource_id");
  }
  return memberText(item, "resource_id");
}

/** @param text - `projects/P/locations/L/keyRings/R/cryptoKeys/K`; whether it is one is looked at when it is used */
function masterKey(text: string): MasterKey {
  const resourceId = withoutBlanks(text);
  return {
    type: "gcp_kms",
    id: resourceId,
    wrap: (part, host) => encrypt(resourceId, part, host),
    unwrap: (enc, host) => decrypt(resourceId, enc, host),
    toRecord: () => ({ resource_id: resourceId }),
  };
}

async function encrypt(name: string, plaintext: Uint8Array, host: Host): Promise<string> {
  requireResourceId(name);
  const failed = "failed to encrypt sops data key with GCP KMS";
  const { ciphertext } = await ask("encrypt", { name, plaintext }, failed, host);
  return encodeBase64(requireBytes(ciphertext, "ciphertext"));
}

async function decrypt(name: string, enc: string, host: Host): Promise<Uint8Array> {
  requireResourceId(name);
  const ciphertext = requireBase64(enc, "the data key encrypted by GCP KMS");
  const failed = "failed to decrypt sops data key with GCP KMS";
  const { plaintext } = await ask("decrypt", { name, ciphertext }, failed, host);
  return requireBytes(plaintext, "plaintext");
}

interface Request {
  readonly name: string;
  readonly plaintext?: Uint8Array;
  readonly ciphertext?: Uint8Array;
}

interface Answer {
  readonly plaintext?: Uint8Array | string | null;
  readonly ciphertext?: Uint8Array | string | null;
}

/** A call of the library that can be given up; its public methods return a promise without that, and log requests. */
type Call = (request: Request, options: CallOptions) => Promise<[Answer]> & { cancel(): void };

interface CallOptions {
  /** Milliseconds. */
  readonly timeout: number;
  readonly retry: null;
  readonly otherArgs: { readonly headers: Readonly<Record<string, string>> };
}

function ask(method: "encrypt" | "decrypt", request: Request, failed: string, host: Host): Promise<Answer> {
  const routing = { "x-goog-request-params": `name=${encodeURIComponent(request.name)}` };
  const attempt = async (signal: AbortSignal, timeout: number): Promise<Answer> => {
    const client = await clientOf(host);
    try {
      await client.initialize();
      const call = client.innerApiCalls[method] as Call;
      const pending = call(request, { timeout, retry: null, otherArgs: { headers: routing } });
      signal.addEventListener("abort", () => {
        pending.cancel();
      });
      return (await pending)[0];
    } catch (error) {
      await giveUp(host, client);
      throw error;
    }
  };
  return callRemote({ failed, attempt, explain }, host);
}

/** gRPC answers in bytes, REST in base64. */
function requireBytes(value: Uint8Array | string | null | undefined, what: string): Uint8Array {
  const bytes = typeof value === "string" ? requireBase64(value, `the ${what} of GCP KMS`) : value;
  if (bytes === null || bytes === undefined || bytes.length === 0) {
    throw new KeyError(`GCP KMS answered without a ${what}`);
  }
  return bytes;
}

function requireResourceId(name: string): void {
  const pattern = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/;
  const isPlain = name.split("/").every((segment) => /^[\w.:~-]+$/.test(segment) && !/^\.+$/.test(segment));
  if (!pattern.test(name) || !isPlain) {
    throw new KeyError(`cannot create GCP KMS service: no valid resource ID found in ${quoted(name)}`);
  }
}

/** One client for a run: it holds the connection and the token. */
const clientsOf = perHost((): { current?: Promise<Client> | undefined } => ({}));

function clientOf(host: Host): Promise<Client> {
  return (clientsOf(host).current ??= connect(host));
}

/** After a failure: a connection that could not be made is tried without end, which would keep the process alive. */
async function giveUp(host: Host, client: Client): Promise<void> {
  const clients = clientsOf(host);
  clients.current = undefined;
  await client.close().catch(() => undefined);
}

async function connect(host: Host): Promise<Client> {
  const { KeyManagementServiceClient } = await loadGoogle("@google-cloud/kms", () => import("@google-cloud/kms"));
  return new KeyManagementServiceClient({ ...endpointOptions(host.env), ...(await credentialOptions(host)) });
}

/**
 * Where the service is: `SOPS_GCP_KMS_ENDPOINT` (`host:port`, or with a scheme for REST), else `SOPS_GCP_KMS_UNIVERSE_DOMAIN`,
 * else Google's. `SOPS_GCP_KMS_CLIENT_TYPE=rest` chooses REST.
 */
function endpointOptions(env: Host["env"]): ClientOptions {
  const fallback = env["SOPS_GCP_KMS_CLIENT_TYPE"]?.toLowerCase() === "rest";
  const endpoint = env["SOPS_GCP_KMS_ENDPOINT"] ?? "";
  const domain = env["SOPS_GCP_KMS_UNIVERSE_DOMAIN"] ?? "";
  if (endpoint === "") return { fallback, ...(domain === "" ? {} : { universeDomain: domain }) };
  const url = parseUrl(endpoint.includes("://") ? endpoint : `https://${endpoint}`);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new KeyError("SOPS_GCP_KMS_ENDPOINT is not a host and a port");
  }
  const isPlain = url.protocol === "http:";
  return {
    fallback,
    apiEndpoint: url.hostname,
    port: url.port === "" ? (isPlain ? 80 : 443) : Number(url.port),
    ...(isPlain ? { protocol: "http" } : {}),
  };
}

/** For REST: a redirect is a failure, so that neither token nor key goes elsewhere. */
const TRANSPORT = { redirect: "error" } as const;

/** `GOOGLE_CREDENTIALS` (a path or the JSON itself), `GOOGLE_OAUTH_ACCESS_TOKEN`, else the library's default credentials. */
async function credentialOptions(host: Host): Promise<ClientOptions> {
  const clientOptions = { transporterOptions: TRANSPORT };
  const given = host.env["GOOGLE_CREDENTIALS"] ?? "";
  if (given !== "") return { clientOptions, credentials: parseCredentials(given, host) };
  const token = host.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
  if (token === "") return { clientOptions };
  const { OAuth2Client } = await loadGoogle("google-auth-library", () => import("google-auth-library"));
  const authClient = new OAuth2Client(clientOptions);
  authClient.setCredentials({ access_token: token });
  return { authClient };
}

function parseCredentials(given: string, host: Host): NonNullable<ClientOptions["credentials"]> {
  const file = given.trimStart().startsWith("{") ? null : host.readFile(given);
  const value = parseJson(file === null ? given : Buffer.from(file).toString("utf8"));
  if (isMapping(value)) return value;
  throw new KeyError("GOOGLE_CREDENTIALS is neither the path of a file with JSON credentials nor JSON credentials");
}

/** Status codes of gRPC. */
const STATUS: Readonly<Record<number, string>> = {
  1: "CANCELLED",
  2: "UNKNOWN",
  3: "INVALID_ARGUMENT",
  4: "DEADLINE_EXCEEDED",
  5: "NOT_FOUND",
  7: "PERMISSION_DENIED",
  8: "RESOURCE_EXHAUSTED",
  9: "FAILED_PRECONDITION",
  10: "ABORTED",
  12: "UNIMPLEMENTED",
  13: "INTERNAL",
  14: "UNAVAILABLE",
  16: "UNAUTHENTICATED",
};

/** What REST answers in their place. */
const HTTP_STATUS: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  409: "ABORTED",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};

const PASSING: ReadonlySet<string> = new Set(["RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL", "UNAVAILABLE"]);

const ADVICE: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: "the wrapped key was not made by this key",
  NOT_FOUND: "there is no such key",
  PERMISSION_DENIED:
    "the account may not use this key: it needs cloudkms.cryptoKeyVersions.useToEncrypt and useToDecrypt",
  FAILED_PRECONDITION: "the key is disabled or its version destroyed",
  UNAVAILABLE: "the service cannot be reached: check the network and SOPS_GCP_KMS_ENDPOINT",
  DEADLINE_EXCEEDED: "check the network and the service; LEAFCRYPT_TIMEOUT=<seconds> waits longer",
  UNAUTHENTICATED: "the credentials are not accepted: run gcloud auth application-default login",
};

function explain(error: unknown): Failure {
  const code = isMapping(error) ? error["code"] : null;
  const status = typeof code === "number" ? (STATUS[code] ?? HTTP_STATUS[code]) : undefined;
  if (status !== undefined) return { reason: status, passing: PASSING.has(status), advice: ADVICE[status] };
  if (typeof code === "number") return { reason: `status ${String(code)}`, passing: isPassingStatus(code) };
  const connection = credentialsFileFailure(error) ?? connectionFailure(error);
  if (connection !== null) return connection;
  return isWithoutCredentials(error)
    ? { reason: "no Google credentials were found", passing: false, advice: SIGN_IN }
    : { reason: "the request failed", passing: false };
}

const SIGN_IN = "run gcloud auth application-default login, or set GOOGLE_CREDENTIALS";

/** The library has no code for this, only a sentence. */
function isWithoutCredentials(error: unknown): boolean {
  return isMapping(error) && typeof error["message"] === "string" && error["message"].includes("default credentials");
}
