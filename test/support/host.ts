import { randomBytes } from "node:crypto";
import type { Host } from "../../src/host.ts";
import type { Context } from "../../src/operations/context.ts";
import { DEFAULT_DECRYPTION_ORDER } from "../../src/keys/groups.ts";
import { keyBackends } from "../../src/keys/registry.ts";
import { localKeyService } from "../../src/keys/service/service.ts";
import { fixture } from "./vectors.ts";

/** A host with nothing outside: an environment of its own, no files, no processes; warnings are collected. */
export interface TestHost extends Host {
  readonly warnings: readonly string[];
}

/** Makes a host. `files` are what the user's home holds, by absolute path. */
export function testHost(
  env: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, Uint8Array | string>> = {},
): TestHost {
  const warnings: string[] = [];
  const refuse = (what: string) => () => Promise.reject(new Error(`${what} in a test without it`));
  return {
    env,
    platform: "linux",
    now: () => new Date("2026-01-02T03:04:05Z"),
    randomBytes: (size) => randomBytes(size),
    readFile: (path) => {
      const content = files[path];
      return content === undefined ? null : Buffer.from(content);
    },
    run: refuse("a process"),
    askPassphrase: refuse("a prompt"),
    warn: (message, fields) => warnings.push([message, ...Object.values(fields ?? {})].join(" ")),
    warnings,
  };
}

/** What operations need, with the keys of `host`. */
export function testContext(host: Host): Context {
  return { host, backends: keyBackends, services: [localKeyService(host)], decryptionOrder: DEFAULT_DECRYPTION_ORDER };
}

/** A host that holds test identities of `fixtures/keys`: `age1`, `age2`, `age3`, `agepq`, `ssh-ed25519`, `ssh-rsa`. */
export function hostWithKeys(...names: readonly string[]): TestHost {
  const identities = names
    .filter((name) => name.startsWith("age"))
    .map((name) => fixture(`keys/${name}.txt`).toString());
  const ssh = names.find((name) => name.startsWith("ssh-"));
  const env: Record<string, string> = { HOME: "/home/test" };
  if (identities.length > 0) env["SOPS_AGE_KEY"] = identities.join("\n");
  if (ssh === undefined) return testHost(env);
  env["SOPS_AGE_SSH_PRIVATE_KEY_FILE"] = "/keys/ssh";
  return testHost(env, { "/keys/ssh": fixture(`keys/${ssh.replace("-", "_")}`) });
}
