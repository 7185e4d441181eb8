import type { MasterKey } from "./backend.ts";

/** A master key with the data key, or the share of it, that it wrapped. */
export interface WrappedKey {
  readonly key: MasterKey;
  /** The wrapped bytes as text, in the encoding of the key's type (file-format.md 6.4). */
  readonly enc: string;
  /** When the key was added to the file, as printed (file-format.md 6.6); keys of a type without dates have none. */
  readonly createdAt?: string;
}
