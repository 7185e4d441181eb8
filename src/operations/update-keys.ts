import { importDataKey } from "../bytes/aes-gcm.ts";
import type { MasterKey } from "../keys/backend.ts";
import { storedThreshold } from "../keys/groups.ts";
import { identityOf } from "../keys/identity.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import { SopsError } from "../errors.ts";
import type { Context, FormatChoice } from "./context.ts";
import { recoverFileKey, type LoadedFile } from "./encrypted-file.ts";
import { refuseShadowedGroups } from "./guard.ts";
import { rewriteMetadata } from "./reseal.ts";
import { resolveKeys, wrapForGroups } from "./wrapping.ts";

/** The keys of one group that stay, come and go. */
export interface GroupChange {
  readonly kept: readonly MasterKey[];
  readonly added: readonly MasterKey[];
  readonly removed: readonly MasterKey[];
}

/** What would have to change for a file to have the wanted keys. */
export interface KeyChanges {
  readonly groups: readonly GroupChange[];
  readonly oldThreshold: number;
  readonly newThreshold: number;
  /** Whether nothing has to. */
  readonly isUpToDate: boolean;
  readonly wanted: readonly (readonly MasterKey[])[];
}

/** Which keys, and how many groups, a file shall have. */
export interface WantedKeys {
  readonly keyGroups: readonly (readonly MasterKey[])[];
  /** 0: keep the file's own as far as the number of groups allows. */
  readonly shamirThreshold: number;
}

/** Compares a file's keys with the wanted ones, group by group, whatever their order (cli-behaviour.md 2.8). */
export async function planKeyChanges(file: LoadedFile, wanted: WantedKeys, context: Context): Promise<KeyChanges> {
  const keyGroups = await Promise.all(wanted.keyGroups.map((group) => resolveKeys(group, context)));
  const present = file.metadata.groups.map((group) => group.map(({ key }) => key));
  const count = Math.max(present.length, keyGroups.length);
  const groups = Array.from({ length: count }, (_, index) =>
    compareGroup(present[index] ?? [], keyGroups[index] ?? []),
  );
  const oldThreshold = file.metadata.shamirThreshold;
  const asked = wanted.shamirThreshold === 0 ? oldThreshold : wanted.shamirThreshold;
  const newThreshold = Math.min(asked, keyGroups.length);
  const isSame =
    present.length === keyGroups.length && groups.every(({ added, removed }) => added.length + removed.length === 0);
  return { groups, oldThreshold, newThreshold, isUpToDate: isSame && oldThreshold === newThreshold, wanted: keyGroups };
}

function compareGroup(present: readonly MasterKey[], wanted: readonly MasterKey[]): GroupChange {
  const old = new Set(present.map(identityOf));
  const next = new Set(wanted.map(identityOf));
  return {
    kept: wanted.filter((key) => old.has(identityOf(key))),
    added: wanted.filter((key) => !old.has(identityOf(key))),
    removed: present.filter((key) => !next.has(identityOf(key))),
  };
}

/**
 * Wraps a file's data key for the wanted keys; values, MAC and times of the file stay as they are.
 *
 * @throws {DataKeyError} if no present key opens the file, {SopsError} ERR_WRAP if a new one cannot wrap, ERR_POLICY if
 *   it has keys both flat and in groups
 */
export async function applyKeyChanges(
  file: LoadedFile,
  changes: KeyChanges,
  options: FormatChoice & { readonly context: Context },
): Promise<Uint8Array> {
  refuseShadowedGroups(file.metadata);
  const keyBytes = await recoverFileKey(file, options.context);
  try {
    const { wanted, newThreshold } = changes;
    const groups = await rewrap(file, wanted, newThreshold, keyBytes, options.context);
    const shamirThreshold = storedThreshold(newThreshold, groups.length);
    const metadata = { ...file.metadata, groups, shamirThreshold };
    return rewriteMetadata(file, metadata, importDataKey(keyBytes), options);
  } finally {
    keyBytes.fill(0);
  }
}

/**
 * With one group before and after, keys that stay keep what they wrapped: it is the same data key, and they need not
 * be reachable. With several groups the shares are drawn anew.
 */
async function rewrap(
  file: LoadedFile,
  wanted: readonly (readonly MasterKey[])[],
  threshold: number,
  keyBytes: Uint8Array,
  context: Context,
): Promise<WrappedKey[][]> {
  const [only] = wanted;
  const present = file.metadata.groups;
  const isFlat = wanted.length === 1 && present.length === 1 && only !== undefined;
  const known = new Map(isFlat ? present.flat().map((wrapped) => [identityOf(wrapped.key), wrapped]) : []);
  const fresh = isFlat ? [only.filter((key) => !known.has(identityOf(key)))] : wanted;
  if (wanted.some((group) => group.length === 0))
    throw new SopsError("ERR_WRAP", "Could not generate data key: [empty key group provided]");
  const isNothingNew = isFlat && fresh[0]?.length === 0;
  const wrapped = isNothingNew ? [[]] : await wrapForGroups(fresh, keyBytes, threshold, context);
  if (!isFlat) return wrapped;
  const byIdentity = new Map([...known, ...(wrapped[0] ?? []).map((key) => [identityOf(key.key), key] as const)]);
  return [only.flatMap((key) => byIdentity.get(identityOf(key)) ?? [])];
}
