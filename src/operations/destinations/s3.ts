import type * as Sdk from "@aws-sdk/client-s3";
import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { awsConnection } from "../../keys/aws-connection.ts";
import {
  callRemote,
  connectionFailure,
  isPassingStatus,
  loadOptional,
  perHost,
  safeName,
  type Failure,
} from "../../keys/call.ts";
import { isMapping, parseUrl, printable } from "../../keys/fields.ts";
import { isLoopback } from "../../keys/loopback.ts";
import type { Target } from "./destination.ts";

/** An object in S3; region and credentials are those of the environment and the AWS configuration. */
export function s3Target(bucket: string, key: string): Target {
  const address = `s3://${bucket}/${key}`;
  return {
    address,
    async put(content, host) {
      const { PutObjectCommand } = await loadSdk();
      const client = await clientOf(host);
      await callRemote(
        {
          failed: `failed to upload to ${printable(address)}`,
          attempt: async (abortSignal) => {
            const command = new PutObjectCommand({ Bucket: bucket, Key: key, Body: content });
            const { ETag } = await client.send(command, { abortSignal });
            if (ETag === undefined) throw new KeyError(`S3 did not confirm ${printable(address)}`);
          },
          explain,
        },
        host,
      );
      return "written";
    },
  };
}

function loadSdk(): Promise<typeof Sdk> {
  return loadOptional("@aws-sdk/client-s3", () => import("@aws-sdk/client-s3"));
}

/** One client for a run: credentials are looked up once, and connections are used again. */
const clientOf = perHost(async (host: Host): Promise<Sdk.S3Client> => {
  const { S3Client } = await loadSdk();
  return new S3Client({ ...(await awsConnection(host)), ...regionFrom(host), ...pathStyle(host) });
});

/** The reference also takes the variable of AWS's command line, which the SDK for JavaScript does not know. */
function regionFrom({ env }: Host): { region?: string } {
  const [own, region] = [env["AWS_REGION"] ?? "", env["AWS_DEFAULT_REGION"] ?? ""];
  return own === "" && region !== "" ? { region } : {};
}

/** A server on this machine has no host name for each bucket. */
function pathStyle({ env }: Host): { forcePathStyle?: true } {
  const named = [env["AWS_ENDPOINT_URL_S3"], env["AWS_ENDPOINT_URL"]].find((text) => text !== undefined && text !== "");
  const endpoint = parseUrl(named ?? "");
  return endpoint !== null && isLoopback(endpoint.hostname) ? { forcePathStyle: true } : {};
}

const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: "there is no such bucket",
  AccessDenied: "the credentials may not write there: s3:PutObject is needed",
  PermanentRedirect: "the bucket is in another region: set AWS_REGION",
  AuthorizationHeaderMalformed: "the bucket is in another region: set AWS_REGION",
  InvalidAccessKeyId: "AWS does not know the access key: check the credentials",
  SignatureDoesNotMatch: "AWS rejects the signature: check the secret key",
  RequestTimeTooSkewed: "the clock of this machine is wrong",
  ExpiredToken: "the session has expired: sign in again",
  CredentialsProviderError: "no AWS credentials were found: set AWS_PROFILE or AWS_ACCESS_KEY_ID, or run aws sso login",
  TokenProviderError: "the SSO session has expired: run aws sso login",
};

/** The SDK has no names for these failures, only sentences. */
function regionFailure(message: unknown): Failure | null {
  if (message === "Region is missing" || message === EMPTY_REGION)
    return { reason: "no AWS region is set", passing: false, advice: "set AWS_REGION" };
  return typeof message === "string" && message.startsWith("Region not accepted")
    ? { reason: "the AWS region cannot be one", passing: false, advice: "check AWS_REGION" }
    : null;
}

const EMPTY_REGION = 'Region not accepted: region="" is not a valid hostname component.';

function explain(error: unknown): Failure {
  const { name, message, $metadata: metadata } = isMapping(error) ? error : {};
  const region = regionFailure(message);
  if (region !== null) return region;
  const status = isMapping(metadata) ? metadata["httpStatusCode"] : undefined;
  const known = safeName(name);
  if (typeof status !== "number") {
    const connection = connectionFailure(error);
    if (connection !== null) return connection;
    return {
      reason: known ?? "the request failed",
      passing: false,
      advice: known === null ? undefined : ADVICE[known],
    };
  }
  return {
    reason: `${known ?? "the request failed"} (HTTP status ${String(status)})`,
    passing: isPassingStatus(status),
    advice: known === null ? undefined : ADVICE[known],
  };
}
