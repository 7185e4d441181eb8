import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";
import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { Parameters } from "./connection-string.ts";
import { passwordFrom } from "./passfile.ts";
import { protectionFrom, type Protection } from "./tls.ts";

/** Where a database may be found. */
export interface Server {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** What its certificate has to be for. */
  readonly name: string;
  readonly password: string;
  readonly protection: Protection;
}

/** Everything that is needed to connect; servers are tried in turn. */
export interface Connection {
  readonly servers: readonly Server[];
  readonly user: string;
  readonly database: string;
  /** Settings of the session, as the server's command line takes them. */
  readonly options: string;
  readonly application: string;
  /** Milliseconds, where the connection string says. */
  readonly limit: number | undefined;
  readonly isDirect: boolean;
}

/** The variables of libpq; what the connection string says goes before them. */
const VARIABLES: Readonly<Record<string, string>> = {
  host: "PGHOST",
  hostaddr: "PGHOSTADDR",
  port: "PGPORT",
  dbname: "PGDATABASE",
  user: "PGUSER",
  password: "PGPASSWORD",
  passfile: "PGPASSFILE",
  options: "PGOPTIONS",
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  sslmode: "PGSSLMODE",
  sslnegotiation: "PGSSLNEGOTIATION",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  sslrootcert: "PGSSLROOTCERT",
  client_encoding: "PGCLIENTENCODING",
  datestyle: "PGDATESTYLE",
  tz: "PGTZ",
  geqo: "PGGEQO",
  service: "PGSERVICE",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  load_balance_hosts: "PGLOADBALANCEHOSTS",
  min_protocol_version: "PGMINPROTOCOLVERSION",
  max_protocol_version: "PGMAXPROTOCOLVERSION",
  ssl_min_protocol_version: "PGSSLMINPROTOCOLVERSION",
  ssl_max_protocol_version: "PGSSLMAXPROTOCOLVERSION",
};

/** Parameters of which some values ask for what we do not do, and the values that do not. */
const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  service: [],
  client_encoding: ["UTF8", "UTF-8", "utf8", "utf-8", "unicode"],
  datestyle: ["ISO, MDY"],
  target_session_attrs: ["any"],
  load_balance_hosts: ["disable", "random"],
  min_protocol_version: ["3.0"],
  max_protocol_version: ["3.0", "3.2", "latest"],
  sslnegotiation: ["postgres", "direct"],
};

/** Parameters for Kerberos, SNI and the reference's driver, which change nothing here. */
const WITHOUT_EFFECT = ["krbsrvname", "krbspn", "sslsni", "binary_parameters", "disable_prepared_binary_result"];

/** Variables that ask for checks which are not made here; the reference refuses them too. */
const REFUSED_VARIABLES = [
  ...["PGREQUIRESSL", "PGSSLCOMPRESSION", "PGREALM", "PGGSSENCMODE", "PGGSSDELEGATION", "PGGSSLIB", "PGKRBSRVNAME"],
  ...["PGREQUIREAUTH", "PGCHANNELBINDING", "PGSSLCERTMODE", "PGSSLCRL", "PGSSLCRLDIR", "PGREQUIREPEER"],
];

const OWN = new Set([
  ...Object.keys(VARIABLES),
  ...WITHOUT_EFFECT,
  ...["database", "fallback_application_name", "sslinline"],
]);

/** Names that settings of a session have as parameters of a connection. */
const SETTING_NAMES: Readonly<Record<string, string>> = { tz: "TimeZone", geqo: "geqo" };

const DEFAULT_PORT = 5432;

/**
 * Works out how to connect, as the reference's driver does (lib/pq 1.12): parameters before variables before defaults, and
 * parameters of no known name as settings of the session.
 *
 * @param account - the user where none is named
 * @throws {SopsError} ERR_AUDIT for what makes no sense or is not supported; no value is shown
 */
export function connectionFrom(parameters: Parameters, env: Host["env"], account: string): Connection {
  const get = (name: string): string => {
    const given = parameters.get(name);
    return given ?? env[VARIABLES[name] ?? ""] ?? "";
  };
  const refused = REFUSED_VARIABLES.find((name) => env[name] !== undefined);
  if (refused !== undefined)
    throw new SopsError("ERR_AUDIT", `cannot be used: the variable ${refused} is not supported`);
  for (const [name, values] of Object.entries(ACCEPTED)) {
    const value = get(name);
    if (value !== "" && !values.includes(value)) throw unusable(`${name} asks for what is not supported`);
  }
  const user = get("user") || env["USER"] || account;
  const database = get("dbname") || (parameters.get("database") ?? "");
  const home = env["HOME"] ?? homedir();
  const password = get("password");
  const servers = serversFrom(get).map(({ host, port, name }) => ({
    ...{ host, port, name },
    password: password || passwordFrom(get("passfile"), home, { host: name, port, database, user }),
    protection: isAbsolute(host) ? [undefined] : protectionFrom(get, join(home, ".postgresql")),
  }));
  return {
    ...{ servers, user, database: database || user },
    options: [get("options"), ...settings(parameters, get)].filter((text) => text !== "").join(" "),
    application: get("application_name") || get("fallback_application_name"),
    limit: limitFrom(get("connect_timeout")),
    isDirect: get("sslnegotiation") === "direct",
  };
}

function serversFrom(get: (name: string) => string): Pick<Server, "host" | "port" | "name">[] {
  const [names = [], addresses = [], ports = []] = ["host", "hostaddr", "port"].map((name) => listOf(get(name)));
  const count = Math.max(names.length, addresses.length, 1);
  const fits = (list: readonly string[], least: number): boolean => list.length <= least || list.length === count;
  if (!fits(names, 0) || !fits(addresses, 0) || !fits(ports, 1))
    throw unusable("it names other numbers of hosts and ports");
  return Array.from({ length: count }, (_, index) => {
    const name = names[index] || "localhost";
    if (name.startsWith("@")) throw unusable("abstract Unix sockets are not supported");
    return { host: addresses[index] || name, name, port: portFrom(ports.length === 1 ? ports[0] : ports[index]) };
  });
}

function listOf(text: string): string[] {
  return text === "" ? [] : text.split(",").map((item) => item.trim());
}

function portFrom(text = ""): number {
  const port = text === "" ? DEFAULT_PORT : /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw unusable("port is no number from 1 to 65535");
  return port;
}

/** Zero and less mean no limit there; here there always is one. */
function limitFrom(text: string): number | undefined {
  if (text === "") return undefined;
  if (!/^-?\d{1,6}$/.test(text)) throw unusable("connect_timeout is no whole number of seconds");
  return Number(text) > 0 ? Number(text) * 1000 : undefined;
}

function settings(parameters: Parameters, get: (name: string) => string): string[] {
  const known = Object.entries(SETTING_NAMES).map(([name, setting]): [string, string] => [setting, get(name)]);
  const others = [...parameters].filter(([name]) => !OWN.has(name));
  return [...known.filter(([, value]) => value !== ""), ...others].map(([name, value]) => {
    if (!/^[A-Za-z_][\w.]*$/.test(name)) throw unusable("a name in it is no name of a parameter");
    return `-c ${name}=${value.replaceAll(/[\s\\]/gu, "\\$&")}`;
  });
}

function unusable(problem: string): SopsError {
  return new SopsError("ERR_AUDIT", `has a connection string that cannot be used: ${problem}`);
}
