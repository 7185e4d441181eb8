import type { Host } from "../host.ts";

/** Type ids in metadata and `--decryption-order` (cli-behaviour.md 5.0). */
export type KeyType = "age" | "pgp" | "kms" | "gcp_kms" | "hckms" | "azure_kv" | "hc_vault";

/** Types whose keys are used on this machine: that needs no network, but perhaps somebody who types a passphrase. */
export const LOCAL_KEY_TYPES: readonly KeyType[] = ["age", "pgp"];

/** The fields of a key entry in the metadata, without `enc` and `created_at` (file-format.md 6.3). */
export type KeyRecord = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** A key that wraps data keys (or shares of one): 32 or 33 bytes in, the `enc` text out, and back. */
export interface MasterKey {
  readonly type: KeyType;
  /** Display string and identity: two keys of a type with equal ids are the same key (cli-behaviour.md 5.0). */
  readonly id: string;
  /** @throws {KeyError} whose message holds no key, token or request body */
  wrap(part: Uint8Array, host: Host): Promise<string>;
  /** @throws {KeyError} likewise */
  unwrap(enc: string, host: Host): Promise<Uint8Array>;
  toRecord(): KeyRecord;
  /**
   * For a key that is not yet complete: asks its service for the rest (an Azure key without a version). Called once
   * for every new key before its record is written or data keys are wrapped.
   */
  resolve?(host: Host): Promise<MasterKey>;
}

/** Settings that apply to every key of a type that is named by flag or rule. */
export interface KeyDefaults {
  /** AWS profile (`--aws-profile`, `aws_profile`). */
  readonly awsProfile?: string;
  /** AWS encryption context (`--encryption-context`). */
  readonly encryptionContext?: Readonly<Record<string, string>>;
}

/** How a key type is called in each place it is named. */
export interface KeyNames {
  /** Member of a creation rule, where items are strings or comma lists. */
  readonly rule: string;
  /** Other spellings of it that documentation shows. */
  readonly ruleAliases?: readonly string[];
  /** Member of an element of `key_groups`. */
  readonly group: string;
  readonly groupAliases?: readonly string[];
  /** `--flag`, also `--add-flag` and `--rm-flag`. */
  readonly flag: string;
  /** One-letter form of the flag. */
  readonly short?: string;
  /** Environment variable that gives the flag's default. */
  readonly env: string;
}

/** Reads keys of one type from every place they are named. */
export interface KeyBackend {
  readonly type: KeyType;
  /** What messages call it, such as `AWS KMS`. */
  readonly title: string;
  readonly names: KeyNames;
  /** Whether entries in the metadata carry `created_at`; age's do not. */
  readonly dated: boolean;
  /** Reads a comma list as flags and flat rules have it; empty items are dropped. @throws {KeyError} */
  parse(text: string, defaults: KeyDefaults): MasterKey[];
  /** Reads one item of `key_groups[].<group>`, as plain data (string or object). @throws {KeyError} */
  fromGroupEntry(item: unknown): MasterKey[];
  /** Reads an entry of the metadata. @throws {KeyError} */
  fromRecord(record: KeyRecord): MasterKey;
}
