import { parseJson } from "../../bytes/json.ts";
import { createHash } from "node:crypto";
import type { GoogleAuth } from "google-auth-library";
import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { httpsAgent, proxyForHost } from "../../keys/agent.ts";
import { callRemote, connectionFailure, isPassingStatus, perHost, type Failure } from "../../keys/call.ts";
import { isMapping, parseUrl, printable } from "../../keys/fields.ts";
import { credentialsFileFailure, loadGoogle } from "../../keys/google-credentials.ts";
import { requestText } from "../../keys/http.ts";
import type { Target } from "./destination.ts";

// One request of the JSON API is all there is to do: Google's own package would bring a second, older copy of their
// credentials library along, and 60 more packages.

const ENDPOINT = "https://storage.googleapis.com";
const SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";

/** An object in Google Cloud Storage, or in the emulator that `STORAGE_EMULATOR_HOST` names. */
export function gcsTarget(bucket: string, name: string): Target {
  const address = `gcs://${bucket}/${name}`;
  return {
    address,
    async put(content, host) {
      const failed = `failed to upload to ${printable(address)}`;
      const url = uploadUrl(bucket, name, host);
      const headers = await authorization(url, host, failed);
      const attempt = (signal: AbortSignal): Promise<string> => upload(url, content, headers, host, signal);
      const answer = await callRemote({ failed, attempt, explain }, host);
      // An upload that was cut short, or damaged, is none (I-26).
      if (digestIn(answer) !== createHash("md5").update(content).digest("base64")) {
        throw new KeyError(`${failed}: what arrived is not what was sent`);
      }
      return "written";
    },
  };
}

function uploadUrl(bucket: string, name: string, { env }: Host): URL {
  const emulator = env["STORAGE_EMULATOR_HOST"] ?? "";
  const base = emulator === "" ? ENDPOINT : emulator.includes("://") ? emulator : `http://${emulator}`;
  const url = parseUrl(base);
  if (url === null) throw new KeyError("STORAGE_EMULATOR_HOST is not a host and a port");
  url.pathname = `/upload/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  url.search = `uploadType=media&name=${encodeURIComponent(name)}`;
  return url;
}

/** An emulator gets no credentials; else `GOOGLE_OAUTH_ACCESS_TOKEN`, or Google's application default credentials. */
async function authorization(url: URL, host: Host, failed: string): Promise<Record<string, string>> {
  if ((host.env["STORAGE_EMULATOR_HOST"] ?? "") !== "") return {};
  const token = host.env["GOOGLE_OAUTH_ACCESS_TOKEN"] ?? "";
  if (token !== "") return { authorization: `Bearer ${token}` };
  const auth = await authOf(host);
  const attempt = async (): Promise<Record<string, string>> => {
    const headers = await (await auth.getClient()).getRequestHeaders(url.href);
    return Object.fromEntries(headers.entries());
  };
  const explainCredentials = (error: unknown): Failure =>
    credentialsFileFailure(error) ??
    connectionFailure(error) ?? {
      reason: "no Google credentials were found",
      passing: false,
      advice: "run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS",
    };
  return callRemote({ failed, attempt, explain: explainCredentials }, host);
}

/** One for a run: credentials are looked up once, and a token lasts for many uploads. */
const authOf = perHost(async (): Promise<GoogleAuth> => {
  const { GoogleAuth } = await loadGoogle("google-auth-library", () => import("google-auth-library"));
  return new GoogleAuth({ scopes: [SCOPE] });
});

/** Connections that are used again. */
const agentOf = perHost(({ env }) => httpsAgent({}, (name) => proxyForHost(name, env)));

/** An answer that is a failure, by its HTTP status. */
class StatusError extends Error {
  readonly status: number;

  constructor(status: number) {
    super("not uploaded");
    this.status = status;
  }
}

async function upload(
  url: URL,
  payload: Uint8Array,
  headers: Readonly<Record<string, string>>,
  host: Host,
  signal: AbortSignal,
): Promise<string> {
  const agent = url.protocol === "https:" ? agentOf(host) : undefined;
  const contentType = "application/octet-stream";
  const { status, text } = await requestText(url, { method: "POST", headers, payload, contentType, agent, signal });
  if (status !== 200) throw new StatusError(status);
  return text;
}

function digestIn(answer: string): unknown {
  const value = parseJson(answer);
  return isMapping(value) ? value["md5Hash"] : undefined;
}

const ADVICE: Readonly<Record<number, string>> = {
  401: "the credentials are not accepted: run gcloud auth application-default login",
  403: "the account may not write there: it needs storage.objects.create (and delete, to replace an object)",
  404: "there is no such bucket",
};

function explain(error: unknown): Failure {
  if (!(error instanceof StatusError))
    return connectionFailure(error) ?? { reason: "the request failed", passing: false };
  const { status } = error;
  return { reason: `HTTP status ${String(status)}`, passing: isPassingStatus(status), advice: ADVICE[status] };
}
