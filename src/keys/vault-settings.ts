import { KeyError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { TlsSettings } from "./agent.ts";
import { isLoopback } from "./loopback.ts";
import { parseUrl, printable, quoted } from "./fields.ts";

type Environment = Host["env"];

/**
 * The address a token may be sent to. A file names it, so it must be one the user named too:
 *
 * - `SOPS_HC_VAULT_ALLOWLIST`, when it is set: `all`, `none`, or a comma list of prefixes, as the reference reads it;
 * - otherwise the origins of `VAULT_ADDR` and `VAULT_AGENT_ADDR` and of the keys in `SOPS_VAULT_URIS`, over https;
 * - and loopback, over http as well.
 *
 * @throws {KeyError} for any other
 * @see safety.md 1.3; the reference takes every address when the list is unset, which `all` brings back
 */
export function requireAllowedAddress(address: string, env: Environment): URL {
  const url = parseUrl(address);
  if (
    url === null ||
    (url.protocol !== "https:" && url.protocol !== "http:") ||
    url.username !== "" ||
    url.password !== ""
  ) {
    throw new KeyError(`the Vault address ${quoted(address)} is not http or https and a host`);
  }
  const list = env["SOPS_HC_VAULT_ALLOWLIST"] ?? "";
  if (list === "all") return url;
  if (list !== "") requireListed(address, list);
  else requireNamed(url, address, env);
  return url;
}

function requireListed(address: string, list: string): void {
  const prefixes = list === "none" ? [] : list.split(",");
  const empty = prefixes.findIndex((prefix) => prefix.trim() === "");
  if (empty >= 0) throw new KeyError(`SOPS_HC_VAULT_ALLOWLIST's entry ${String(empty + 1)} is empty`);
  const closed = (text: string): string => (text.endsWith("/") ? text : `${text}/`);
  if (!prefixes.some((prefix) => closed(address).startsWith(closed(prefix.trim())))) {
    throw new KeyError(`Allowlist does not allow ${printable(address)}`);
  }
}

function requireNamed(url: URL, address: string, env: Environment): void {
  if (isLoopback(url.hostname)) return;
  const named = [env["VAULT_ADDR"], env["VAULT_AGENT_ADDR"], ...(env["SOPS_VAULT_URIS"] ?? "").split(",")];
  const isNamed = named.some((text) => text !== undefined && parseUrl(text.trim())?.origin === url.origin);
  if (isNamed && url.protocol === "https:") return;
  const remedy = `SOPS_HC_VAULT_ALLOWLIST=${printable(url.origin)} allows it, SOPS_HC_VAULT_ALLOWLIST=all allows every address`;
  throw new KeyError(
    isNamed
      ? `the Vault address ${printable(address)} is not https; ${remedy}`
      : `no token is sent to ${printable(address)}: it is not the address in VAULT_ADDR; ${remedy}`,
  );
}

/** `VAULT_TOKEN`, else what `vault login` left in the home folder, else empty: Vault's agent adds its own. */
export function tokenFrom(host: Host): string {
  const token = host.env["VAULT_TOKEN"] ?? "";
  if (token !== "") return token;
  const home = host.env["HOME"] ?? host.env["USERPROFILE"] ?? "";
  const file = home === "" ? null : host.readFile(`${home}/.vault-token`);
  return file === null ? "" : Buffer.from(file).toString("utf8").trim();
}

/** The TLS variables of Vault's own client. */
export function tlsFrom(host: Host): TlsSettings {
  const { env } = host;
  const inline = env["VAULT_CACERT_BYTES"] ?? "";
  return {
    ca: inline === "" ? pemFrom("VAULT_CACERT", host) : inline,
    cert: pemFrom("VAULT_CLIENT_CERT", host),
    key: pemFrom("VAULT_CLIENT_KEY", host),
    servername: env["VAULT_TLS_SERVER_NAME"] === "" ? undefined : env["VAULT_TLS_SERVER_NAME"],
    rejectUnauthorized: isTrue(env["VAULT_SKIP_VERIFY"]) ? false : undefined,
  };
}

function pemFrom(variable: string, host: Host): string | undefined {
  const path = host.env[variable] ?? "";
  if (path === "") return undefined;
  const file = host.readFile(path);
  if (file === null) throw new KeyError(`there is no file ${printable(path)}, which ${variable} names`);
  return Buffer.from(file).toString("utf8");
}

/** What Go's `strconv.ParseBool` takes for true. */
function isTrue(text: string | undefined): boolean {
  return ["1", "t", "T", "true", "TRUE", "True"].includes(text ?? "");
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** `VAULT_CLIENT_TIMEOUT` in milliseconds: seconds, or a number with `ms`, `s` or `m`. */
export function timeoutFrom(env: Environment): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(env["VAULT_CLIENT_TIMEOUT"] ?? "");
  const milliseconds = Number(match?.[1]) * (UNITS[match?.[2] ?? "s"] ?? 1000);
  return milliseconds > 0 ? milliseconds : undefined;
}
