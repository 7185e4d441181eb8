import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { MasterKey } from "../../src/keys/backend.ts";
import { vaultTransit } from "../../src/keys/vault-transit.ts";
import { startGate } from "./support/gate.ts";
import { hostWith } from "./support/host.ts";
import { describeKeyLife, prepared } from "./support/scenarios.ts";
import { bao, baoTls, describeWith } from "./support/servers.ts";

const DATA_KEY = Buffer.alloc(32, 7);
const ROOT_TOKEN = "root";

async function ask(url: string, path: string, body: object, headers: Record<string, string> = {}): Promise<unknown> {
  const response = await fetch(`${url}/v1/${path}`, {
    method: "POST",
    headers: { "X-Vault-Token": ROOT_TOKEN, ...headers },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: HTTP status ${String(response.status)}`);
  return response.status === 204 ? null : await response.json();
}

function keyOf(uri: string): MasterKey {
  const [key] = vaultTransit.parse(uri, {});
  if (key === undefined) throw new Error("no key");
  return key;
}

describeWith("Vault transit (OpenBao)", bao, (server, folder) => {
  const url = (): string => `http://127.0.0.1:${String(server().port)}`;

  beforeAll(async () => {
    await ask(url(), "sys/mounts/team/sops", { type: "transit" });
    for (const name of ["k1", "k2", "rolled"]) await ask(url(), `team/sops/keys/${name}`, {});
  });

  describeKeyLife(
    prepared(async () => {
      const gate = await startGate(server().port);
      const token = await tokenFor(["team/sops/encrypt/*", "team/sops/decrypt/*"]);
      const uri = (name: string): string => `http://127.0.0.1:${String(gate.port)}/v1/team/sops/keys/${name}`;
      return {
        ...{ flag: "hc-vault-transit", rule: "hc_vault_transit_uri", list: "hc_vault" },
        ...{ key: uri("k1"), otherKey: uri("k2"), gate, secrets: [token], env: { VAULT_TOKEN: token } },
      };
    }),
  );

  /** A token that may do nothing but update these paths. */
  async function tokenFor(paths: readonly string[]): Promise<string> {
    const policy = paths.map((path) => `path "${path}" { capabilities = ["update"] }`).join("\n");
    const name = `p${String(Math.random()).slice(2)}`;
    await ask(url(), `sys/policies/acl/${name}`, { policy });
    const { auth } = (await ask(url(), "auth/token/create", { policies: [name] })) as {
      auth: { client_token: string };
    };
    return auth.client_token;
  }

  it("wraps with the newest version of the key and unwraps with those before", async () => {
    const host = hostWith({ VAULT_TOKEN: ROOT_TOKEN });
    const key = keyOf(`${url()}/v1/team/sops/keys/rolled`);
    const first = await key.wrap(DATA_KEY, host);
    await ask(url(), "team/sops/keys/rolled/rotate", {});
    const second = await key.wrap(DATA_KEY, host);
    expect([first.slice(0, 9), second.slice(0, 9)]).toEqual(["vault:v1:", "vault:v2:"]);
    for (const enc of [first, second]) expect(Buffer.from(await key.unwrap(enc, host))).toEqual(DATA_KEY);
  });

  it("takes the token that vault login left behind, unless VAULT_TOKEN is set", async () => {
    const home = join(folder(), "home");
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, ".vault-token"), `  ${ROOT_TOKEN}\n`);
    const key = keyOf(`${url()}/v1/team/sops/keys/k1`);
    expect(await key.wrap(DATA_KEY, hostWith({ HOME: home }))).toMatch(/^vault:v1:/);
    await expect(key.wrap(DATA_KEY, hostWith({ HOME: home, VAULT_TOKEN: "not-this" }))).rejects.toThrow(
      /HTTP status 403/,
    );
  });

  it("works in a namespace", async () => {
    await ask(url(), "sys/namespaces/ns1", {});
    await ask(url(), "sys/mounts/transit", { type: "transit" }, { "X-Vault-Namespace": "ns1" });
    const key = keyOf(`${url()}/v1/transit/keys/k`);
    const host = hostWith({ VAULT_TOKEN: ROOT_TOKEN, VAULT_NAMESPACE: "ns1" });
    expect(Buffer.from(await key.unwrap(await key.wrap(DATA_KEY, host), host))).toEqual(DATA_KEY);
  });

  it.each([
    {
      name: "a token that is not known",
      path: "team/sops/keys/k1",
      token: "secret-token",
      reason: "HTTP status 403; the token is missing",
    },
    {
      name: "an engine that is not there",
      path: "nowhere/keys/k",
      token: ROOT_TOKEN,
      reason: "HTTP status 404; there is no transit engine",
    },
  ])("says what $name means, without the token", async ({ path, token, reason }) => {
    const failure = await keyOf(`${url()}/v1/${path}`)
      .wrap(DATA_KEY, hostWith({ VAULT_TOKEN: token }))
      .catch((error: unknown) => String(error));
    expect(failure).toContain(reason);
    expect(failure).not.toContain("secret-token");
  });

  it("does not unwrap without the permission", async () => {
    const token = await tokenFor(["team/sops/encrypt/*"]);
    const host = hostWith({ VAULT_TOKEN: token });
    const key = keyOf(`${url()}/v1/team/sops/keys/k1`);
    const enc = await key.wrap(DATA_KEY, host);
    await expect(key.unwrap(enc, host)).rejects.toThrow(/'team\/sops\/decrypt\/k1': HTTP status 403/);
  });
});

describeWith("Vault transit over TLS (OpenBao)", baoTls, (server, folder) => {
  const keyAt = (): MasterKey => keyOf(`https://127.0.0.1:${String(server().port)}/v1/transit/keys/k`);
  const authority = (): string => join(folder(), "vault-ca.pem");
  const token = { VAULT_TOKEN: ROOT_TOKEN };

  it.each([
    { name: "trusts the authority that VAULT_CACERT names", env: () => ({ VAULT_CACERT: authority() }) },
    { name: "trusts any certificate with VAULT_SKIP_VERIFY", env: () => ({ VAULT_SKIP_VERIFY: "true" }) },
  ])("$name", async ({ env }) => {
    // No transit engine is mounted: an answer is enough.
    await expect(keyAt().wrap(DATA_KEY, hostWith({ ...token, ...env() }))).rejects.toThrow(/HTTP status 404/);
  });

  it("refuses a certificate of an authority it does not know", async () => {
    await expect(keyAt().wrap(DATA_KEY, hostWith(token))).rejects.toThrow(
      /no connection \([A-Z_]+\); the certificate's authority is not known/,
    );
  });
});
