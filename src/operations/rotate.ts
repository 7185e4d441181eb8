import { DATA_KEY_LENGTH, importDataKey } from "../bytes/aes-gcm.ts";
import { SopsError } from "../errors.ts";
import type { MasterKey } from "../keys/backend.ts";
import { identityOf, uniqueKeys } from "../keys/identity.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import type { Metadata } from "../metadata/type.ts";
import type { Context, FormatChoice } from "./context.ts";
import { loadFile, openFile } from "./encrypted-file.ts";
import { refuseShadowedGroups, type Demands } from "./guard.ts";
import { PENDING_INTEGRITY } from "./integrity.ts";
import { reseal } from "./reseal.ts";
import { resolveKeys, wrapForGroups } from "./wrapping.ts";

/** Options of `rotate`. */
export interface RotateOptions extends FormatChoice {
  readonly context: Context;
  readonly ignoreMac: boolean;
  /** Keys added to a group, unless they are in it already. */
  readonly add: readonly MasterKey[];
  /** Keys removed from every group; those that are not there are ignored. */
  readonly remove: readonly MasterKey[];
  /** Index of the group that `add` goes to, from 0. */
  readonly group: number;
}

/**
 * Gives a file a new data key: every value is encrypted anew and every key wraps the new data key.
 *
 * @throws {SopsError} ERR_WRAP if any key cannot wrap, and what `decrypt` throws
 */
export async function rotate(bytes: Uint8Array, options: RotateOptions): Promise<Uint8Array> {
  const { context } = options;
  const file = loadFile(bytes, options.input, context);
  refuseShadowedGroups(file.metadata);
  await context.record?.("rotate");
  const opened = await openFile(file, context, { ...options, remembersCells: true });
  opened.keyBytes.fill(0);
  const trees = { before: opened.plain, after: opened.plain };
  const rewrite = { format: options.output.name, metadata: file.metadata, ...trees, wrapsAnew: true };
  const demands = await context.review?.(rewrite);
  const keyGroups = await changeKeys(file.metadata.groups, options);
  const keyBytes = context.host.randomBytes(DATA_KEY_LENGTH);
  try {
    // Every key is dated anew: the time since it last wrapped is what tells whether it is due (I-28).
    const groups = await wrapForGroups(keyGroups, keyBytes, file.metadata.shamirThreshold, context);
    await context.record?.("encrypt");
    return reseal(
      {
        ...opened,
        metadata: { ...file.metadata, groups, ...integrityFor(file.metadata, demands) },
        dataKey: importDataKey(keyBytes),
        before: file.source.documents,
      },
      options,
    );
  } finally {
    keyBytes.fill(0);
  }
}

/** A file that sops wrote last has lost its integrity, and gets one again where its rule asks for one. */
function integrityFor({ integrity }: Metadata, demands: Demands | undefined): Pick<Metadata, "integrity"> {
  return integrity === undefined && demands?.integrity === true ? { integrity: PENDING_INTEGRITY } : {};
}

async function changeKeys(groups: readonly (readonly WrappedKey[])[], options: RotateOptions): Promise<MasterKey[][]> {
  if (options.add.length > 0 && groups[options.group] === undefined) {
    throw new SopsError(
      "ERR_USAGE",
      `the file has no key group with index ${String(options.group)}; they are counted from 0 to ${String(groups.length - 1)}`,
    );
  }
  const removed = new Set(options.remove.map(identityOf));
  const added = await resolveKeys(options.add, options.context);
  return groups.map((group, index) => {
    const keys = [...group.map(({ key }) => key), ...(index === options.group ? added : [])];
    return uniqueKeys(keys).filter((key) => !removed.has(identityOf(key)));
  });
}
