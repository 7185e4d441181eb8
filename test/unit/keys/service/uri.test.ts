import { expect, it } from "vitest";
import { parseServiceUri, splitHostPort } from "../../../../src/keys/service/uri.ts";

it.each([
  { uri: "tcp://127.0.0.1:5000", address: { network: "tcp", address: "127.0.0.1:5000" } },
  { uri: "tcp6://[::1]:5000", address: { network: "tcp6", address: "[::1]:5000" } },
  { uri: "unix:///run/keys.sock", address: { network: "unix", address: "/run/keys.sock" } },
])("reads $uri", ({ uri, address }) => {
  expect(parseServiceUri(uri)).toEqual(address);
});

it.each(["", "127.0.0.1:5000", "tcp://", "tcp://host", "tcp://host:99999", "http://host:1", "unix://"])(
  "refuses %j",
  (uri) => {
    expect(() => parseServiceUri(uri)).toThrow(/key service/);
  },
);

it.each([
  { text: "host:1", parts: { host: "host", port: 1 } },
  { text: "[::1]:65535", parts: { host: "::1", port: 65_535 } },
  { text: ":5000", parts: { host: "", port: 5000 } },
  { text: "::1:5000", parts: null },
  { text: "host", parts: null },
])("takes $text apart", ({ text, parts }) => {
  expect(splitHostPort(text)).toEqual(parts);
});
