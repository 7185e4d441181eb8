import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { parseUrl } from "./fields.ts";
import { isLoopback } from "./loopback.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What an HTTPS connection needs beside its address. */
export interface TlsSettings {
  /** PEM texts of the authorities that are trusted instead of the built-in ones. */
  readonly ca?: string | undefined;
  /** PEM texts of our own certificate and its private key. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

/** An agent for `https:` that goes through the proxy of the environment, where it names one for the host. */
export function httpsAgent(tls: TlsSettings, proxyOf: (host: string) => URL | null): https.Agent {
  return new TunnelAgent(definedOnly(tls), proxyOf);
}

/**
 * The proxy for HTTPS connections to a host: `HTTPS_PROXY` or `https_proxy`, unless `NO_PROXY` lists the host; loopback
 * is never proxied. Null for a direct connection.
 *
 * @see https://pkg.go.dev/golang.org/x/net/http/httpproxy, which the reference goes by
 */
export function proxyForHost(host: string, env: Environment): URL | null {
  const proxy = env["HTTPS_PROXY"] ?? env["https_proxy"] ?? "";
  if (proxy === "" || isLoopback(host) || isExempt(host, env["NO_PROXY"] ?? env["no_proxy"] ?? "")) return null;
  const url = parseUrl(proxy.includes("://") ? proxy : `http://${proxy}`);
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : null;
}

function isExempt(host: string, list: string): boolean {
  return list
    .split(",")
    .map((item) =>
      item
        .trim()
        .toLowerCase()
        .replace(/:\d+$/, "")
        .replace(/^\*?\./, ""),
    )
    .some((item) => item === "*" || (item !== "" && (host === item || host.endsWith(`.${item}`))));
}

/** Opens its connections through `CONNECT`, where there is a proxy. */
class TunnelAgent extends https.Agent {
  readonly #proxyOf: (host: string) => URL | null;

  constructor(tls: ConnectionOptions, proxyOf: (host: string) => URL | null) {
    super({ keepAlive: true, ...tls });
    this.#proxyOf = proxyOf;
  }

  override createConnection(
    options: https.RequestOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const host = options.hostname ?? options.host ?? "";
    const proxy = this.#proxyOf(host);
    if (proxy === null || callback === undefined) return super.createConnection(options, callback);
    const fail = (error: Error): void => {
      // Node looks at the error alone; its types want a stream as well.
      callback(error, undefined as unknown as Duplex);
    };
    const request = connectRequest(proxy, `${host}:${String(options.port ?? 443)}`);
    options.signal?.addEventListener("abort", () => request.destroy(), { once: true });
    request
      .once("error", fail)
      .once("connect", (response, socket) => {
        if (response.statusCode === 200) {
          callback(null, super.createConnection({ ...options, socket } as https.RequestOptions) as Duplex);
          return;
        }
        socket.destroy();
        fail(Object.assign(new Error("the proxy refused the connection"), { code: "PROXY_REFUSED" }));
      })
      .end();
    return undefined;
  }
}

function connectRequest(proxy: URL, target: string): http.ClientRequest {
  const start = proxy.protocol === "https:" ? https.request : http.request;
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return start({
    host: proxy.hostname,
    port: proxy.port === "" ? (proxy.protocol === "https:" ? 443 : 80) : proxy.port,
    method: "CONNECT",
    path: target,
    agent: false,
    headers: {
      host: target,
      ...(user === ":" ? {} : { "proxy-authorization": `Basic ${Buffer.from(user).toString("base64")}` }),
    },
  });
}

function definedOnly(tls: TlsSettings): ConnectionOptions {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
