import type { EncryptionPolicy } from "../../src/config/policy.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { formatOfName } from "../../src/formats/registry.ts";
import type { MasterKey } from "../../src/keys/backend.ts";
import { keyBackends } from "../../src/keys/registry.ts";
import type { Context, FormatChoice, Layout } from "../../src/operations/context.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { hostWithKeys, testContext, type TestHost } from "./host.ts";
import { fixture } from "./vectors.ts";

const recipients = JSON.parse(fixture("keys/keys.json").toString()) as Record<string, { recipient: string }>;

/** The master key of a test identity: `age1`, `age2`, `age3`, … */
export function ageKey(name: string): MasterKey {
  const backend = keyBackends.find(({ type }) => type === "age");
  const [key] = backend?.parse(recipients[name]?.recipient ?? "", {}) ?? [];
  if (key === undefined) throw new Error(`no test key ${name}`);
  return key;
}

/** A policy with one group of test keys. */
export function policyOf(...names: readonly string[]): EncryptionPolicy {
  return { keyGroups: [names.map(ageKey)], shamirThreshold: 0, selection: undefined, macOnlyEncrypted: false };
}

/** What most operations take, for one format. */
export interface Bench {
  readonly host: TestHost;
  readonly context: Context;
  readonly choice: FormatChoice & { readonly context: Context; readonly ignoreMac: boolean };
  encrypt(text: string, policy?: EncryptionPolicy): Promise<string>;
  decrypt(text: string): Promise<string>;
}

/** Sets up operations on one format with the identities of some test keys. */
export function bench(format: FormatName, layout: Layout = "keep", ...identities: readonly string[]): Bench {
  const host = hostWithKeys(...(identities.length === 0 ? ["age1"] : identities));
  const context = testContext(host);
  const found = formatOfName(format);
  const choice = { input: found, output: found, layout, style: {}, context, ignoreMac: false } as const;
  return {
    host,
    context,
    choice,
    encrypt: async (text, policy = policyOf("age1")) =>
      Buffer.from(
        await encrypt(Buffer.from(text), { ...choice, policy, strict: false, allowUnencrypted: false }),
      ).toString(),
    decrypt: async (text) => Buffer.from(await decrypt(Buffer.from(text), choice)).toString(),
  };
}

/** The lines that differ between two texts of as many lines. */
export function changedLines(before: string, after: string): string[] {
  const lines = after.split("\n");
  if (before.split("\n").length !== lines.length) throw new Error("the texts differ in their number of lines");
  return before.split("\n").flatMap((line, index) => (line === lines[index] ? [] : [lines[index] ?? ""]));
}
