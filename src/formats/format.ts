import type { Comment, Mapping, Node } from "../document/model.ts";
import type { Position } from "../errors.ts";

/** The names `--input-type` and `--output-type` take. */
export type FormatName = "yaml" | "json" | "dotenv" | "ini" | "binary";

/**
 * A text and the tree read from it. `documents` still hold the metadata, as the entries they are in the text; every
 * node that stands in `text` has a span. Only the format that made a source looks at its `text` and spans.
 */
export interface Source {
  readonly format: FormatName;
  readonly text: string;
  readonly documents: readonly Mapping[];
  /** Of YAML: whether it is block YAML of the usual kind, with nothing in it that few writers make. */
  readonly isUsual?: boolean;
  /** Where a key of an INI section stands again: the last one counts, and the others are not in `text`. */
  readonly repeatedKey?: Position;
}

/**
 * Where a format keeps the metadata: under the root key `sops` (`entry`), flattened in the section `sops`
 * (`section`), or as flattened root keys that start with `sops_` (`prefix`).
 */
export type MetadataPlace = "entry" | "section" | "prefix";

/** How the canonical text is laid out. */
export interface EmitStyle {
  /** Blanks per level; undefined is the format's own default (YAML 4, JSON a tab); JSON: -1 a tab, 0 none. */
  readonly indent?: number;
}

/**
 * Text ⇄ tree; knows nothing of keys, cells, the MAC or what the metadata mean.
 *
 * Two ways back to text: `write` keeps the text it was read from and changes only what differs, `emit` prints the
 * canonical text of the reference.
 */
export interface Format {
  readonly name: FormatName;
  readonly metadataPlace: MetadataPlace;
  /** @throws {FormatError} with a line, never with its text */
  read(bytes: Uint8Array): Source;
  /**
   * Layout `keep`: the source's text with exactly the places changed whose nodes differ from `source.documents`.
   *
   * `documents` is an edited copy of `source.documents`: an untouched node is the same object; a changed leaf or
   * comment has the span object of the one it replaces; entries and items without a span are new and stand after
   * their left neighbour; those that are missing are removed with their lines.
   *
   * @throws {EmitError} if the format cannot hold the tree
   */
  write(source: Source, documents: readonly Mapping[]): Uint8Array;
  /** Layout `reference`. @throws {EmitError} if the format cannot hold the tree */
  emit(documents: readonly Mapping[], style: EmitStyle): Uint8Array;
  /** The text of one extracted node that is not a string (`decrypt --extract`). @throws {EmitError} */
  emitValue(node: Node | Comment, style: EmitStyle): Uint8Array;
}
