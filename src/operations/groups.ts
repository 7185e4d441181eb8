import { SopsError } from "../errors.ts";
import type { MasterKey } from "../keys/backend.ts";
import type { Context, FormatChoice } from "./context.ts";
import { loadFile } from "./encrypted-file.ts";
import { applyKeyChanges, planKeyChanges } from "./update-keys.ts";

/** Options of `addGroup` and `deleteGroup`. */
export interface GroupOptions extends FormatChoice {
  readonly context: Context;
  /** New threshold; 0 leaves the file's own. */
  readonly shamirThreshold: number;
}

/** Adds a key group at the end; all shares are drawn anew. @throws {SopsError} ERR_WRAP if any key cannot wrap */
export async function addGroup(
  bytes: Uint8Array,
  keys: readonly MasterKey[],
  options: GroupOptions,
): Promise<Uint8Array> {
  if (keys.length === 0) throw new SopsError("ERR_USAGE", "no key was given for the new group");
  return changeGroups(bytes, options, (groups) => [...groups, keys]);
}

/**
 * Removes a key group.
 *
 * @param index - position of the group, from 0
 * @throws {SopsError} ERR_USAGE if there is no such group, it is the only one, or too few remain for the threshold
 */
export async function deleteGroup(bytes: Uint8Array, index: number, options: GroupOptions): Promise<Uint8Array> {
  return changeGroups(bytes, options, (groups, threshold) => {
    if (groups[index] === undefined) {
      throw new SopsError(
        "ERR_USAGE",
        `the file has no key group with index ${String(index)}; they are counted from 0 to ${String(groups.length - 1)}`,
      );
    }
    if (groups.length === 1)
      throw new SopsError("ERR_USAGE", "removing the only key group would leave a file that nobody can open");
    if (groups.length - 1 < threshold) {
      throw new SopsError(
        "ERR_USAGE",
        `removing this key group will make the Shamir threshold impossible to satisfy: Shamir threshold is ${String(threshold)} but we only have ${String(groups.length - 1)} groups left`,
        { hint: "give a lower --shamir-secret-sharing-threshold in the same call" },
      );
    }
    return groups.toSpliced(index, 1);
  });
}

async function changeGroups(
  bytes: Uint8Array,
  options: GroupOptions,
  change: (groups: readonly (readonly MasterKey[])[], threshold: number) => readonly (readonly MasterKey[])[],
): Promise<Uint8Array> {
  const { context } = options;
  const file = loadFile(bytes, options.input, context);
  // Values stay as they are; every key gets a new share.
  const trees = { before: [], after: [] };
  await context.review?.({ format: options.output.name, metadata: file.metadata, ...trees, wrapsAnew: true });
  const groups = file.metadata.groups.map((group) => group.map(({ key }) => key));
  const threshold = options.shamirThreshold === 0 ? file.metadata.shamirThreshold : options.shamirThreshold;
  const keyGroups = change(groups, threshold);
  const changes = await planKeyChanges(file, { keyGroups, shamirThreshold: options.shamirThreshold }, context);
  return applyKeyChanges(file, changes, options);
}
