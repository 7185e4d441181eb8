import { KeyError } from "../../errors.ts";

/** The address of a key service, in the words of Go's network names. */
export interface ServiceAddress {
  readonly network: ServiceNetwork;
  /** `host:port`, or the path of a socket. */
  readonly address: string;
}

/** The networks a key service can listen on and be reached through. */
export type ServiceNetwork = "tcp" | "tcp4" | "tcp6" | "unix";

const NETWORKS: ReadonlySet<string> = new Set<ServiceNetwork>(["tcp", "tcp4", "tcp6", "unix"]);

/** Whether a word names a network that key services use. */
export function isServiceNetwork(word: string): word is ServiceNetwork {
  return NETWORKS.has(word);
}

/**
 * Reads the URI of `--keyservice`.
 *
 * @throws {KeyError} unless it is `tcp://host:port` or `unix:///path`
 * @see cli-behaviour.md 8: the scheme is the Go name of the network
 */
export function parseServiceUri(uri: string): ServiceAddress {
  const separator = uri.indexOf("://");
  const network = uri.slice(0, Math.max(separator, 0));
  const address = uri.slice(separator + 3).replace(/\/$/, "");
  if (!isServiceNetwork(network) || address === "") {
    throw new KeyError("the URI of a key service is tcp://host:port or unix:///path");
  }
  if (network !== "unix" && splitHostPort(address) === null) {
    throw new KeyError("the URI of a key service over tcp names a host and a port");
  }
  return { network, address };
}

/** Takes `host:port` or `[::1]:port` apart; null when it is neither. */
export function splitHostPort(address: string): { readonly host: string; readonly port: number } | null {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  return match === null || port > 65_535 ? null : { host: match[1] ?? match[2] ?? "", port };
}
