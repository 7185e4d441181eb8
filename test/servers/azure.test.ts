import { beforeEach, describe, expect, it } from "vitest";
import { sandbox } from "../support/sandbox.ts";
import { startGate } from "./support/gate.ts";
import { describeKeyLife, prepared } from "./support/scenarios.ts";
import { describeWith, keyVault } from "./support/servers.ts";

const VAULT = "https://sops-test.vault.azure.net";
const TOKEN = "token-of-the-stand-in";

describeWith("Azure Key Vault (stand-in)", keyVault, (server) => {
  describe("through its life", () => {
    describeKeyLife(
      prepared(async () => {
        const gate = await startGate(server().port);
        server().route = gate.port;
        const url = (name: string): string => `${VAULT}/keys/${name}/${server().createKey(name)}`;
        return {
          ...{ flag: "azure-kv", rule: "azure_keyvault", list: "azure_kv" },
          ...{ key: url("k1"), otherKey: url("k2"), gate, secrets: [TOKEN], env: server().env },
        };
      }),
    );
  });

  describe("in detail", () => {
    const run = async (...args: string[]) => {
      const box = sandbox({ "a.yaml": "a: 1\n" }, server().env);
      const result = await box.run(...args);
      box.remove();
      return result;
    };

    beforeEach(() => {
      server().resource = "https://vault.azure.net";
      server().route = server().port;
      server().requests.length = 0;
    });

    it.each(["", "/"])("asks for the current version of a key without one (%j)", async (end) => {
      server().createKey("rolled");
      const version = server().createKey("rolled");
      const result = await run("encrypt", "--azure-kv", `${VAULT}/keys/rolled${end}`, "a.yaml");
      expect(result).toMatchObject({ status: 0 });
      expect(result.stdout).toContain(`version: ${version}`);
      expect(server().requests.some((request) => /^GET \/keys\/rolled\/?$/.test(request))).toBe(true);
    });

    it("sends no token to a vault that asks for one of another domain", async () => {
      const version = server().createKey("k3");
      server().resource = "https://vault.example.test";
      const result = await run("encrypt", "--azure-kv", `${VAULT}/keys/k3/${version}`, "a.yaml");
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toContain("the vault asked for a token of another domain");
    });

    it.each([
      { name: "is asked again when it throttles", failures: [429, 500], status: 0, stderr: /^$/ },
      { name: "is not asked without end", failures: [503, 503, 503, 503], status: 1, stderr: /HTTP status 503/ },
      { name: "does without the permission to get the key", failures: [403], status: 0, stderr: /^$/ },
      {
        name: "says what is forbidden",
        failures: [403, 403],
        status: 1,
        stderr: /Forbidden \(HTTP status 403\); the identity may not use this key/,
      },
      { name: "follows no redirect", failures: [307], status: 1, stderr: /HTTP status 307/ },
    ])("$name", async ({ failures, status, stderr }) => {
      const version = server().createKey("k4");
      server().failures.push(...failures);
      const result = await run("encrypt", "--azure-kv", `${VAULT}/keys/k4/${version}`, "a.yaml");
      server().failures.length = 0;
      expect(result).toMatchObject({ status });
      expect(result.stderr).toMatch(stderr);
      expect(result.stderr).not.toContain("s3cret-answer");
      expect(server().requests.join()).not.toContain("elsewhere");
    });

    it("says that a key does not exist", async () => {
      const result = await run("encrypt", "--azure-kv", `${VAULT}/keys/none/0`, "a.yaml");
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toContain("KeyNotFound (HTTP status 404); there is no such key or version in the vault");
    });

    it("asks no host that is not a vault's", async () => {
      const result = await run("encrypt", "--azure-kv", "https://vault.example.test/keys/k/0", "a.yaml");
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toContain("vault.example.test is not a host of Azure Key Vault");
      expect(server().requests).toEqual([]);
    });
  });
});
