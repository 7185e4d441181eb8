import type { Host } from "../../host.ts";
import type { MasterKey } from "../backend.ts";
import { parseServiceUri } from "./uri.ts";

/**
 * Where keys are used: in this process, or in another one that holds the identities.
 *
 * What is wrapped is a data key (32 bytes) or a share of one (33 bytes); `enc` is the text of the key's metadata entry.
 */
export interface KeyService {
  /** @throws {KeyError} whose message holds no key, token or request body */
  wrap(key: MasterKey, part: Uint8Array): Promise<string>;
  /** @throws {KeyError} likewise */
  unwrap(key: MasterKey, enc: string): Promise<Uint8Array>;
  /** Whether its other end may ask somebody before each answer. */
  readonly mayAsk?: boolean;
  /** Closes what the service holds open; a remote one keeps the process alive until then. */
  close?(): void;
}

/** A service that a connection was made to. */
export type ConnectedKeyService = KeyService & Required<Pick<KeyService, "close">>;

/** Uses keys in this process, with the environment and credentials of `host`. */
export function localKeyService(host: Host): KeyService {
  return {
    wrap: (key, part) => key.wrap(part, host),
    unwrap: (key, enc) => key.unwrap(enc, host),
  };
}

/**
 * Uses keys through the gRPC service at `uri`. Nothing is loaded or connected before the first key.
 *
 * @param uri - `tcp://host:port` (also `tcp4`, `tcp6`) or `unix:///path/of/the/socket`
 * @throws {KeyError} if the URI is of another form
 */
export function remoteKeyService(uri: string, host: Host): KeyService {
  const target = parseServiceUri(uri);
  let client: Promise<ConnectedKeyService> | undefined;
  const connected = (): Promise<ConnectedKeyService> =>
    (client ??= import("./client.ts").then(({ connectKeyService }) => connectKeyService(target, host)));
  return {
    mayAsk: true,
    wrap: async (key, part) => (await connected()).wrap(key, part),
    unwrap: async (key, enc) => (await connected()).unwrap(key, enc),
    close: () =>
      void client?.then(
        (service) => {
          service.close();
        },
        () => undefined,
      ),
  };
}
