import { describe, expect, it } from "vitest";
import { requireAllowedAddress, timeoutFrom, tlsFrom, tokenFrom } from "../../../src/keys/vault-settings.ts";
import { hostWith } from "../../servers/support/host.ts";

const CORP = "https://vault.corp.test:8200";

describe("requireAllowedAddress", () => {
  it.each([
    { name: "the address in VAULT_ADDR", address: CORP, env: { VAULT_ADDR: `${CORP}/` } },
    { name: "the agent's (I-42)", address: CORP, env: { VAULT_AGENT_ADDR: CORP } },
    { name: "that of a key in SOPS_VAULT_URIS", address: CORP, env: { SOPS_VAULT_URIS: `x, ${CORP}/v1/t/keys/k` } },
    { name: "loopback by name, over http", address: "http://localhost:8200", env: {} },
    { name: "loopback by number, over http", address: "http://127.0.0.1:8200", env: {} },
    { name: "loopback, version 6", address: "http://[::1]:8200", env: {} },
    { name: "any, when all are allowed", address: "http://evil.test", env: { SOPS_HC_VAULT_ALLOWLIST: "all" } },
    {
      name: "one on the list, over http as well",
      address: "http://in.test:80",
      env: { SOPS_HC_VAULT_ALLOWLIST: "http://in.test:80" },
    },
    { name: "one on the list with blanks", address: CORP, env: { SOPS_HC_VAULT_ALLOWLIST: `http://x, ${CORP}/` } },
  ])("takes $name", ({ address, env }) => {
    expect(requireAllowedAddress(address, env).origin).toBe(new URL(address).origin);
  });

  it.each([
    {
      name: "one the user did not name",
      address: "https://evil.test",
      env: {},
      message: "no token is sent to https://evil.test",
    },
    {
      name: "another port",
      address: "https://vault.corp.test",
      env: { VAULT_ADDR: CORP },
      message: "no token is sent",
    },
    {
      name: "a name that begins alike",
      address: "https://vault.corp.test.evil.test:8200",
      env: { VAULT_ADDR: CORP },
      message: "no token",
    },
    {
      name: "http where https was named",
      address: "http://vault.corp.test:8200",
      env: { VAULT_ADDR: CORP },
      message: "no token",
    },
    {
      name: "http off loopback",
      address: "http://v.test",
      env: { VAULT_ADDR: "http://v.test" },
      message: "is not https",
    },
    { name: "a name that looks like loopback", address: "http://127.0.0.1.evil.test", env: {}, message: "no token" },
    {
      name: "a user in the address",
      address: "https://vault.corp.test:8200@evil.test",
      env: { VAULT_ADDR: CORP },
      message: "is not http or https",
    },
    {
      name: "another scheme",
      address: "file:///etc",
      env: { SOPS_HC_VAULT_ALLOWLIST: "all" },
      message: "is not http or https",
    },
    {
      name: "all but what is listed",
      address: "http://127.0.0.1:1",
      env: { SOPS_HC_VAULT_ALLOWLIST: "none" },
      message: "Allowlist does not allow http://127.0.0.1:1",
    },
    {
      name: "a prefix that ends within the port",
      address: "http://h:11",
      env: { SOPS_HC_VAULT_ALLOWLIST: "http://h:1" },
      message: "Allowlist does not allow http://h:11",
    },
    {
      name: "a port where the list has none",
      address: "http://h:80",
      env: { SOPS_HC_VAULT_ALLOWLIST: "http://h" },
      message: "Allowlist does not allow http://h:80",
    },
    {
      name: "a list with an empty entry",
      address: CORP,
      env: { SOPS_HC_VAULT_ALLOWLIST: "a," },
      message: "SOPS_HC_VAULT_ALLOWLIST's entry 2 is empty",
    },
  ])("refuses $name", ({ address, env, message }) => {
    expect(() => requireAllowedAddress(address, env)).toThrow(message);
  });
});

const files = (content: Readonly<Record<string, string>>) => (path: string) => {
  const text = content[path];
  return text === undefined ? null : Buffer.from(text);
};

it.each([
  { name: "VAULT_TOKEN", env: { VAULT_TOKEN: "t", HOME: "/h" }, token: "t" },
  { name: "the file of vault login, trimmed", env: { VAULT_TOKEN: "", HOME: "/h" }, token: "file" },
  { name: "none", env: { HOME: "/other" }, token: "" },
  { name: "none without a home", env: {}, token: "" },
])("takes for the token $name", ({ env, token }) => {
  expect(tokenFrom({ ...hostWith(env), readFile: files({ "/h/.vault-token": " file\n" }) })).toBe(token);
});

it("reads the TLS variables of Vault's client", () => {
  const env = {
    VAULT_CACERT: "/ca",
    VAULT_CLIENT_CERT: "/cert",
    VAULT_CLIENT_KEY: "/key",
    VAULT_TLS_SERVER_NAME: "vault",
    VAULT_SKIP_VERIFY: "T",
  };
  const host = { ...hostWith(env), readFile: files({ "/ca": "CA", "/cert": "CERT", "/key": "KEY" }) };
  expect(tlsFrom(host)).toEqual({ ca: "CA", cert: "CERT", key: "KEY", servername: "vault", rejectUnauthorized: false });
  expect(
    tlsFrom({ ...host, env: { VAULT_CACERT_BYTES: "PEM", VAULT_CACERT: "/ca", VAULT_SKIP_VERIFY: "no" } }),
  ).toEqual({ ca: "PEM" });
  expect(() => tlsFrom({ ...host, env: { VAULT_CACERT: "/none" } })).toThrow(
    "there is no file /none, which VAULT_CACERT names",
  );
});

it.each([
  ["30", 30_000],
  ["30s", 30_000],
  ["1.5m", 90_000],
  ["500ms", 500],
  ["0", undefined],
  ["soon", undefined],
  ["", undefined],
])("reads VAULT_CLIENT_TIMEOUT=%s as %s ms", (text, milliseconds) => {
  expect(timeoutFrom({ VAULT_CLIENT_TIMEOUT: text })).toBe(milliseconds);
});
