import type { TokenCredential } from "@azure/identity";
import type * as Keys from "@azure/keyvault-keys";
import { KeyError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { KeyBackend, MasterKey } from "./backend.ts";
import {
  callRemote,
  connectionFailure,
  type Failure,
  isPassingStatus,
  loadOptional,
  perHost,
  safeName,
} from "./call.ts";
import { isMapping, memberText, parseUrl, printable, quoted, requiredText, splitList, textOf } from "./fields.ts";

/** What names one version of a key in a vault. */
interface VaultKey {
  /** `https://name.vault.azure.net`, as given. */
  readonly vaultUrl: string;
  readonly name: string;
  /** Empty until `resolve` has asked for the current one. */
  readonly version: string;
}

/** Data keys wrapped by a key in Azure Key Vault (RSA-OAEP-256); through its SDK and the default chain of credentials. */
export const azureKeyVault: KeyBackend = {
  type: "azure_kv",
  title: "Azure Key Vault",
  names: { rule: "azure_keyvault", group: "azure_keyvault", flag: "azure-kv", env: "SOPS_AZURE_KEYVAULT_URLS" },
  dated: true,
  parse: (text) => splitList(text).map((item) => masterKey(parseKeyUrl(item))),
  fromGroupEntry: (item) => [masterKey(typeof item === "string" ? parseKeyUrl(item.trim()) : groupKey(item))],
  fromRecord: (record) =>
    masterKey({
      vaultUrl: requiredText(record, "vault_url"),
      name: requiredText(record, "name"),
      version: textOf(record, "version"),
    }),
};

function parseKeyUrl(text: string): VaultKey {
  const match = /^(https:\/\/[^/]+)\/keys\/([^/]+)(?:\/([^/]*))?$/.exec(text);
  if (match === null) throw new KeyError(`could not parse ${quoted(text)} into a valid Azure Key Vault MasterKey []`);
  return { vaultUrl: match[1] ?? "", name: match[2] ?? "", version: match[3] ?? "" };
}

function groupKey(item: unknown): VaultKey {
  if (!isMapping(item)) {
    throw new KeyError("an azure_keyvault key of a key group is a key URL, or a mapping with vaultUrl and key");
  }
  const key = {
    vaultUrl: memberText(item, "vaultUrl"),
    name: memberText(item, "key"),
    version: memberText(item, "version"),
  };
  if (key.vaultUrl === "" || key.name === "") throw new KeyError("an azure_keyvault key needs vaultUrl and key");
  return key;
}

function masterKey(key: VaultKey): MasterKey {
  return {
    type: "azure_kv",
    id: `${key.vaultUrl}/keys/${key.name}/${key.version}`,
    wrap: (part, host) => encrypt(key, part, host),
    unwrap: (enc, host) => decrypt(key, enc, host),
    toRecord: () => ({ vault_url: key.vaultUrl, name: key.name, version: key.version }),
    ...(key.version === "" ? { resolve: async (host) => masterKey(await currentVersion(key, host)) } : {}),
  };
}

async function encrypt(key: VaultKey, part: Uint8Array, host: Host): Promise<string> {
  const use = await cryptographyClient(key, host);
  const { result } = await callRemote(
    {
      failed: "failed to encrypt sops data key with Azure Key Vault",
      attempt: (abortSignal) => use().encrypt({ algorithm: "RSA-OAEP-256", plaintext: part }, { abortSignal }),
      explain,
    },
    host,
  );
  return Buffer.from(result).toString("base64url");
}

async function decrypt(key: VaultKey, enc: string, host: Host): Promise<Uint8Array> {
  const ciphertext = Buffer.from(enc, "base64url");
  if (enc === "" || ciphertext.toString("base64url") !== enc.replace(/=+$/, "")) {
    throw new KeyError("the data key encrypted by Azure Key Vault is not base64url");
  }
  const use = await cryptographyClient(key, host);
  const { result } = await callRemote(
    {
      failed: "failed to decrypt sops data key with Azure Key Vault",
      attempt: (abortSignal) => use().decrypt({ algorithm: "RSA-OAEP-256", ciphertext }, { abortSignal }),
      explain,
    },
    host,
  );
  return result;
}

/** Asks for the version that is current now; needs the `get` permission. */
async function currentVersion(key: VaultKey, host: Host): Promise<VaultKey> {
  requireAzureKey(key, host);
  const { KeyClient } = await loadKeys();
  const credential = await credentialOf(host);
  const version = await callRemote(
    {
      failed: `failed to get the current version of the key ${printable(key.name)} from Azure Key Vault`,
      attempt: async (abortSignal) =>
        (await new KeyClient(key.vaultUrl, credential, CLIENT_OPTIONS).getKey(key.name, { abortSignal })).properties
          .version,
      explain,
    },
    host,
  );
  if (version === undefined) throw new KeyError("Azure Key Vault answered without the version of the key");
  return { ...key, version };
}

/** `callRemote` repeats; a vault has no reason to send a data key elsewhere. */
const CLIENT_OPTIONS = { retryOptions: { maxRetries: 0 }, redirectOptions: { maxRetries: 0 } };

/**
 * A client for each attempt: the SDK keeps the body of a request that waits for the vault's challenge in the client,
 * where two requests at once would meet.
 */
async function cryptographyClient(key: VaultKey, host: Host): Promise<() => Keys.CryptographyClient> {
  requireAzureKey(key, host);
  const { CryptographyClient } = await loadKeys();
  const credential = await credentialOf(host);
  const version = key.version === "" ? "" : `/${key.version}`;
  const url = `${key.vaultUrl.replace(/\/$/, "")}/keys/${key.name}${version}`;
  return () => new CryptographyClient(url, credential, CLIENT_OPTIONS);
}

/**
 * Its log, which DEBUG and AZURE_LOG_LEVEL switch on, prints connections with their tokens. So it stays off, whatever
 * switches it on later: every further logger that is made looks at the variables again.
 */
async function loadKeys(): Promise<typeof Keys> {
  const keys = await loadOptional("@azure/keyvault-keys", () => import("@azure/keyvault-keys"));
  Object.defineProperty(keys.logger.info, "enabled", { get: () => false, set: () => undefined, configurable: true });
  return keys;
}

/** One credential for a run: its tokens are asked for once. */
const credentialOf = perHost(async (): Promise<TokenCredential> => {
  const { DefaultAzureCredential } = await loadOptional("@azure/identity", () => import("@azure/identity"));
  return new DefaultAzureCredential();
});

/** Domains of the vaults and managed HSMs of Azure's clouds. */
const VAULT_DOMAINS: readonly string[] = [
  "vault.azure.net",
  "vault.azure.cn",
  "vault.usgovcloudapi.net",
  "vault.microsoftazure.de",
  "managedhsm.azure.net",
  "managedhsm.azure.cn",
  "managedhsm.usgovcloudapi.net",
];

/**
 * A file names the vault, and a vault is sent a token: so only Azure's own domains, and those the user lists in
 * `SOPS_AZURE_KEYVAULT_DOMAINS`. The SDK besides checks that the token asked for belongs to the vault's domain.
 *
 * @throws {KeyError} for another host, or a name that would change the path of the request
 */
function requireAzureKey(key: VaultKey, host: Host): void {
  const url = parseUrl(key.vaultUrl);
  const isPlain = url?.protocol === "https:" && url.username === "" && url.password === "" && url.pathname === "/";
  if (!isPlain || url.search !== "" || url.hash !== "") {
    throw new KeyError(`the vault URL ${quoted(key.vaultUrl)} is not https and a host`);
  }
  const domains = [...VAULT_DOMAINS, ...splitList(host.env["SOPS_AZURE_KEYVAULT_DOMAINS"] ?? "")];
  if (!domains.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`))) {
    throw new KeyError(
      `${printable(url.hostname)} is not a host of Azure Key Vault; SOPS_AZURE_KEYVAULT_DOMAINS lists further domains`,
    );
  }
  if (![key.name, key.version].every((segment) => /^[0-9A-Za-z-]*$/.test(segment))) {
    throw new KeyError("the name and version of an Azure Key Vault key have letters, digits and hyphens only");
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  KeyNotFound: "there is no such key or version in the vault",
  Forbidden:
    "the identity may not use this key: it needs the permissions get, encrypt and decrypt, or a role that has them",
  Unauthorized: "the vault does not accept the identity: check its tenant",
  BadParameter: "the wrapped key was not made by this version of the key",
  CredentialUnavailableError: "no Azure credentials were found: run az login, or set AZURE_CLIENT_ID and the like",
  AggregateAuthenticationError: "no Azure credentials were found: run az login, or set AZURE_CLIENT_ID and the like",
  AuthenticationError: "Azure did not accept the credentials",
  AuthenticationRequiredError: "Azure wants an interactive sign-in: run az login",
};

function explain(error: unknown): Failure {
  if (!isMapping(error)) return { reason: "the request failed", passing: false };
  const status = typeof error["statusCode"] === "number" ? error["statusCode"] : null;
  const connection = status === null ? connectionFailure(error) : null;
  if (connection !== null) return connection;
  if (isForeignChallenge(error)) return { reason: "the vault asked for a token of another domain", passing: false };
  const name = safeName(error["code"]) ?? safeName(error["name"]) ?? "the request failed";
  return {
    reason: status === null ? name : `${name} (HTTP status ${String(status)})`,
    passing: status !== null && isPassingStatus(status),
    advice: ADVICE[name],
  };
}

/** The SDK has no code for this refusal, only a sentence. */
function isForeignChallenge(error: Readonly<Record<string, unknown>>): boolean {
  const message = error["message"];
  return typeof message === "string" && message.startsWith("The challenge");
}
