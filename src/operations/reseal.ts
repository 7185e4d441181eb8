import type { KeyObject } from "node:crypto";
import type { CellMemory } from "../document/cell-memory.ts";
import type { Mapping } from "../document/model.ts";
import { seal } from "../document/seal.ts";
import { DEFAULT_SELECTION, type Selection } from "../document/selection.ts";
import type { Source } from "../formats/format.ts";
import { formatUtcSeconds } from "../go/time.ts";
import type { Metadata } from "../metadata/type.ts";
import type { Context, FormatChoice } from "./context.ts";
import { sealMac, type LoadedFile } from "./encrypted-file.ts";
import { keepsText } from "./render.ts";
import { verifySelection } from "./verify.ts";
import { writeEncrypted } from "./write-encrypted.ts";

/** What is sealed again, and under which key. */
export interface ResealInput {
  /** The text that is kept. */
  readonly source: Source;
  /** Plain trees to seal: an edited copy of the source's. */
  readonly plain: readonly Mapping[];
  /** Metadata of the result but for `mac` and `lastModified`, which are made here. */
  readonly metadata: Metadata;
  readonly dataKey: KeyObject;
  readonly selection: Selection;
  readonly memory: CellMemory;
  /** Trees as they were read, with the metadata in their place; empty if the source has none. */
  readonly before: readonly Mapping[];
}

/** Seals plain trees of a file again; values that did not change keep their cells (or, under a new key, their IVs). */
export function reseal(input: ResealInput, options: FormatChoice & { readonly context: Context }): Uint8Array {
  const { source, dataKey, selection, memory, before } = input;
  const { context, output } = options;
  const keeps = keepsText(source, options);
  memory.rewind();
  const sealed = seal(input.plain, {
    dataKey,
    selection,
    memory,
    macOnlyEncrypted: input.metadata.macOnlyEncrypted,
    randomBytes: (size) => context.host.randomBytes(size),
    keepDigits: keeps,
    longInBytes: source.format === "binary" && output.name === "binary",
  });
  const lastModified = formatUtcSeconds(context.host.now());
  const metadata: Metadata = {
    ...withNamedSelection(input.metadata, keeps),
    lastModified,
    mac: sealMac(dataKey, sealed.mac, lastModified, context),
  };
  const parts = { source, documents: sealed.documents, before: keeps ? before : [], metadata, dataKey };
  const written = writeEncrypted(parts, options);
  verifySelection(written.documents, selection, sealed.encrypted);
  return written.bytes;
}

/** Writes a file whose metadata changed but whose values, MAC and time stay as they are. */
export function rewriteMetadata(
  file: LoadedFile,
  metadata: Metadata,
  dataKey: KeyObject,
  options: FormatChoice & { readonly context: Context },
): Uint8Array {
  const { source, documents } = file;
  const before = keepsText(source, options) ? source.documents : [];
  return writeEncrypted({ source, documents, before, metadata, dataKey }, options).bytes;
}

/** The reference names the default rule whenever it lays out a file anew, also in binary files, which came without. */
function withNamedSelection(metadata: Metadata, keeps: boolean): Metadata {
  return keeps ? metadata : { ...metadata, selection: metadata.selection ?? DEFAULT_SELECTION };
}
