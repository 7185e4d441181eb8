import type * as Grpc from "@grpc/grpc-js";
import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { MasterKey } from "../backend.ts";
import { callRemote, type Failure, loadOptional } from "../call.ts";
import { isMapping, printable } from "../fields.ts";
import { isLoopback } from "../loopback.ts";
import { decodeResponse, encodeRequest, METHODS } from "./protocol.ts";
import type { ConnectedKeyService } from "./service.ts";
import { type ServiceAddress, splitHostPort } from "./uri.ts";

/**
 * Connects to a key service. Data keys go there in the clear, so an address off loopback is warned about.
 *
 * @see cli-behaviour.md 8
 */
export async function connectKeyService(target: ServiceAddress, host: Host): Promise<ConnectedKeyService> {
  const grpc = await loadOptional("@grpc/grpc-js", () => import("@grpc/grpc-js"));
  warnAboutNetwork(target, host);
  const address = target.network === "unix" ? `unix:${target.address}` : target.address;
  const client = new grpc.Client(address, grpc.credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    "grpc.max_receive_message_length": MAX_ANSWER,
  });
  const call = (method: string, request: Buffer): Promise<Uint8Array> =>
    callRemote(
      {
        failed: "rpc error",
        attempt: (signal, limit) => send(client, method, request, signal, limit),
        explain: (error) => explain(error, grpc.status),
      },
      host,
    );
  return {
    wrap: async (key, part) => {
      const ciphertext = await call(METHODS.encrypt, encodeRequest(serviceKey(key), part));
      return Buffer.from(ciphertext).toString("utf8");
    },
    unwrap: (key, enc) => call(METHODS.decrypt, encodeRequest(serviceKey(key), Buffer.from(enc))),
    close: () => {
      client.close();
    },
  };
}

/** A wrapped key has some hundred bytes; with SSH or hybrid keys a few thousand. */
const MAX_ANSWER = 1024 * 1024;

function serviceKey(key: MasterKey): { type: MasterKey["type"]; record: ReturnType<MasterKey["toRecord"]> } {
  return { type: key.type, record: key.toRecord() };
}

function warnAboutNetwork({ network, address }: ServiceAddress, host: Host): void {
  const name = network === "unix" ? null : splitHostPort(address)?.host;
  if (typeof name === "string" && !isLoopback(name)) {
    host.warn("The key service is asked over the network without encryption: data keys can be read on the way", {
      keyservice: printable(address),
    });
  }
}

function send(
  client: Grpc.Client,
  method: string,
  request: Buffer,
  signal: AbortSignal,
  limit: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      method,
      (bytes: Buffer) => bytes,
      decodeResponse,
      request,
      { deadline: Date.now() + limit },
      (error: Grpc.ServiceError | null, answer?: Uint8Array) => {
        if (error !== null) reject(error);
        else if (answer === undefined) reject(new KeyError("the key service answered nothing"));
        else resolve(answer);
      },
    );
    signal.addEventListener(
      "abort",
      () => {
        call.cancel();
      },
      { once: true },
    );
  });
}

/** The user named the service, and its text says which key failed and why; so it is passed on, printable and short. */
function explain(error: unknown, status: typeof Grpc.status): Failure {
  const code = isMapping(error) && typeof error["code"] === "number" ? error["code"] : 2;
  const name = status[code] ?? "UNKNOWN";
  const details = isMapping(error) && typeof error["details"] === "string" ? error["details"] : "";
  return name === "UNAVAILABLE"
    ? { reason: "code = Unavailable", passing: false, advice: "no key service answers at its address" }
    : { reason: `code = ${codeName(name)} desc = ${printable(details.slice(0, MAX_DETAILS))}`, passing: false };
}

const MAX_DETAILS = 2000;

/** `NOT_FOUND` as Go writes it: `NotFound`. */
function codeName(name: string): string {
  return name
    .toLowerCase()
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
