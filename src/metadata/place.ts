import { graft } from "../document/graft.ts";
import {
  entry,
  leaf,
  mapping,
  type Comment,
  type Entry,
  type Mapping,
  type Node,
  type Span,
} from "../document/model.ts";
import { SopsError } from "../errors.ts";
import type { MetadataPlace } from "../formats/format.ts";
import { flatten, unflatten } from "./flatten.ts";

/** The root key or section that holds the metadata, and the start of flattened root keys. */
const ROOT_KEY = "sops";
const PREFIX = "sops_";

/** Documents without their metadata, and the metadata of the first one as a nested mapping. */
export interface Taken {
  readonly documents: readonly Mapping[];
  /** Undefined if the first document has none; not always a mapping, as anybody can write the key. */
  readonly metadata: Node | undefined;
}

function isMetadataEntry(item: Entry | Comment, place: MetadataPlace): item is Entry {
  return item.kind === "entry" && (place === "prefix" ? item.key.startsWith(PREFIX) : item.key === ROOT_KEY);
}

/** Whether a document holds entries where a format keeps the metadata (file-format.md 6.8). */
export function hasMetadata(document: Mapping, place: MetadataPlace): boolean {
  return document.items.some((item) => isMetadataEntry(item, place));
}

/**
 * Takes the metadata out of every document; what those after the first say is not read (file-format.md 6.8).
 *
 * @throws {SopsError} ERR_LOAD if a document has two `sops` keys, or flattened names contradict each other
 */
export function takeMetadata(documents: readonly Mapping[], place: MetadataPlace): Taken {
  const [first] = documents;
  const found = first?.items.filter((item) => isMetadataEntry(item, place)) ?? [];
  if (place !== "prefix" && found.length > 1) {
    throw new SopsError("ERR_LOAD", "the file has more than one `sops` entry", {
      hint: "keep the one the file was encrypted with",
    });
  }
  return {
    documents: documents.map((document) => withoutMetadata(document, place)),
    metadata: found.length === 0 ? undefined : nestedMetadata(found, place),
  };
}

function withoutMetadata(document: Mapping, place: MetadataPlace): Mapping {
  return { ...document, items: document.items.filter((item) => !isMetadataEntry(item, place)) };
}

function nestedMetadata(found: readonly Entry[], place: MetadataPlace): Node | undefined {
  if (place === "prefix") return unflatten(found.map((item) => [item.key.slice(PREFIX.length), textOf(item.value)]));
  const value = found[0]?.value;
  if (place === "entry" || value?.kind !== "mapping") return value;
  const pairs = value.items
    .filter((item) => item.kind === "entry")
    .map((item) => [item.key, textOf(item.value)] as const);
  // An INI value is one line, so line breaks are written as backslash-n; 3.13.0 and 3.13.1 wrote real ones.
  return unflatten(pairs.map(([name, text]) => [name, text.replaceAll("\\n", "\n")]));
}

function textOf(node: Node): string {
  return node.kind === "leaf" && typeof node.value === "string" ? node.value : "";
}

/**
 * Puts metadata into every document (dotenv and INI have one).
 *
 * @param before - the documents as they were read, with the metadata they had: their places, order and comments are
 *   kept, so that a keep writer changes only the lines that differ; leave it out for text that is made anew
 */
export function putMetadata(
  documents: readonly Mapping[],
  record: Mapping,
  place: MetadataPlace,
  before: readonly Mapping[] = [],
): Mapping[] {
  const entries = metadataEntries(record, place);
  return documents.map((document, index) => putInto(document, entries, place, before[index]));
}

function metadataEntries(record: Mapping, place: MetadataPlace): readonly Entry[] {
  if (place === "entry") return [entry(ROOT_KEY, record)];
  const flat = flatten(record);
  if (place === "prefix") return flat.map(([name, text]) => entry(PREFIX + name, leaf(text)));
  const items = flat.map(([name, text]) => entry(name, leaf(text.replaceAll("\n", "\\n"))));
  return [entry(ROOT_KEY, mapping(items))];
}

function putInto(
  document: Mapping,
  entries: readonly Entry[],
  place: MetadataPlace,
  before: Mapping | undefined,
): Mapping {
  const old = before?.items.filter((item) => isMetadataEntry(item, place)) ?? [];
  const grafted = graft(mapping(old), mapping(entries)) as Mapping;
  const at = positionOf(document, before, place);
  return { ...document, items: [...document.items.slice(0, at), ...grafted.items, ...document.items.slice(at)] };
}

/** Index of the item that followed the metadata, or the end. */
function positionOf(document: Mapping, before: Mapping | undefined, place: MetadataPlace): number {
  const items = before?.items ?? [];
  const last = items.findLastIndex((item) => isMetadataEntry(item, place));
  if (last < 0) return document.items.length;
  const following = new Set<Span | undefined>(items.slice(last + 1).map((item) => item.span));
  following.delete(undefined);
  const index = document.items.findIndex((item) => following.has(item.span));
  return index < 0 ? document.items.length : index;
}

/** Whether a root key is reserved for metadata in a format. */
export function isReservedKey(key: string, place: MetadataPlace): boolean {
  return place === "prefix" ? key.startsWith(PREFIX) : key === ROOT_KEY;
}
