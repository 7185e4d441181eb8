import type { SelectionRule } from "../document/selection.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";

/** What the `sops` block of a file says (file-format.md 6.1), in types instead of loose text. */
export interface Metadata {
  /** One group: each key wraps the data key. Several: each key of a group wraps the group's share. */
  readonly groups: readonly (readonly WrappedKey[])[];
  /** Groups needed to recover the data key; 0 when the file does not say. */
  readonly shamirThreshold: number;
  /** The time as printed (file-format.md 6.6): the associated data of `mac`. */
  readonly lastModified: string;
  /** The cell that holds the MAC, `""` if there is none. */
  readonly mac: string;
  /** Undefined when the file names no rule, which readers take as the suffix `_unencrypted`. */
  readonly selection: SelectionRule | undefined;
  readonly macOnlyEncrypted: boolean;
  /** The second authenticator (docs/integrity.md); sops does not know it, and drops it when it writes the file. */
  readonly integrity?: string;
  /** Version of sops that created the file, or `""`. */
  readonly version: string;
  /**
   * Set when the file has keys both flat and in `key_groups`. As in the reference `groups` holds the flat ones, which
   * lets whoever adds a flat key do away with the groups: good for reading, with a warning, and never for writing.
   */
  readonly shadowsKeyGroups?: true;
}

/** Whether metadata are those of an encrypted file, as `filestatus` has it (file-format.md 6.7). */
export function isEncrypted(metadata: Metadata): boolean {
  return metadata.version !== "" && metadata.mac !== "";
}
