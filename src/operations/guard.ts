/** What a file may not make us do unseen: its metadata are not signed, and whoever can change them writes our rules. */

import { asBuffer } from "../bytes/utf8.ts";
import { scalarToBytes } from "../document/cell.ts";
import type { Leaf, Mapping } from "../document/model.ts";
import type { Selection } from "../document/selection.ts";
import { keysOf, mapTrees } from "../document/walk.ts";
import { SopsError, ValueError } from "../errors.ts";
import type { FormatName } from "../formats/format.ts";
import type { MasterKey } from "../keys/backend.ts";
import { identityOf, uniqueKeys } from "../keys/identity.ts";
import type { Metadata } from "../metadata/type.ts";

/** An encrypted file that is about to be written again. */
export interface Rewrite {
  readonly format: FormatName;
  /** As they stand in the file. */
  readonly metadata: Metadata;
  /** Its plain trees as they were read, and as they will be sealed. */
  readonly before: readonly Mapping[];
  readonly after: readonly Mapping[];
  /** Whether a data key, or new shares of one, will be wrapped for the recipients that the file names. */
  readonly wrapsAnew: boolean;
}

/** What the rule of a file asks for. */
export interface Demands {
  /** Whether it is to have a `sops.integrity`. */
  readonly integrity: boolean;
}

/** Looks at a file before it is written again, and throws if it must not be; without a rule nothing is asked for. */
export type Review = (rewrite: Rewrite) => Promise<Demands | undefined>;

/**
 * Refuses to write a file with keys both flat and in groups: readers take the flat ones, so that somebody who adds one
 * does away with the groups, and the next data key would be theirs alone to open.
 *
 * @throws {SopsError} ERR_POLICY
 */
export function refuseShadowedGroups(metadata: Metadata): void {
  if (metadata.shadowsKeyGroups !== true) return;
  throw new SopsError("ERR_POLICY", "the file has keys both beside and in key_groups, and is not written", {
    hint: "find out who added which, and remove one of the two from its metadata",
  });
}

/** The keys of a file that a configuration does not name. */
export function unnamedKeys(metadata: Metadata, keyGroups: readonly (readonly MasterKey[])[]): readonly MasterKey[] {
  const named = keyGroups.flat();
  const isNamed = (key: MasterKey): boolean =>
    named.some((one) => {
      const [wanted, present] = [identityOf(one), identityOf(key)];
      // A key that still has to be resolved lacks the version at its end.
      return wanted === present || (one.resolve !== undefined && present.startsWith(wanted));
    });
  return uniqueKeys(metadata.groups.flat().map(({ key }) => key)).filter((key) => !isNamed(key));
}

/**
 * The values that a file's own selection leaves in clear and another one would encrypt, unless they stood there in
 * clear before: what somebody would see who changed the selection and waited.
 *
 * @returns their paths, without list positions
 */
export function newlyClear(
  { before, after }: Pick<Rewrite, "before" | "after">,
  stored: Selection,
  wanted: Selection,
): string[][] {
  const known = new Set(exposedLeaves(before, stored, wanted).map(({ identity }) => identity));
  return exposedLeaves(after, stored, wanted).flatMap(({ keys, identity }) => (known.has(identity) ? [] : [keys]));
}

interface ExposedLeaf {
  readonly keys: string[];
  /** Path and value. */
  readonly identity: string;
}

function exposedLeaves(documents: readonly Mapping[], stored: Selection, wanted: Selection): ExposedLeaf[] {
  const isWanted = selectedLeaves(documents, wanted);
  return selectedLeaves(documents, stored).flatMap(({ leaf, keys, isSelected }, index) => {
    const bytes = leaf.value === null ? undefined : scalarToBytes(leaf.value);
    if (isSelected || isWanted[index]?.isSelected !== true || bytes === undefined || bytes.length === 0) return [];
    return [{ keys, identity: JSON.stringify([keys, asBuffer(bytes).toString("base64")]) }];
  });
}

interface SelectedLeaf {
  readonly leaf: Leaf;
  readonly keys: string[];
  readonly isSelected: boolean;
}

function selectedLeaves(documents: readonly Mapping[], selection: Selection): SelectedLeaf[] {
  const leaves: SelectedLeaf[] = [];
  mapTrees(documents, selection, {
    leaf(leaf, place) {
      leaves.push({ leaf, keys: keysOf(place), isSelected: place.isSelected });
      return leaf;
    },
    comment: (comment) => comment,
    nonStringKey: (place) => {
      throw new ValueError("encrypt", keysOf(place), "the key is no string");
    },
  });
  return leaves;
}
