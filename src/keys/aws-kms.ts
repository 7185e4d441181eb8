import type * as Sdk from "@aws-sdk/client-kms";
import type { KMSClient, KMSClientConfig } from "@aws-sdk/client-kms";
import { encodeBase64 } from "../bytes/base64.ts";
import { KeyError } from "../errors.ts";
import type { Host } from "../host.ts";
import { awsConnection } from "./aws-connection.ts";
import type { KeyBackend, KeyDefaults, KeyRecord, MasterKey } from "./backend.ts";
import {
  callRemote,
  connectionFailure,
  type Failure,
  isPassingStatus,
  loadOptional,
  perHost,
  safeName,
} from "./call.ts";
import {
  isMapping,
  memberText,
  printable,
  requireBase64,
  requiredText,
  splitList,
  textOf,
  withoutBlanks,
} from "./fields.ts";

type Context = Readonly<Record<string, string>>;

/** What names one AWS KMS key, with how to reach it. */
interface KmsKey {
  readonly arn: string;
  /** Role to assume before the call; empty for none. */
  readonly role: string;
  /** Encryption context: pairs that KMS binds the wrapped key to. */
  readonly context: Context;
  /** Profile of the shared config files; empty for the environment's. */
  readonly profile: string;
}

/** Data keys wrapped by AWS KMS; through its SDK, so that every way AWS has of finding credentials works. */
export const awsKms: KeyBackend = {
  type: "kms",
  title: "AWS KMS",
  names: { rule: "kms", group: "kms", flag: "kms", short: "k", env: "SOPS_KMS_ARN" },
  dated: true,
  parse: (text, defaults) => splitList(text).map((item) => masterKey(parseItem(item, defaults))),
  fromGroupEntry: (item) => [masterKey(typeof item === "string" ? parseItem(item, {}) : groupKey(item))],
  fromRecord: (record) =>
    masterKey({
      arn: requiredText(record, "arn"),
      role: textOf(record, "role"),
      context: contextOf(record["context"] ?? {}),
      profile: textOf(record, "aws_profile"),
    }),
};

/** Reads `ARN` or `ARN+ROLE`; which region and account it names is looked at when the key is used. */
function parseItem(item: string, defaults: KeyDefaults): KmsKey {
  const text = withoutBlanks(item);
  const plus = text.indexOf("+arn:");
  return {
    arn: plus > 0 ? text.slice(0, plus) : text,
    role: plus > 0 ? text.slice(plus + 1) : "",
    context: contextOf(defaults.encryptionContext ?? {}),
    profile: defaults.awsProfile ?? "",
  };
}

function groupKey(item: unknown): KmsKey {
  if (!isMapping(item)) throw new KeyError("a kms key of a key group is an ARN, or a mapping with arn");
  const named = parseItem(memberText(item, "arn"), {});
  const role = memberText(item, "role");
  return {
    arn: named.arn,
    role: role === "" ? named.role : role,
    context: contextOf(item["context"] ?? {}),
    profile: memberText(item, "aws_profile"),
  };
}

function contextOf(value: unknown): Context {
  const entries = isMapping(value) ? Object.entries(value) : null;
  if (entries === null || !entries.every((entry): entry is [string, string] => typeof entry[1] === "string")) {
    throw new KeyError("the context of a kms key is a mapping of texts");
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function masterKey(key: KmsKey): MasterKey {
  return {
    type: "kms",
    id: displayName(key),
    wrap: (part, host) => encrypt(key, part, host),
    unwrap: (enc, host) => decrypt(key, enc, host),
    toRecord: () => recordOf(key),
  };
}

function displayName({ arn, role, context, profile }: KmsKey): string {
  const pairs = Object.keys(context)
    .sort()
    .map((name) => `${name}:${context[name] ?? ""}`)
    .join(",");
  const name = role === "" ? arn : `${arn}+${role}`;
  if (profile !== "") return `${name}|${pairs}|${profile}`;
  return pairs === "" ? name : `${name}|${pairs}`;
}

function recordOf({ arn, role, context, profile }: KmsKey): KeyRecord {
  return {
    arn,
    ...(role === "" ? {} : { role }),
    ...(Object.keys(context).length === 0 ? {} : { context }),
    aws_profile: profile,
  };
}

async function encrypt(key: KmsKey, part: Uint8Array, host: Host): Promise<string> {
  const { EncryptCommand } = await loadSdk();
  const client = await clientFor(key, host);
  const blob = await callRemote(
    {
      failed: "failed to encrypt sops data key with AWS KMS",
      attempt: async (abortSignal) => {
        const command = new EncryptCommand({ KeyId: key.arn, Plaintext: part, EncryptionContext: key.context });
        return (await client.send(command, { abortSignal })).CiphertextBlob;
      },
      explain: (error) => explain(error, key),
    },
    host,
  );
  if (!(blob instanceof Uint8Array) || blob.length === 0) throw new KeyError("AWS KMS answered without a ciphertext");
  return encodeBase64(blob);
}

async function decrypt(key: KmsKey, enc: string, host: Host): Promise<Uint8Array> {
  const blob = requireBase64(enc, "the data key encrypted by AWS KMS");
  const { DecryptCommand } = await loadSdk();
  const client = await clientFor(key, host);
  const contexts = [key.context, ...uniformContexts(key.context)];
  const plaintext = await callRemote(
    {
      failed: "failed to decrypt sops data key with AWS KMS",
      attempt: async (abortSignal) => {
        const send = async (context: Context): Promise<Uint8Array | undefined> => {
          const command = new DecryptCommand({ KeyId: key.arn, CiphertextBlob: blob, EncryptionContext: context });
          return (await client.send(command, { abortSignal })).Plaintext;
        };
        return await firstAccepted(contexts, send);
      },
      explain: (error) => explain(error, key),
    },
    host,
  );
  if (!(plaintext instanceof Uint8Array)) throw new KeyError("AWS KMS answered without a plaintext");
  return plaintext;
}

/** A file decides how many values there are; each costs a call. */
const MOST_REPAIRS = 16;

/**
 * The contexts that versions before 3.3.0 may have used in place of one with several values: by a defect, every name was
 * given one and the same of them.
 *
 * @see file-format.md 6.7
 */
function uniformContexts(context: Context): Context[] {
  const values = [...new Set(Object.values(context))];
  if (values.length < 2) return [];
  return values
    .slice(0, MOST_REPAIRS)
    .map((value) => Object.fromEntries(Object.keys(context).map((name) => [name, value])));
}

/** Sends for one context after the other while the service says that the ciphertext belongs to another. */
async function firstAccepted<T>(contexts: readonly Context[], send: (context: Context) => Promise<T>): Promise<T> {
  let refusal: unknown;
  for (const context of contexts) {
    try {
      return await send(context);
    } catch (error) {
      refusal ??= error;
      if (nameOf(error) !== "InvalidCiphertextException") throw error;
    }
  }
  throw refusal;
}

function loadSdk(): Promise<typeof Sdk> {
  return loadOptional("@aws-sdk/client-kms", () => import("@aws-sdk/client-kms"));
}

/** One client for each region, profile and role of a run: credentials are looked up once. */
const clientsOf = perHost(() => new Map<string, Promise<KMSClient>>());

function clientFor(key: KmsKey, host: Host): Promise<KMSClient> {
  const region = regionOf(key.arn);
  requireAllowedProfile(key.profile, host);
  const clients = clientsOf(host);
  const name = JSON.stringify([region, key.profile, key.role]);
  const client = clients.get(name) ?? connect(region, key, host);
  clients.set(name, client);
  return client;
}

/** @throws {KeyError} unless the ARN is a key's or alias's, in what can be a region: it becomes part of a host name */
function regionOf(arn: string): string {
  const region = /^arn:aws[\w-]*:kms:(.+):[0-9]+:(key|alias)\/.+$/.exec(arn)?.[1];
  if (region === undefined) throw new KeyError(`no valid ARN found in '${printable(arn)}'`);
  if (!/^[a-z]{2,}(-[a-z0-9]+)+$/.test(region)) {
    throw new KeyError(`no valid ARN found in '${printable(arn)}': ${printable(region)} is not a region`);
  }
  return region;
}

/** A file names the profile; `SOPS_AWS_PROFILE_ALLOWLIST` says which ones it may. Unset or `all`: any. */
function requireAllowedProfile(profile: string, host: Host): void {
  const list = host.env["SOPS_AWS_PROFILE_ALLOWLIST"] ?? "";
  if (profile === "" || list === "" || list === "all" || splitList(list).includes(profile)) return;
  throw new KeyError(`SOPS_AWS_PROFILE_ALLOWLIST does not allow the AWS profile ${printable(profile)}`);
}

async function connect(region: string, key: KmsKey, host: Host): Promise<KMSClient> {
  const { KMSClient } = await loadSdk();
  const base: KMSClientConfig = {
    region,
    ...(await awsConnection(host)),
    ...(key.profile === "" ? {} : { profile: key.profile }),
  };
  return new KMSClient(key.role === "" ? base : { ...base, credentials: await roleCredentials(key, base) });
}

async function roleCredentials(
  key: KmsKey,
  base: KMSClientConfig,
): Promise<NonNullable<KMSClientConfig["credentials"]>> {
  const { fromNodeProviderChain, fromTemporaryCredentials } = await loadOptional(
    "@aws-sdk/credential-providers",
    () => import("@aws-sdk/credential-providers"),
  );
  const { hostname } = await import("node:os");
  const assume = fromTemporaryCredentials({
    params: { RoleArn: key.role, RoleSessionName: sessionName(hostname()) },
    masterCredentials: fromNodeProviderChain(key.profile === "" ? {} : { profile: key.profile }),
    clientConfig: base as object,
  });
  return async (...options) => {
    try {
      return await assume(...options);
    } catch (error) {
      throw new RoleError(error);
    }
  };
}

/** Tells the failure to assume a role from a failure of KMS. */
class RoleError extends Error {
  readonly reason: unknown;

  constructor(reason: unknown) {
    super("role not assumed");
    this.reason = reason;
  }
}

/**
 * `sops@` and the host name without what STS does not take, hyphens included; at most 64 characters.
 *
 * @see cli-behaviour.md 5.3: the reference removes what is outside `a-zA-Z0-9=,.` and the range from `@` to `_`
 */
export function sessionName(hostName: string): string {
  return `sops@${hostName.replaceAll(/[^a-zA-Z0-9=,.@-_]/g, "")}`.slice(0, 64);
}

const ADVICE: Readonly<Record<string, string>> = {
  AccessDeniedException:
    "the credentials may not use this key: check the key's policy and the caller's (kms:Encrypt, kms:Decrypt)",
  AccessDenied: "the credentials may not assume this role: check the role's trust policy",
  NotFoundException: "the key does not exist in the account and region of its ARN",
  DisabledException: "the key is disabled: enable it, or use another key of the file",
  KMSInvalidStateException: "the key is pending deletion or not usable: restore it, or use another key of the file",
  InvalidCiphertextException: "the wrapped key was made by another key or with another encryption context",
  IncorrectKeyException: "the wrapped key was made by another key",
  ExpiredTokenException: "the session has expired: sign in again",
  ExpiredToken: "the session has expired: sign in again",
  UnrecognizedClientException: "AWS does not know the access key: check the credentials",
  InvalidClientTokenId: "AWS does not know the access key: check the credentials",
  InvalidSignatureException: "AWS rejects the signature: check the secret key, and the clock of this machine",
  RequestTimeTooSkewed: "the clock of this machine is wrong",
  CredentialsProviderError: "no AWS credentials were found: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run aws sso login",
  TokenProviderError: "the SSO session has expired: run aws sso login",
};

const THROTTLED: ReadonlySet<string> = new Set([
  "ThrottlingException",
  "Throttling",
  "TooManyRequestsException",
  "LimitExceededException",
  "KMSInternalException",
  "DependencyTimeoutException",
  "KeyUnavailableException",
]);

function explain(error: unknown, key: KmsKey): Failure {
  if (error instanceof RoleError) {
    const inner = explain(error.reason, key);
    return { ...inner, reason: `failed to assume role '${printable(key.role)}': ${inner.reason}` };
  }
  const name = nameOf(error);
  const status = statusOf(error);
  const connection = status === null ? connectionFailure(error) : null;
  if (connection !== null) return connection;
  return {
    reason: `${name ?? "the request failed"}${status === null ? "" : ` (HTTP status ${String(status)})`}`,
    passing: (name !== null && THROTTLED.has(name)) || (status !== null && isPassingStatus(status)),
    advice: name === null ? undefined : ADVICE[name],
  };
}

function nameOf(error: unknown): string | null {
  return isMapping(error) ? safeName(error["name"]) : null;
}

function statusOf(error: unknown): number | null {
  const metadata = isMapping(error) ? error["$metadata"] : null;
  const status = isMapping(metadata) ? metadata["httpStatusCode"] : null;
  return typeof status === "number" ? status : null;
}
