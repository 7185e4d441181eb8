import type { KMSClientConfig } from "@aws-sdk/client-kms";
import { KeyError } from "../errors.ts";
import type { Host } from "../host.ts";
import { printable } from "./fields.ts";

/** Without a logger the SDK prints its advice on standard error. */
const SILENT = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function nothing(): void {
  // Said by our own errors.
}

/** What every client of AWS is made with. */
export type AwsConnection = Required<Pick<KMSClientConfig, "maxAttempts" | "logger" | "requestHandler">>;

/**
 * How AWS is reached: through the proxies and with the CA bundle of the environment, which the SDK reads from nowhere while
 * the reference does; in one attempt, as `callRemote` repeats.
 *
 * @throws {KeyError} if the file that `AWS_CA_BUNDLE` names is not there
 */
export async function awsConnection(host: Host): Promise<AwsConnection> {
  const { httpsAgent, proxyForHost } = await import("./agent.ts");
  const bundle = host.env["AWS_CA_BUNDLE"] ?? "";
  const ca = bundle === "" ? null : host.readFile(bundle);
  if (bundle !== "" && ca === null)
    throw new KeyError(`there is no file ${printable(bundle)}, which AWS_CA_BUNDLE names`);
  return {
    maxAttempts: 1,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: 5000,
      httpsAgent: httpsAgent({ ca: ca === null ? undefined : Buffer.from(ca).toString("utf8") }, (name) =>
        proxyForHost(name, host.env),
      ),
    },
  };
}
