import { describe, expect, it } from "vitest";
import { parseConnectionString } from "../../../src/audit/connection-string.ts";

function parse(text: string): Record<string, string> {
  return Object.fromEntries(parseConnectionString(text));
}

// What each means was seen at the reference's driver, lib/pq 1.12.3, unless it says otherwise.
describe("key=value", () => {
  it.each([
    ["", {}],
    ["  ", {}],
    ["host=a user=b", { host: "a", user: "b" }],
    ["host = a\n\tuser =  b ", { host: "a", user: "b" }],
    ["password='with spaces' dbname=d", { password: "with spaces", dbname: "d" }],
    [String.raw`password='it\'s' user=a\ b`, { password: "it's", user: "a b" }],
    [String.raw`password=a\\b`, { password: String.raw`a\b` }],
    ["user='' dbname=d", { user: "", dbname: "d" }],
    ["user= dbname=d", { user: "dbname=d" }],
    ["user=", { user: "" }],
    ["user='a'dbname=d", { user: "a", dbname: "d" }],
    ["password=a=b'c", { password: "a=b'c" }],
    ["host=a host=b", { host: "b" }],
  ])("%j", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each(["host", "host user=b", "password='SECRET", "password=SECRET\\", "=SECRET", "mysql://u:SECRET@h/d"])(
    "refuses %j and shows nothing of it",
    (text) => {
      expect(() => parse(text)).toThrow(
        "has a connection string that is not valid: it is neither a URL nor a list of key=value with closed quotes",
      );
    },
  );
});

describe("URL", () => {
  it.each([
    ["postgres://", {}],
    ["postgres://h", { host: "h" }],
    [
      "postgresql://u:p@h:5433/d?sslmode=disable",
      { user: "u", password: "p", host: "h", port: "5433", dbname: "d", sslmode: "disable" },
    ],
    ["postgres://u%40x:p%3A%2F%20@h/d", { user: "u@x", password: "p:/ ", host: "h", dbname: "d" }],
    ["postgres://u:p:q@h", { user: "u", password: "p:q", host: "h" }],
    ["postgres://u:p@x@h", { user: "u", password: "p@x", host: "h" }],
    ["postgres://u@/d?host=/run/db", { user: "u", dbname: "d", host: "/run/db" }],
    ["postgres://[::1]:5433/d", { host: "::1", port: "5433", dbname: "d" }],
    ["postgres://a,b/d?port=1,2", { host: "a,b", dbname: "d", port: "1,2" }],
    [
      "postgres://h/d?user=other&application_name=a+b%2B",
      { host: "h", dbname: "d", user: "other", application_name: "a b+" },
    ],
    ["postgres://h/d?sslmode=", { host: "h", dbname: "d" }],
    // libpq, "Connection URIs": the reference refuses these two.
    ["postgres://%2Frun%2Fdb/d", { host: "/run/db", dbname: "d" }],
    ["postgres://a:1,b:2/d", { host: "a,b", port: "1,2", dbname: "d" }],
  ])("%s", (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ["postgres://u:SECRET#x@h/d", "its hosts cannot be told from its ports"],
    ["postgres://u:SECRET/x@h/d", "its hosts cannot be told from its ports"],
    ["postgres://u:SECRET%@h", "a % in it begins no %XX"],
    ["postgres://h:SECRET", "its hosts cannot be told from its ports"],
  ])("refuses %s and shows nothing of it", (text, reason) => {
    expect(() => parse(text)).toThrow(`has a connection string that is not valid: ${reason}`);
    expect(() => parse(text)).not.toThrow("SECRET");
  });
});
