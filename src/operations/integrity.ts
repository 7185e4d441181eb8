import type { KeyObject } from "node:crypto";
import { integrityOf, type Facts } from "../document/integrity.ts";
import type { Mapping } from "../document/model.ts";
import { identityOf } from "../keys/identity.ts";
import type { Metadata } from "../metadata/type.ts";

/** What stands for the integrity of a file until it is known. */
export const PENDING_INTEGRITY = "pending";

/** The integrity that a file with these trees and metadata has. */
export function fileIntegrity(dataKey: KeyObject, documents: readonly Mapping[], metadata: Metadata): string {
  const keyBytes = dataKey.export();
  try {
    return integrityOf(keyBytes, documents, factsOf(metadata));
  } finally {
    keyBytes.fill(0);
  }
}

/** What of the metadata is vouched for. What wraps the data key is not: it changes with every wrapping. */
function factsOf({ groups, selection, ...metadata }: Metadata): Facts {
  return [
    ["lastmodified", metadata.lastModified],
    ["mac", metadata.mac],
    ["mac_only_encrypted", String(metadata.macOnlyEncrypted)],
    ["shamir_threshold", String(metadata.shamirThreshold)],
    ["rule", selection?.kind ?? ""],
    ["pattern", selection?.pattern ?? ""],
    ...groups.flatMap((group, index) => [
      ["group", String(index)] as const,
      ...group.map(({ key }) => ["key", `${identityOf(key)} ${JSON.stringify(sortedRecord(key.toRecord()))}`] as const),
    ]),
  ];
}

/** The fields of a key entry, which say how it is used: an AWS role or profile, an encryption context. */
function sortedRecord(record: Readonly<Record<string, unknown>>): unknown {
  const entries = Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, value]) => [
    name,
    typeof value === "string" ? value : sortedRecord(value as typeof record),
  ]);
}
