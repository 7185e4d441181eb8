import { describe, expect, it } from "vitest";
import { connectionFrom, type Connection } from "../../../src/audit/connection.ts";
import { parseConnectionString } from "../../../src/audit/connection-string.ts";
import { scratch } from "../../support/scratch.ts";

const HOME = "/nowhere";

function connect(text: string, env: Readonly<Record<string, string>> = {}): Connection {
  return connectionFrom(parseConnectionString(text), { HOME, ...env }, "account");
}

function places(text: string, env: Readonly<Record<string, string>> = {}): string[] {
  return connect(text, env).servers.map(({ host, port, name }) => `${host} ${String(port)} ${name}`);
}

describe("servers", () => {
  it.each([
    ["", ["localhost 5432 localhost"]],
    ["host=h port=1", ["h 1 h"]],
    ["host=h hostaddr=10.0.0.1", ["10.0.0.1 5432 h"]],
    ["hostaddr=10.0.0.1", ["10.0.0.1 5432 localhost"]],
    ["host=a,,c port=1", ["a 1 a", "localhost 1 localhost", "c 1 c"]],
    ["host=a,b port=1,2", ["a 1 a", "b 2 b"]],
    ["host=/run/db", ["/run/db 5432 /run/db"]],
  ])("%j", (text, expected) => {
    expect(places(text)).toEqual(expected);
  });

  it("are those of the variables where the string names none", () => {
    expect(places("", { PGHOST: "h", PGPORT: "1" })).toEqual(["h 1 h"]);
    expect(places("host=g", { PGHOST: "h", PGPORT: "1" })).toEqual(["g 1 g"]);
  });
});

it("takes user, database and password from the string, the variables, the account, in this order", () => {
  const env = { PGUSER: "v", PGDATABASE: "w", PGPASSWORD: "x", USER: "y" };
  expect(connect("user=a dbname=b password=c", env)).toMatchObject({
    user: "a",
    database: "b",
    servers: [{ password: "c" }],
  });
  expect(connect("", env)).toMatchObject({ user: "v", database: "w", servers: [{ password: "x" }] });
  expect(connect("", { USER: "y" })).toMatchObject({ user: "y", database: "y" });
  expect(connect("")).toMatchObject({ user: "account", database: "account", servers: [{ password: "" }] });
});

it("finds a password in the password file, unless others can read it", () => {
  const lines = String.raw`# comment
h:5432:other:u:wrong
h:1:*:u:wrong
h:5432:d:u:it\:s\\mine
`;
  const box = scratch();
  const passwordOf = (text: string, path: string): string | undefined =>
    connect(`${text} passfile=${path}`).servers[0]?.password;
  expect(passwordOf("host=h user=u dbname=d", box.put("private", lines, 0o600))).toBe(String.raw`it:s\mine`);
  expect(passwordOf("host=g user=u dbname=d", box.at("private"))).toBe("");
  expect(passwordOf("host=h user=u dbname=d", box.put("public", lines, 0o644))).toBe("");
});

it("passes unknown parameters on as settings of the session", () => {
  const { options } = connect(String.raw`options='-c geqo=off' search_path='a b' tz=UTC`);
  expect(options).toBe(String.raw`-c geqo=off -c TimeZone=UTC -c search_path=a\ b`);
});

describe("TLS", () => {
  const tlsOf = (text: string): unknown => connect(text).servers[0]?.protection;

  it("is required unless something else is asked for, and not used on Unix sockets", () => {
    expect(tlsOf("")).toEqual([{ rejectUnauthorized: false }]);
    expect(tlsOf("sslmode=require")).toEqual([{ rejectUnauthorized: false }]);
    expect(tlsOf("sslmode=disable")).toEqual([undefined]);
    expect(tlsOf("sslmode=prefer")).toEqual([{ rejectUnauthorized: false }, undefined]);
    expect(tlsOf("sslmode=allow")).toEqual([undefined, { rejectUnauthorized: false }]);
    expect(tlsOf("sslmode=verify-full")).toEqual([{}]);
    expect(tlsOf("sslmode=verify-ca")).toEqual([{ checkServerIdentity: expect.any(Function) as unknown }]);
    expect(tlsOf("sslrootcert=system")).toEqual([{}]);
    expect(tlsOf("host=/run/db sslmode=verify-full")).toEqual([undefined]);
  });

  it("checks the server as soon as there is a root certificate", () => {
    const root = scratch().put("root.crt", "certificate");
    expect(tlsOf(`sslrootcert=${root}`)).toEqual([
      { ca: Buffer.from("certificate"), checkServerIdentity: expect.any(Function) as unknown },
    ]);
    expect(tlsOf(`sslrootcert=${root} sslmode=verify-full`)).toEqual([{ ca: Buffer.from("certificate") }]);
  });
});

it.each([
  ["port=0", "port is no number from 1 to 65535"],
  ["port=SECRET", "port is no number from 1 to 65535"],
  ["host=a,b port=1,2,3", "it names other numbers of hosts and ports"],
  ["host=@abstract", "abstract Unix sockets are not supported"],
  ["sslmode=SECRET", "sslmode is none of disable, allow, prefer, require, verify-ca, verify-full"],
  ["sslmode=require sslrootcert=system", "sslrootcert=system needs sslmode=verify-full"],
  ["sslmode=verify-ca sslrootcert=/SECRET", "the file that sslrootcert names cannot be read"],
  ["ssl_min_protocol_version=SECRET", "ssl_min_protocol_version is none of TLSv1.0, TLSv1.1, TLSv1.2, TLSv1.3"],
  ["connect_timeout=SECRET", "connect_timeout is no whole number of seconds"],
  ["service=SECRET", "service asks for what is not supported"],
  ["target_session_attrs=SECRET", "target_session_attrs asks for what is not supported"],
  ["client_encoding=SECRET", "client_encoding asks for what is not supported"],
  ["a-b=SECRET", "a name in it is no name of a parameter"],
])("refuses %s and shows nothing of it", (text, reason) => {
  expect(() => connect(text)).toThrow(`has a connection string that cannot be used: ${reason}`);
  expect(() => connect(text)).not.toThrow("SECRET");
});

it("refuses variables that ask for checks which are not made", () => {
  expect(() => connect("", { PGREQUIREAUTH: "x" })).toThrow("the variable PGREQUIREAUTH is not supported");
});
