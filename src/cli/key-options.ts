import { SopsError } from "../errors.ts";
import type { KeyBackend, KeyDefaults, KeyType, MasterKey } from "../keys/backend.ts";
import { keyBackends } from "../keys/registry.ts";
import type { KeyOptionName, OptionValues } from "./options.ts";

/** The order in which keys given by options stand in their group (cli-behaviour.md 2.0). */
const ORDER: readonly KeyType[] = ["kms", "gcp_kms", "hckms", "azure_kv", "pgp", "hc_vault", "age"];

/** Which of a key type's options is read: `--age`, `--add-age` or `--rm-age`. */
type Prefix = "" | "add-" | "rm-";

/** The keys that options name. @throws {KeyError} for a key that makes no sense */
export function keysFromOptions(values: OptionValues, prefix: Prefix): MasterKey[] {
  const defaults = keyDefaults(values, "refuse");
  return backendsInOrder().flatMap((backend) => {
    const text = values[`${prefix}${backend.names.flag as KeyOptionName}`];
    return text === undefined || text === "" ? [] : backend.parse(text, defaults);
  });
}

function backendsInOrder(): readonly KeyBackend[] {
  return ORDER.flatMap((type) => keyBackends.find((backend) => backend.type === type) ?? []);
}

/**
 * What options say about all keys of a type: AWS profile and encryption context.
 *
 * @throws {SopsError} ERR_ENCRYPTION_CONTEXT
 */
export function keyDefaults(values: OptionValues, malformed: "refuse" | "ignore"): KeyDefaults {
  const awsProfile = values["aws-profile"] ?? "";
  const encryptionContext = parseEncryptionContext(values["encryption-context"] ?? "", malformed);
  return {
    ...(awsProfile === "" ? {} : { awsProfile }),
    ...(encryptionContext === undefined ? {} : { encryptionContext }),
  };
}

/** Reads `k:v,k:v`. */
function parseEncryptionContext(text: string, malformed: "refuse" | "ignore"): Record<string, string> | undefined {
  if (text === "") return undefined;
  const context: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const item of text.split(",")) {
    const [key, value, ...others] = item.split(":");
    if (key !== undefined && value !== undefined && others.length === 0) context[key] = value;
    else if (malformed === "refuse") {
      throw new SopsError("ERR_ENCRYPTION_CONTEXT", "Invalid KMS encryption context format", {
        hint: "write it as key:value,key:value",
      });
    }
  }
  return context;
}
