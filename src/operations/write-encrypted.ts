import type { KeyObject } from "node:crypto";
import type { Mapping } from "../document/model.ts";
import type { Source } from "../formats/format.ts";
import { putMetadata } from "../metadata/place.ts";
import { metadataToTree } from "../metadata/record.ts";
import type { Metadata } from "../metadata/type.ts";
import type { Context, FormatChoice } from "./context.ts";
import { fileIntegrity } from "./integrity.ts";
import { renderEncrypted } from "./render.ts";
import { verifyEncrypted } from "./verify.ts";

/** What an encrypted file is written of. */
export interface EncryptedParts {
  /** The text that is kept. */
  readonly source: Source;
  /** The encrypted trees, without metadata. */
  readonly documents: readonly Mapping[];
  /** Trees as they were read, with the metadata in their place; empty if the source has none. */
  readonly before: readonly Mapping[];
  readonly metadata: Metadata;
  readonly dataKey: KeyObject;
}

/** An encrypted file as it was written, and read back. */
export interface WrittenFile {
  readonly bytes: Uint8Array;
  readonly source: Source;
  readonly documents: readonly Mapping[];
}

/**
 * Writes an encrypted file and reads it back. If its metadata have an integrity, whatever it says, it becomes that of
 * what was read back: comments may have come to stand elsewhere, and a format may hold none.
 *
 * @throws {EmitError} for what does not survive in the format
 */
export function writeEncrypted(
  parts: EncryptedParts,
  options: FormatChoice & { readonly context: Context },
): WrittenFile {
  const draft = writeOnce(parts, options);
  const { metadata, dataKey } = parts;
  if (metadata.integrity === undefined) return draft;
  const integrity = fileIntegrity(dataKey, draft.documents, metadata);
  return writeOnce({ ...parts, metadata: { ...metadata, integrity } }, options);
}

function writeOnce(
  { source, documents, before, metadata }: EncryptedParts,
  options: FormatChoice & { readonly context: Context },
): WrittenFile {
  const record = metadataToTree(metadata);
  const put = putMetadata(documents, record, options.output.metadataPlace, before);
  const bytes = renderEncrypted(source, put, options);
  return { bytes, ...verifyEncrypted(bytes, documents, metadata, options) };
}
