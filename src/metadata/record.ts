/** The `sops` block ⇄ what it means (file-format.md 6). Where the block stands in a text is not this file's business. */

import { entry, leaf, mapping, sequence, type Entry, type Mapping, type Node } from "../document/model.ts";
import { KeyError, SopsError } from "../errors.ts";
import { parseRfc3339, withoutFraction } from "../go/time.ts";
import type { KeyBackend, KeyRecord, KeyType, MasterKey } from "../keys/backend.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import { isNull, looseBoolean, looseInteger, looseMappings, looseString, unexpected } from "./loose.ts";
import { readSelection } from "./selection.ts";
import type { Metadata } from "./type.ts";

/** Lists that an element of `key_groups` shows even when they are empty. */
const ALWAYS_IN_GROUP: readonly KeyType[] = ["age", "hc_vault"];

type Fields = ReadonlyMap<string, Node>;

/**
 * Reads the `sops` block: any order, loose types, unknown fields ignored, names in any letter case.
 *
 * An entry whose backend refuses it becomes a key that fails when it is used, so that one bad key does not keep the
 * others from opening the file; nothing can be wrapped for it.
 *
 * @param node - the block as nested nodes, also where the format flattens it
 * @param backends - one per key type, in the order of the keys of a group (file-format.md 5.1); a list of another type
 *   is an unknown field
 * @throws {SopsError} ERR_METADATA_MISSING for an empty block, ERR_LOAD for one that cannot be used
 */
export function metadataFromTree(node: Node, backends: readonly KeyBackend[]): Metadata {
  if (node.kind !== "mapping") throw new SopsError("ERR_LOAD", "Found sops entry that is not a mapping");
  const fields = readFields(node, "");
  if (fields.size === 0) throw new SopsError("ERR_METADATA_MISSING", "sops metadata not found");
  const lastModified = readTime(fields.get("lastmodified"), "lastmodified");
  const integrity = looseString(fields.get("integrity"), "integrity");
  return {
    ...(integrity === "" ? {} : { integrity }),
    ...readGroups(fields, backends),
    shamirThreshold: looseInteger(fields.get("shamir_threshold"), "shamir_threshold"),
    lastModified,
    mac: looseString(fields.get("mac"), "mac"),
    selection: readSelection(
      (kind) => looseString(fields.get(kind), kind),
      (names) => new SopsError("ERR_LOAD", `Cannot use more than one of ${names} in the same file`),
    ),
    macOnlyEncrypted: looseBoolean(fields.get("mac_only_encrypted"), "mac_only_encrypted"),
    version: looseString(fields.get("version"), "version"),
  };
}

/** Builds the `sops` block as sops 3.13 writes it: every mapping in byte order, empty fields left out (6.1, 6.2). */
export function metadataToTree(metadata: Metadata): Mapping {
  const { groups, selection, shamirThreshold } = metadata;
  const [onlyGroup] = groups;
  const entries: Entry[] =
    onlyGroup !== undefined && groups.length === 1
      ? keyLists(onlyGroup, [])
      : [entry("key_groups", sequence(groups.map((group) => sorted(keyLists(group, ALWAYS_IN_GROUP)))))];
  entries.push(
    entry("lastmodified", leaf(metadata.lastModified)),
    entry("mac", leaf(metadata.mac)),
    entry("version", leaf(metadata.version)),
  );
  if (metadata.integrity !== undefined) entries.push(entry("integrity", leaf(metadata.integrity)));
  if (shamirThreshold !== 0) entries.push(entry("shamir_threshold", leaf(BigInt(shamirThreshold))));
  if (selection !== undefined) entries.push(entry(selection.kind, leaf(selection.pattern)));
  if (metadata.macOnlyEncrypted) entries.push(entry("mac_only_encrypted", leaf(true)));
  return sorted(entries);
}

/** Fields by name in lower case; two that differ in case only would leave open which one counts. */
function readFields(node: Mapping, at: string): Fields {
  const fields = new Map<string, Node>();
  for (const item of node.items) {
    if (item.kind === "comment") continue;
    const name = item.key.toLowerCase();
    if (fields.has(name)) throw new SopsError("ERR_LOAD", `sops metadata, ${at}${name}: the field stands there twice`);
    fields.set(name, item.value);
  }
  return fields;
}

function readTime(node: Node | undefined, field: string): string {
  const time = parseRfc3339(looseString(node, field));
  if (time === undefined) throw unexpected(field, "a time such as 2006-01-02T15:04:05Z");
  return withoutFraction(time);
}

function readGroups(fields: Fields, backends: readonly KeyBackend[]): Pick<Metadata, "groups" | "shadowsKeyGroups"> {
  const flat = readKeys(fields, "", backends);
  const groups = looseMappings(fields.get("key_groups"), "key_groups").map((group, index) => {
    const at = `key_groups[${String(index)}].`;
    return readKeys(readFields(group, at), at, backends);
  });
  if (flat.length === 0 && groups.length === 0) throw new SopsError("ERR_LOAD", "No keys found in file");
  if (flat.length === 0) return { groups };
  return groups.some((group) => group.length > 0) ? { groups: [flat], shadowsKeyGroups: true } : { groups: [flat] };
}

function readKeys(fields: Fields, at: string, backends: readonly KeyBackend[]): WrappedKey[] {
  return backends.flatMap((backend) =>
    looseMappings(fields.get(backend.type), at + backend.type).flatMap((item, index) => {
      const place = `${at}${backend.type}[${String(index)}].`;
      const entryFields = readFields(item, place);
      return entryFields.size === 0 ? [] : [readKey(entryFields, place, backend)];
    }),
  );
}

function readKey(fields: Fields, at: string, backend: KeyBackend): WrappedKey {
  const record = [...fields].flatMap(([name, node]) => {
    const value = name === "enc" || name === "created_at" ? undefined : readKeyField(node, at + name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const key = keyFromRecord(backend, Object.fromEntries(record));
  const enc = looseString(fields.get("enc"), `${at}enc`);
  if (!backend.dated) return { key, enc };
  return { key, enc, createdAt: readTime(fields.get("created_at"), `${at}created_at`) };
}

/** No backend has a field that is a list, so that one is unknown; null is as good as absent. */
function readKeyField(node: Node, at: string): string | Record<string, string> | undefined {
  if (node.kind === "sequence" || isNull(node)) return undefined;
  if (node.kind === "leaf") return looseString(node, at);
  const pairs = node.items.flatMap((item) =>
    item.kind === "entry" ? [[item.key, looseString(item.value, `${at}.${item.key}`)] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function keyFromRecord(backend: KeyBackend, record: KeyRecord): MasterKey {
  try {
    return backend.fromRecord(record);
  } catch (error) {
    if (error instanceof KeyError) return unusableKey(backend.type, record, error);
    throw error;
  }
}

function unusableKey(type: KeyType, record: KeyRecord, error: KeyError): MasterKey {
  const fail = (): Promise<never> => Promise.reject(error);
  const texts = Object.values(record).flatMap((value) => (typeof value === "string" && value !== "" ? [value] : []));
  return { type, id: texts.join("/"), wrap: fail, unwrap: fail, toRecord: () => record };
}

function keyLists(group: readonly WrappedKey[], alwaysShown: readonly KeyType[]): Entry[] {
  const types = new Set([...alwaysShown, ...group.map(({ key }) => key.type)]);
  return [...types].map((type) => {
    const keys = group.filter(({ key }) => key.type === type);
    return entry(type, sequence(keys.map(keyToTree)));
  });
}

function keyToTree({ key, enc, createdAt }: WrappedKey): Mapping {
  const fields = Object.entries(key.toRecord()).map(([name, value]) =>
    entry(name, typeof value === "string" ? leaf(value) : textMapping(value)),
  );
  fields.push(entry("enc", leaf(enc)));
  if (createdAt !== undefined) fields.push(entry("created_at", leaf(createdAt)));
  return sorted(fields);
}

function textMapping(texts: Readonly<Record<string, string>>): Mapping {
  return sorted(Object.entries(texts).map(([name, text]) => entry(name, leaf(text))));
}

function sorted(entries: readonly Entry[]): Mapping {
  return mapping(entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))));
}
