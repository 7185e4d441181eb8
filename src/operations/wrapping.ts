import { formatUtcSeconds } from "../go/time.ts";
import type { MasterKey } from "../keys/backend.ts";
import { wrapDataKey } from "../keys/groups.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import type { Context } from "./context.ts";

/** Asks the services of keys that are not yet complete for the rest, such as the version of an Azure key. */
export function resolveKeys(keys: readonly MasterKey[], { host }: Context): Promise<MasterKey[]> {
  return Promise.all(keys.map(async (key) => (await key.resolve?.(host)) ?? key));
}

/**
 * Wraps a data key for the complete keys of every group, dated now.
 *
 * @param threshold - groups needed to recover the key; 0 stands for all of them
 * @throws {SopsError} ERR_WRAP naming every key that failed
 */
export function wrapForGroups(
  groups: readonly (readonly MasterKey[])[],
  keyBytes: Uint8Array,
  threshold: number,
  { host, services, backends }: Context,
): Promise<WrappedKey[][]> {
  return wrapDataKey(groups, keyBytes, {
    threshold,
    services,
    backends,
    randomBytes: (size) => host.randomBytes(size),
    createdAt: formatUtcSeconds(host.now()),
  });
}
