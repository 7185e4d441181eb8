import type { MasterKey } from "./backend.ts";

/** What tells two keys apart: type and display string, fingerprints without regard to case (cli-behaviour.md 5.0, I-41). */
export function identityOf(key: MasterKey): string {
  return `${key.type} ${key.type === "pgp" ? key.id.toUpperCase() : key.id}`;
}

/** The keys without repetitions, each where it came first. */
export function uniqueKeys(keys: readonly MasterKey[]): MasterKey[] {
  const seen = new Set<string>();
  return keys.filter((key) => {
    const identity = identityOf(key);
    const isNew = !seen.has(identity);
    seen.add(identity);
    return isNew;
  });
}
