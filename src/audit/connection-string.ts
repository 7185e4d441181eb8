import { SopsError } from "../errors.ts";

/** The parameters of a connection by their names in libpq, such as `dbname`. */
export type Parameters = ReadonlyMap<string, string>;

const URL_FORM =
  /^postgres(?:ql)?:\/\/(?:(?<account>[^/?#]*)@)?(?<hosts>[^/?#]*)(?:\/(?<database>[^?#]*))?(?:\?(?<query>[^#]*))?(?:#.*)?$/su;

/** `key = value`, where a value may stand in single quotes and a backslash takes the next character as it is. */
const PAIR = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(?!')((?:[^\s\\]|\\.)*))/suy;

/**
 * Reads a connection string of libpq in either form: `postgres://account@host/database?parameter=value` or
 * `host=… dbname='…'` (PostgreSQL, libpq, "Connection Strings").
 *
 * @throws {SopsError} ERR_AUDIT, which shows nothing of the string
 */
export function parseConnectionString(text: string): Parameters {
  return /^postgres(?:ql)?:\/\//u.test(text) ? parseUrl(text) : parsePairs(text);
}

function parsePairs(text: string): Parameters {
  const parameters = new Map<string, string>();
  const end = text.trimEnd().length;
  PAIR.lastIndex = 0;
  for (let position = 0; position < end; position = PAIR.lastIndex) {
    const [, key, quoted, plain = ""] = PAIR.exec(text) ?? [];
    if (key === undefined) throw invalid("it is neither a URL nor a list of key=value with closed quotes");
    parameters.set(key, (quoted ?? plain).replaceAll(/\\(.)/gsu, "$1"));
  }
  return parameters;
}

/** An empty part, or parameter, counts as not given. */
function parseUrl(text: string): Parameters {
  const { account = "", hosts = "", database = "", query = "" } = URL_FORM.exec(text)?.groups ?? {};
  const [user = "", ...password] = account.split(":");
  const places = hosts.split(",").map(splitPort);
  const given: [string, string][] = [
    ["user", decode(user)],
    ["password", decode(password.join(":"))],
    ["host", places.some(({ host }) => host !== "") ? places.map(({ host }) => decode(host)).join(",") : ""],
    ["port", places.some(({ port }) => port !== "") ? places.map(({ port }) => port).join(",") : ""],
    ["dbname", decode(database)],
    ...query.split("&").map(parseQueryPair),
  ];
  return new Map(given.filter(([key, value]) => key !== "" && value !== ""));
}

/** `host`, `host:port`, `[address]` or `[address]:port`. */
function splitPort(place: string): { readonly host: string; readonly port: string } {
  const {
    address,
    name,
    port = "",
  } = /^(?:\[(?<address>[^\]]*)\]|(?<name>[^:[\]]*))(?::(?<port>\d*))?$/u.exec(place)?.groups ?? {};
  const host = address ?? name;
  if (host === undefined)
    throw invalid("its hosts cannot be told from its ports; special characters are written as %XX");
  return { host, port };
}

function parseQueryPair(pair: string): [string, string] {
  const [key = "", ...value] = pair.replaceAll("+", " ").split("=");
  return [decode(key), decode(value.join("="))];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("a % in it begins no %XX");
  }
}

/** @param reason - in words of ours, as the string holds a password */
function invalid(reason: string): SopsError {
  return new SopsError("ERR_AUDIT", `has a connection string that is not valid: ${reason}`);
}
