import { KeyError } from "../../../src/errors.ts";
import type { KeyBackend, KeyDefaults, KeyRecord, KeyType, MasterKey } from "../../../src/keys/backend.ts";

/** What tells a fake backend from the others; `fields` are those of a metadata record, the first of which it needs. */
interface Traits {
  readonly rule: string;
  readonly group?: string;
  readonly fields: readonly [string, ...string[]];
  readonly ruleAliases?: readonly string[];
  readonly groupAliases?: readonly string[];
}

const TRAITS: Readonly<Record<KeyType, Traits>> = {
  kms: { rule: "kms", fields: ["arn", "role", "aws_profile", "context"] },
  gcp_kms: { rule: "gcp_kms", fields: ["resource_id"] },
  hckms: { rule: "hckms", fields: ["key_id"] },
  azure_kv: { rule: "azure_keyvault", fields: ["vault_url", "name", "version"] },
  hc_vault: {
    rule: "hc_vault_transit_uri",
    group: "hc_vault",
    fields: ["vault_address", "engine_path", "key_name"],
    ruleAliases: ["hc_vault_uris"],
    groupAliases: ["hc_vault_transit_uri", "hc_vault_uris"],
  },
  pgp: { rule: "pgp", fields: ["fp"] },
  age: { rule: "age", fields: ["recipient"] },
};

function fakeKey(type: KeyType, record: KeyRecord): MasterKey {
  const id = Object.values(record)
    .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
    .filter((text) => text !== "")
    .join("/");
  return {
    type,
    id,
    wrap: () => Promise.resolve(`wrapped for ${id}`),
    unwrap: () => Promise.reject(new KeyError("not mine")),
    toRecord: () => record,
  };
}

function fakeBackend(type: KeyType, traits: Traits): KeyBackend {
  const { rule, group = rule, fields, ruleAliases = [], groupAliases = [] } = traits;
  const [identity] = fields;
  const fromText = (text: string, defaults?: KeyDefaults): MasterKey => {
    if (text.startsWith("malformed")) throw new KeyError(`not a ${type} key`);
    const profile = type === "kms" ? { aws_profile: defaults?.awsProfile ?? "" } : {};
    const context = type === "kms" && defaults?.encryptionContext ? { context: defaults.encryptionContext } : {};
    return fakeKey(type, { [identity]: text, ...profile, ...context });
  };
  return {
    type,
    title: type,
    names: { rule, ruleAliases, group, groupAliases, flag: type, env: `SOPS_${type.toUpperCase()}` },
    dated: type !== "age",
    parse: (text, defaults) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "")
        .map((part) => fromText(part, defaults)),
    fromGroupEntry: (item) => {
      if (typeof item === "string") return item.split(",").map((part) => fromText(part.trim()));
      if (typeof item !== "object" || item === null) throw new KeyError(`not a ${type} key`);
      return [fakeKey(type, item as KeyRecord)];
    },
    fromRecord: (record) => {
      if (record[identity] === undefined) throw new KeyError(`no ${identity}`);
      return fakeKey(type, record);
    },
  };
}

/** One backend per key type, in the order of the registry; keys are what they were made from. */
export const fakeBackends: readonly KeyBackend[] = Object.entries(TRAITS).map(([type, traits]) =>
  fakeBackend(type as KeyType, traits),
);
