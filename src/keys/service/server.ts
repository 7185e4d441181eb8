import type * as Grpc from "@grpc/grpc-js";
import { KeyError, SopsError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { isLoopback } from "../loopback.ts";
import type { KeyBackend, KeyType } from "../backend.ts";
import { loadOptional } from "../call.ts";
import { printable } from "../fields.ts";
import { decodeRequest, encodeResponse, METHODS, type ServiceKey, type ServiceRequest } from "./protocol.ts";
import { privateSocket } from "./socket.ts";
import { type ServiceNetwork, splitHostPort } from "./uri.ts";

/** What a request wants done with a key. */
export type Verb = "encrypt" | "decrypt";

/** How a key service is run. */
export interface KeyServiceOptions {
  readonly network: ServiceNetwork;
  /** `host:port` (port 0 takes a free one), or the path of the socket to make. */
  readonly address: string;
  readonly backends: readonly KeyBackend[];
  readonly host: Host;
  /** Asked before a key is used, one request at a time; absent, every request is answered. */
  readonly approve?: (verb: Verb, key: string) => Promise<boolean>;
  /** Told of every request when it has ended. */
  readonly onRequest?: (verb: Verb, key: string, succeeded: boolean) => void;
}

/** A key service that listens. */
export interface RunningKeyService {
  /** The address it listens on, with the port that was taken. */
  readonly address: string;
  /** Ends what is under way, closes the listener and removes the socket. May be called more than once. */
  stop(): Promise<void>;
}

/**
 * Serves the keys of `host` over gRPC, without encryption or authentication: whoever reaches the address can use them. A
 * socket can be opened by its owner only, and one that nobody listens on any more is replaced.
 *
 * @throws {KeyError} if the address cannot be listened on
 * @see cli-behaviour.md 8; the reference asks after the work is done and leaves the socket to the process's umask
 */
export async function startKeyService(options: KeyServiceOptions): Promise<RunningKeyService> {
  const grpc = await loadOptional("@grpc/grpc-js", () => import("@grpc/grpc-js"));
  grpc.setLogVerbosity(grpc.logVerbosity.NONE); // it would print what our errors say
  const server = new grpc.Server({ "grpc.max_receive_message_length": MAX_REQUEST });
  const approve = inTurn(options.approve ?? (() => Promise.resolve(true)));
  const handler = (verb: Verb): Grpc.handleUnaryCall<ServiceRequest, Uint8Array> =>
    handlerFor(verb, { ...options, approve }, grpc.status);
  server.addService(SERVICE, { encrypt: handler("encrypt"), decrypt: handler("decrypt") });
  return options.network === "unix"
    ? await listenOnSocket(server, options.address, grpc)
    : await listenOnPort(server, options, grpc);
}

/** A data key, or the text of a wrapped one. */
const MAX_REQUEST = 256 * 1024;

const SERVICE: Grpc.ServiceDefinition = {
  encrypt: methodDefinition(METHODS.encrypt),
  decrypt: methodDefinition(METHODS.decrypt),
};

function methodDefinition(path: string): Grpc.MethodDefinition<ServiceRequest, Uint8Array> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestDeserialize: decodeRequest,
    responseSerialize: encodeResponse,
    requestSerialize: notOurs,
    responseDeserialize: notOurs,
  };
}

/** The type wants a client's half as well. */
function notOurs(): never {
  throw new Error("a server neither writes requests nor reads answers");
}

async function listenOnPort(
  server: Grpc.Server,
  { address, network, host }: KeyServiceOptions,
  grpc: typeof Grpc,
): Promise<RunningKeyService> {
  const place = splitHostPort(address);
  if (place === null) throw new KeyError(`listen ${network} ${printable(address)}: not a host and a port`);
  if (!isLoopback(place.host)) {
    host.warn("The key service is open to the network, without encryption or authentication", {
      address: printable(address),
    });
  }
  const wanted = place.host === "" ? `[::]:${String(place.port)}` : address;
  const port = await bind(server, wanted, `${network} ${printable(address)}`, grpc);
  return { address: wanted.replace(/\d+$/, String(port)), stop: stopper(server, () => undefined) };
}

async function listenOnSocket(server: Grpc.Server, path: string, grpc: typeof Grpc): Promise<RunningKeyService> {
  const socket = await privateSocket(path);
  try {
    await bind(server, `unix:${socket.bindPath}`, `unix ${printable(path)}`, grpc);
    socket.publish();
  } catch (error) {
    server.forceShutdown();
    socket.remove();
    throw error;
  }
  return {
    address: path,
    stop: stopper(server, () => {
      socket.remove();
    }),
  };
}

function bind(server: Grpc.Server, target: string, name: string, grpc: typeof Grpc): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(target, grpc.ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) {
        resolve(port);
        return;
      }
      const isInUse = error.message.includes("EADDRINUSE");
      reject(
        new KeyError(`listen ${name}: bind: ${isInUse ? "address already in use" : "the address cannot be used"}`),
      );
    });
  });
}

/** How long requests under way are waited for, in milliseconds. */
const PATIENCE = 1000;

function stopper(server: Grpc.Server, release: () => void): () => Promise<void> {
  return () =>
    new Promise((resolve) => {
      const force = setTimeout(() => {
        server.forceShutdown();
      }, PATIENCE);
      server.tryShutdown(() => {
        clearTimeout(force);
        release();
        resolve();
      });
    });
}

type ServeOptions = KeyServiceOptions & Required<Pick<KeyServiceOptions, "approve">>;

function handlerFor(
  verb: Verb,
  options: ServeOptions,
  status: typeof Grpc.status,
): Grpc.handleUnaryCall<ServiceRequest, Uint8Array> {
  return (call, callback) => {
    const { key, content } = call.request;
    if (key === null) callback({ code: status.NOT_FOUND, details: "Must provide a key" });
    else if (key === "unknown") callback({ code: status.NOT_FOUND, details: "Unknown key type" });
    else {
      serve(verb, key, content, options).then(
        (result) => {
          if (result === null) callback({ code: status.PERMISSION_DENIED, details: "Request rejected by user" });
          else callback(null, result);
        },
        // The text of a foreign error may hold what a request held.
        (error: unknown) => {
          const details = error instanceof SopsError ? error.message : "unexpected failure";
          callback({ code: status.UNKNOWN, details });
        },
      );
    }
  };
}

/** The result, or null when the user says no. */
async function serve(
  verb: Verb,
  { type, record }: ServiceKey,
  content: Uint8Array,
  { backends, host, approve, onRequest }: ServeOptions,
): Promise<Uint8Array | null> {
  const backend = backends.find((candidate) => candidate.type === type);
  if (backend === undefined) throw new KeyError(`this key service has no keys of type ${type}`);
  const key = backend.fromRecord(record);
  const name = `${KEY_WORDS[type]} ${printable(key.id)}`;
  let succeeded = false;
  try {
    if (!(await approve(verb, name))) return null;
    const result =
      verb === "encrypt"
        ? Buffer.from(await key.wrap(content, host))
        : await key.unwrap(Buffer.from(content).toString("utf8"), host);
    succeeded = true;
    return result;
  } finally {
    onRequest?.(verb, name, succeeded);
  }
}

const KEY_WORDS: Readonly<Record<KeyType, string>> = {
  age: "age key with recipient",
  pgp: "PGP key with fingerprint",
  kms: "AWS KMS key with ARN",
  gcp_kms: "GCP KMS key with resource ID",
  hckms: "HuaweiCloud KMS key with ID",
  azure_kv: "Azure Key Vault key with URL",
  hc_vault: "Vault transit key with URI",
};

/** Makes calls wait for each other: a user can answer one question at a time. */
function inTurn<Arguments extends unknown[], T>(
  work: (...options: Arguments) => Promise<T>,
): (...options: Arguments) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (...options) => {
    const turn = last.then(() => work(...options));
    last = turn.catch(() => undefined);
    return turn;
  };
}
