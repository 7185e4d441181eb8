import { createRequire } from "node:module";
import type { sendUnaryData, ServerUnaryCall } from "@grpc/grpc-js";
import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";
import type { Authority } from "../authority.ts";
import type { Running } from "../process.ts";

/** Codes of gRPC for the HTTP statuses that drongo answers with. */
const CODES: Readonly<Record<number, grpc.status>> = {
  400: grpc.status.INVALID_ARGUMENT,
  403: grpc.status.PERMISSION_DENIED,
  404: grpc.status.NOT_FOUND,
  409: grpc.status.ALREADY_EXISTS,
};

interface KmsRequest {
  readonly name: string;
  readonly plaintext?: Uint8Array;
  readonly ciphertext?: Uint8Array;
}

/** Google's gRPC service, from Google's message definitions, each call passed on to a KMS that knows REST only. */
export async function startKmsBridge(restPort: number, authority: Authority): Promise<Running> {
  const definitions = createRequire(import.meta.url)("@google-cloud/kms/build/protos/protos.json") as Parameters<
    typeof loader.fromJSON
  >[0];
  const service = loader.fromJSON(definitions, { keepCase: false, longs: String })[
    "google.cloud.kms.v1.KeyManagementService"
  ];
  const server = new grpc.Server();
  server.addService(service as grpc.ServiceDefinition, {
    encrypt: passOn("encrypt", "plaintext", "ciphertext", restPort),
    decrypt: passOn("decrypt", "ciphertext", "plaintext", restPort),
  });
  const pair = { cert_chain: Buffer.from(authority.cert), private_key: Buffer.from(authority.key) };
  const credentials = grpc.ServerCredentials.createSsl(null, [pair]);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  const stop = (): Promise<void> => {
    server.forceShutdown();
    return Promise.resolve();
  };
  return { port, kill: () => void stop(), stop };
}

type Field = "plaintext" | "ciphertext";

function passOn(action: string, from: Field, to: Field, restPort: number) {
  return (call: ServerUnaryCall<KmsRequest, object>, callback: sendUnaryData<object>): void => {
    const { name } = call.request;
    const send = async (): Promise<void> => {
      const response = await fetch(`http://127.0.0.1:${String(restPort)}/v1/${name}:${action}`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: "Bearer x" },
        body: JSON.stringify({ [from]: Buffer.from(call.request[from] ?? []).toString("base64") }),
      });
      const body = (await response.json()) as Readonly<Record<string, string>>;
      if (!response.ok)
        callback({ code: CODES[response.status] ?? grpc.status.UNKNOWN, details: JSON.stringify(body) });
      else callback(null, { [to]: Buffer.from(body[to] ?? "", "base64") });
    };
    send().catch(() => {
      callback({ code: grpc.status.UNAVAILABLE });
    });
  };
}
