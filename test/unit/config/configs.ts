import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { policyFromRule, type EncryptionPolicy } from "../../../src/config/policy.ts";
import { matchRule, noMatchingRule } from "../../../src/config/rules.ts";
import type { Config } from "../../../src/config/schema.ts";
import { SopsError } from "../../../src/errors.ts";
import type { KeyDefaults } from "../../../src/keys/backend.ts";
import { fakeBackends } from "../metadata/fake-backends.ts";

/** Where the configurations of these tests stand. */
export const LOCATION = { path: "/repo/.sops.yaml", name: ".sops.yaml" } as const;

/** Reads a configuration from its text. */
export function configOf(text: string | Uint8Array): Promise<Config> {
  return parseConfig(Buffer.from(text), LOCATION, fakeBackends);
}

/** Reads a configuration from a file that holds `content`; null stands for no file. */
export function loadFrom(content: Uint8Array | null | SopsError): Promise<Config> {
  const readFile = (): Uint8Array | null => {
    if (content instanceof SopsError) throw content;
    return content;
  };
  return loadConfig(LOCATION, fakeBackends, { readFile });
}

/** Writes a rule list with one rule. */
export function oneRule(...lines: readonly string[]): string {
  return `creation_rules:\n  - ${lines.join("\n    ")}\n`;
}

/** What a configuration asks for a file of /repo, `p.yaml` unless named. */
export async function policyOf(text: string, file = "p.yaml", defaults: KeyDefaults = {}): Promise<EncryptionPolicy> {
  const config = await configOf(text);
  const filePath = file.startsWith("/") ? file : `/repo/${file}`;
  const rule = await matchRule(config, filePath);
  if (rule === undefined) throw noMatchingRule(config, filePath);
  return policyFromRule(rule, fakeBackends, defaults);
}

/** Types and ids of the keys of every group, as `age:R1`. */
export async function keysOf(text: string, file?: string, defaults?: KeyDefaults): Promise<string[][]> {
  const { keyGroups } = await policyOf(text, file, defaults);
  return keyGroups.map((group) => group.map(({ type, id }) => `${type}:${id}`));
}

/** Code and message of what a promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<SopsError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof SopsError) return error;
    throw error;
  }
  throw new Error("a failure was expected");
}
