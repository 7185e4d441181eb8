import { createServer, request } from "node:https";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpsAgent, proxyForHost, type TlsSettings } from "../../../src/keys/agent.ts";
import { isLoopback } from "../../../src/keys/loopback.ts";
import { listenOnLoopback } from "../../support/loopback.ts";
import { type Authority, createAuthority } from "../../servers/support/authority.ts";
import { startConnectProxy } from "../../servers/support/fakes/connect-proxy.ts";
import { findSystemProgram } from "../../servers/support/programs.ts";

describe("proxyForHost", () => {
  const proxy = { HTTPS_PROXY: "http://proxy.test:3128" };
  it.each([
    { name: "HTTPS_PROXY", host: "kms.test", env: proxy, proxy: "http://proxy.test:3128" },
    {
      name: "https_proxy",
      host: "kms.test",
      env: { https_proxy: "http://proxy.test:3128" },
      proxy: "http://proxy.test:3128",
    },
    {
      name: "a proxy without a scheme",
      host: "kms.test",
      env: { HTTPS_PROXY: "proxy.test:3128" },
      proxy: "http://proxy.test:3128",
    },
    { name: "nothing without the variable", host: "kms.test", env: { HTTP_PROXY: "http://proxy.test" }, proxy: null },
    { name: "nothing for loopback", host: "127.0.0.1", env: proxy, proxy: null },
    {
      name: "nothing for a listed host",
      host: "kms.test",
      env: { ...proxy, NO_PROXY: "a, KMS.test:443" },
      proxy: null,
    },
    { name: "nothing for a listed domain", host: "eu.kms.test", env: { ...proxy, NO_PROXY: ".kms.test" }, proxy: null },
    { name: "nothing below a listed name", host: "eu.kms.test", env: { ...proxy, no_proxy: "kms.test" }, proxy: null },
    { name: "nothing for *", host: "kms.test", env: { ...proxy, NO_PROXY: "*" }, proxy: null },
    {
      name: "a proxy for a name that only ends alike",
      host: "akms.test",
      env: { ...proxy, NO_PROXY: "kms.test" },
      proxy: "http://proxy.test:3128",
    },
    {
      name: "nothing for a proxy of another kind",
      host: "kms.test",
      env: { HTTPS_PROXY: "socks5://proxy.test" },
      proxy: null,
    },
  ])("gives $name", ({ host, env, proxy: expected }) => {
    expect(proxyForHost(host, env)?.origin ?? null).toBe(expected);
  });
});

it.each([
  ["localhost", true],
  ["a.localhost", true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["[::1]", true],
  ["127.0.0.1.evil.test", false],
  ["localhost.evil.test", false],
  ["10.0.0.1", false],
  ["0.0.0.0", false],
])("says of %s that it is loopback: %s", (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

const noOpenssl = findSystemProgram("openssl") === null;
describe.skipIf(noOpenssl)(noOpenssl ? "connections (skipped: openssl not installed)" : "connections", () => {
  const folder = mkdtempSync(join(tmpdir(), "lc-agent-"));
  let authority: Authority;
  let port = 0;
  let proxy: Awaited<ReturnType<typeof startConnectProxy>>;
  const server = createServer((_request, response) => response.end("there"));

  beforeAll(async () => {
    authority = createAuthority(folder);
    server.setSecureContext({ cert: authority.cert, key: authority.key });
    port = await listenOnLoopback(server);
    proxy = await startConnectProxy((host) => (host === "kms.example.test" ? port : null));
  });
  afterAll(async () => {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (url: string, tls: TlsSettings, through: string | null): Promise<string> => {
    const agent = httpsAgent(tls, () => (through === null ? null : new URL(through)));
    return new Promise((resolve, reject) => {
      request(url, { agent }, (response) => {
        response.on("data", (chunk: Buffer) => {
          resolve(chunk.toString());
        });
      })
        .on("error", reject)
        .end();
    });
  };
  const proxyUrl = (): string => `http://user:word@127.0.0.1:${String(proxy.port)}`;

  it("go straight where there is no proxy, and trust the authority they are given", async () => {
    expect(await get(`https://127.0.0.1:${String(port)}/`, { ca: authority.ca }, null)).toBe("there");
    await expect(get(`https://127.0.0.1:${String(port)}/`, {}, null)).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY/) as string,
    });
  });

  it("go through the proxy, where the name is resolved, and still check the certificate", async () => {
    expect(await get("https://kms.example.test/", { ca: authority.ca }, proxyUrl())).toBe("there");
    expect(proxy.hosts).toContain("kms.example.test");
    await expect(get("https://kms.example.test/", {}, proxyUrl())).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|VERIFY/) as string,
    });
  });

  it("fail when the proxy refuses or is not there", async () => {
    await expect(get("https://other.example.test/", { ca: authority.ca }, proxyUrl())).rejects.toMatchObject({
      code: "PROXY_REFUSED",
    });
    await expect(get("https://kms.example.test/", {}, "http://127.0.0.1:9")).rejects.toMatchObject({
      code: "ECONNREFUSED",
    });
  });
});
