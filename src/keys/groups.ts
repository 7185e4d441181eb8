import { timingSafeEqual } from "node:crypto";
import { combine, split } from "../bytes/shamir.ts";
import { DATA_KEY_LENGTH } from "../bytes/aes-gcm.ts";
import { messageOf, SopsError } from "../errors.ts";
import { LOCAL_KEY_TYPES, type KeyBackend, type KeyType, type MasterKey } from "./backend.ts";
import type { KeyService } from "./service/service.ts";
import { firstSuccess, PATIENCE, unwrapGroup, type KeyAttempt } from "./unwrap.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/** Types whose keys are tried first within a group unless the user names others. */
export const DEFAULT_DECRYPTION_ORDER: readonly KeyType[] = LOCAL_KEY_TYPES;

/** How far the recovery of one group came. */
export interface GroupResult {
  readonly isRecovered: boolean;
  /** The keys that failed, in the order they were tried. */
  readonly attempts: readonly KeyAttempt[];
}

/** The data key could not be recovered; carries the result of every group and key. */
export class DataKeyError extends SopsError {
  readonly groups: readonly GroupResult[];
  /** The threshold stored in the file, 0 if there is none. */
  readonly threshold: number;

  constructor(groups: readonly GroupResult[], threshold: number, reason?: string) {
    super("ERR_DATA_KEY", reason ?? "Failed to get the data key required to decrypt the SOPS file.", {
      hint: "check that one of the file's keys is available here; `leafcrypt filestatus` lists them",
    });
    this.groups = groups;
    this.threshold = threshold;
  }
}

/** How data keys are wrapped. */
export interface WrapOptions {
  /** Groups needed to recover the key; 0 stands for all of them. Ignored for one group. */
  readonly threshold: number;
  readonly services: readonly KeyService[];
  readonly backends: readonly KeyBackend[];
  readonly randomBytes: (size: number) => Uint8Array;
  /** `created_at` of the keys, as printed. */
  readonly createdAt: string;
}

/**
 * Wraps a data key for every key of every group, all at once: either every key has it or the call fails.
 *
 * @param groups - one group: each key wraps the data key; several: it is split into as many shares as there are
 *   groups, and each key of a group wraps the group's share
 * @throws {SopsError} ERR_WRAP naming every key that failed
 * @see file-format.md 5
 */
export async function wrapDataKey(
  groups: readonly (readonly MasterKey[])[],
  dataKey: Uint8Array,
  options: WrapOptions,
): Promise<WrappedKey[][]> {
  if (groups.length === 0) throw wrapError(["no key groups provided"]);
  if (groups.some((group) => group.length === 0)) throw wrapError(["empty key group provided"]);
  if (options.services.length === 0) throw wrapError(["no key services provided, cannot update master keys"]);
  const parts = splitDataKey(dataKey, groups.length, options);
  const failures: string[] = [];
  const wrapKey = async (key: MasterKey, part: Uint8Array): Promise<WrappedKey> => {
    const result = await firstSuccess(options.services, (service) => service.wrap(key, part));
    const enc = "value" in result ? result.value : "";
    const reasons = "value" in result ? await faultsOf({ key, enc }, part, result.service) : result.failures;
    if (reasons.length > 0)
      failures.push(`failed to encrypt new data key with master key ${JSON.stringify(key.id)}: ${reasons.join("; ")}`);
    const isDated = options.backends.find((backend) => backend.type === key.type)?.dated ?? true;
    return { key, enc, ...(isDated ? { createdAt: options.createdAt } : {}) };
  };
  try {
    const wrapped = await Promise.all(
      groups.map((group, index) => Promise.all(group.map((key) => wrapKey(key, parts[index] ?? dataKey)))),
    );
    if (failures.length > 0) throw wrapError(failures);
    return wrapped;
  } finally {
    if (groups.length > 1) for (const part of parts) part.fill(0);
  }
}

/**
 * Unwraps what a server has just wrapped, and says what is wrong with it (safety.md, P30). Who may only encrypt cannot
 * tell. What this machine wraps itself is not looked at: it may need a passphrase, and is not what can go wrong.
 */
async function faultsOf(
  { key, enc }: Pick<WrappedKey, "key" | "enc">,
  part: Uint8Array,
  service: KeyService,
): Promise<readonly string[]> {
  if (LOCAL_KEY_TYPES.includes(key.type) || service.mayAsk === true) return [];
  try {
    const unwrapped = await service.unwrap(key, enc);
    const isSame = unwrapped.length === part.length && timingSafeEqual(unwrapped, part);
    unwrapped.fill(0);
    return isSame ? [] : ["what it gave does not decrypt to the data key"];
  } catch {
    return [];
  }
}

/** The threshold that is stored: with several groups there always is one (file-format.md 5.1). */
export function storedThreshold(threshold: number, groupCount: number): number {
  return threshold === 0 && groupCount > 1 ? groupCount : threshold;
}

function splitDataKey(dataKey: Uint8Array, groupCount: number, options: WrapOptions): Uint8Array[] {
  if (groupCount === 1) return [dataKey];
  try {
    return split(dataKey, groupCount, storedThreshold(options.threshold, groupCount), options.randomBytes);
  } catch (error) {
    throw wrapError([`could not split data key into parts for Shamir: ${messageOf(error)}`]);
  }
}

function wrapError(failures: readonly string[]): SopsError {
  return new SopsError("ERR_WRAP", `Could not generate data key: [${failures.join(" ")}]`, {
    hint: "nothing was written: every key of the file must be able to open it",
  });
}

/** How data keys are recovered. */
export interface RecoverOptions {
  /** Groups needed, as stored in the file; 0 when it does not say. */
  readonly threshold: number;
  /** Key types to try first within a group; the others follow in file order. */
  readonly order: readonly KeyType[];
  readonly services: readonly KeyService[];
  /** Tells whether a key is the file's, where that can be told without its values. */
  readonly isRight: (dataKey: Uint8Array) => boolean;
  /** Milliseconds for which a server may be silent before the keys after it are tried beside it. */
  readonly patience?: number;
}

/**
 * Recovers the data key from a file's key groups.
 *
 * One group: any key in it unwraps the data key itself, 32 bytes. Several: each group yields a share of 33 bytes, 32 of
 * value and a last byte with its x coordinate, and `threshold` shares are combined. More groups are opened only when a
 * share turns out to be bad.
 *
 * @throws {DataKeyError} if too few groups could be unwrapped; lists each key's failure
 */
export async function recoverDataKey(
  groups: readonly (readonly WrappedKey[])[],
  options: RecoverOptions,
): Promise<Uint8Array> {
  const needed = groups.length === 1 ? 1 : Math.max(options.threshold, 2);
  const results: GroupResult[] = [];
  const parts: Uint8Array[] = [];
  try {
    for (const group of groups) {
      const { part, attempts } = await unwrapGroup(
        sortKeys(group, options.order),
        options.services,
        options.patience ?? PATIENCE,
      );
      results.push({ isRecovered: part !== undefined, attempts });
      if (part === undefined) continue;
      parts.push(part);
      const dataKey = groups.length === 1 ? checkLength(part, results, options) : tryShares(parts, needed, options);
      if (dataKey !== undefined) return Uint8Array.from(dataKey);
    }
    if (parts.length >= needed) {
      throw new DataKeyError(
        results,
        options.threshold,
        "could not get data key from shamir parts: the recovered parts do not belong together",
      );
    }
    throw new DataKeyError(results, options.threshold);
  } finally {
    for (const part of parts) part.fill(0);
  }
}

function checkLength(part: Uint8Array, results: readonly GroupResult[], options: RecoverOptions): Uint8Array {
  if (part.length === DATA_KEY_LENGTH) return part;
  throw new DataKeyError(results, options.threshold, "the unwrapped data key does not have 32 bytes");
}

/** Combines shares, leaving out some where all together do not give the file's key. Large sets are not searched. */
function tryShares(parts: readonly Uint8Array[], needed: number, options: RecoverOptions): Uint8Array | undefined {
  const newest = parts.at(-1);
  if (newest === undefined || parts.length < needed) return undefined;
  // Subsets without the newest share were tried before it came.
  for (const others of subsets(parts.slice(0, -1), needed - 1)) {
    const dataKey = combineQuietly([...others, newest]);
    if (dataKey?.length === DATA_KEY_LENGTH && options.isRight(dataKey)) return dataKey;
  }
  return undefined;
}

function combineQuietly(shares: readonly Uint8Array[]): Uint8Array | undefined {
  try {
    return combine(shares);
  } catch {
    return undefined; // Two shares with one x coordinate, or of different lengths: not a set of one file.
  }
}

const MAX_SUBSETS = 2000;

function* subsets<T>(items: readonly T[], size: number): Generator<T[]> {
  let count = 0;
  const indices = Array.from({ length: size }, (_, index) => index);
  if (size > items.length) return;
  for (; count < MAX_SUBSETS; count += 1) {
    yield indices.flatMap((index) => items.slice(index, index + 1));
    let position = size - 1;
    while (position >= 0 && indices[position] === items.length - size + position) position -= 1;
    if (position < 0) return;
    const next = (indices[position] ?? 0) + 1;
    for (let index = position; index < size; index += 1) indices[index] = next + index - position;
  }
}

function sortKeys(group: readonly WrappedKey[], order: readonly KeyType[]): WrappedKey[] {
  const rank = ({ key }: WrappedKey): number => {
    const index = order.indexOf(key.type);
    return index < 0 ? order.length : index;
  };
  return [...group].sort((a, b) => rank(a) - rank(b));
}
