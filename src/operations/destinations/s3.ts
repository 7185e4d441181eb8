import type { S3Client } from "@aws-sdk/client-s3";
import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { awsConnection } from "../../keys/aws-connection.ts";
import {
  callRemote,
  connectionFailure,
  isPassingStatus,
  loadOptional,
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
      const { S3Client, PutObjectCommand } = await loadOptional(
        "@aws-sdk/client-s3",
        () => import("@aws-sdk/client-s3"),
      );
      const client: S3Client = new S3Client({ ...(await awsConnection(host)), ...pathStyle(host) });
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

/** A server on this machine has no host name for each bucket. */
function pathStyle({ env }: Host): { forcePathStyle?: true } {
  const endpoint = parseUrl(env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"] ?? "");
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

function explain(error: unknown): Failure {
  const { name, message, $metadata: metadata } = isMapping(error) ? error : {};
  // The SDK has no name for this failure, only a sentence.
  if (message === "Region is missing")
    return { reason: "no AWS region is set", passing: false, advice: "set AWS_REGION" };
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
