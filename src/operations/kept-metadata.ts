import { asBuffer } from "../bytes/utf8.ts";
import { entry, leaf, mapping, type Entry, type Mapping } from "../document/model.ts";
import { FormatError, SopsError } from "../errors.ts";
import type { Format, Source } from "../formats/format.ts";
import { hasMetadata, isReservedKey } from "../metadata/place.ts";

/** More documents than any file of manifests has; each costs a pass over the text. */
const MOST_DOCUMENTS = 64;

/**
 * Puts the metadata of an encrypted file, as they are written there, into a plain text that was made from it: so that
 * afterwards only the lines of `mac` and `lastmodified` have to change.
 *
 * Where the metadata begin and end, and where they go, is found by letting the format take them out of one text and put a
 * mark into the other.
 *
 * @param plain - has no metadata, and as many documents as `encrypted`
 * @returns the plain text with the metadata, read; undefined if they do not fit in
 */
export function withMetadataOf(encrypted: Source, plain: Source, format: Format): Source | undefined {
  if (encrypted.documents.length !== plain.documents.length || plain.documents.length > MOST_DOCUMENTS)
    return undefined;
  try {
    let source = plain;
    for (const index of plain.documents.keys()) {
      const block = metadataText(encrypted, index, format);
      if (block === undefined) continue;
      source = format.read(insert(block, source, encrypted, index, format));
    }
    return isSame(source, encrypted, format) ? source : undefined;
  } catch (error) {
    // A layout that the format cannot keep, or a text that does not read any more.
    if (error instanceof FormatError || (error instanceof SopsError && error.code === "ERR_EMIT")) return undefined;
    throw error;
  }
}

/** The metadata of one document as they are written, and what follows them in a file without others. */
interface Block {
  readonly text: string;
  readonly tail: string;
}

/** The text that goes when the metadata of one document are taken out of a file. */
function metadataText(source: Source, index: number, format: Format): Block | undefined {
  const document = source.documents[index];
  if (document === undefined || !hasMetadata(document, format.metadataPlace)) return undefined;
  const items = document.items.filter((item) => item.kind === "comment" || !isReserved(item, format));
  const without = source.documents.map((other, at) => (at === index ? { ...other, items } : other));
  const rest = bytesOf(format, source, without);
  const { start, inserted } = difference(rest, bytesOf(format, source, source.documents));
  return { text: inserted, tail: rest.slice(start) };
}

function insert(block: Block, plain: Source, encrypted: Source, index: number, format: Format): Uint8Array {
  const document = plain.documents[index] ?? mapping([]);
  const at = positionLike(encrypted.documents[index] ?? mapping([]), document, format);
  const items = [...document.items.slice(0, at), mark(format), ...document.items.slice(at)];
  const marked = plain.documents.map((other, position) => (position === index ? { ...other, items } : other));
  const text = bytesOf(format, plain, plain.documents);
  const { start, inserted } = difference(text, bytesOf(format, plain, marked));
  // Metadata at the end of a file come behind the blank lines there, or before them, as they did.
  const isAtEnd = /^\s*$/.test(block.tail + text.slice(start)) && text.endsWith(block.tail);
  const place = isAtEnd ? text.length - block.tail.length : start;
  const before = text.slice(0, place);
  const lead = leadFor(before, block.text, inserted);
  return Buffer.from(before + lead + block.text.slice(leadOf(block.text).length) + text.slice(place), "latin1");
}

/**
 * What stands before the first word of the metadata: blank lines as they were; where there is more, such as a comma, what
 * the format puts there now.
 */
function leadFor(before: string, block: string, inserted: string): string {
  const lead = leadOf(block);
  if (!/^[\s[]*$/.test(lead + leadOf(inserted))) return leadOf(inserted);
  return before === "" || before.endsWith("\n") || lead.startsWith("\n") ? lead : `\n${lead}`;
}

/** Before the entry that followed the metadata, if it is still there; else at the end. */
function positionLike(encrypted: Mapping, plain: Mapping, format: Format): number {
  const last = encrypted.items.findLastIndex((item) => item.kind === "entry" && isReserved(item, format));
  const following = encrypted.items.slice(last + 1).find((item) => item.kind === "entry");
  const index = plain.items.findIndex((item) => item.kind === "entry" && item.key === following?.key);
  return following === undefined || index < 0 ? plain.items.length : index;
}

function isReserved(item: Entry, format: Format): boolean {
  return isReservedKey(item.key, format.metadataPlace);
}

function mark({ metadataPlace }: Format): Entry {
  if (metadataPlace === "prefix") return entry("sops_mark", leaf("mark"));
  return entry("sops", metadataPlace === "section" ? mapping([entry("mark", leaf("mark"))]) : leaf("mark"));
}

function leadOf(block: string): string {
  return block.slice(0, Math.max(0, block.indexOf("sops")));
}

/** One character for each byte. */
function bytesOf(format: Format, source: Source, documents: readonly Mapping[]): string {
  return asBuffer(format.write(source, documents)).toString("latin1");
}

/** What the longer text has more, in one piece; from the start of a line, where there is a choice. */
function difference(shorter: string, longer: string): { start: number; inserted: string } {
  let start = 0;
  while (start < shorter.length && shorter[start] === longer[start]) start += 1;
  const length = longer.length - shorter.length;
  let slid = start;
  while (slid > 0 && longer[slid - 1] !== "\n" && longer[slid - 1] === longer[slid + length - 1]) slid -= 1;
  if (slid > 0 && longer[slid - 1] !== "\n") slid = start;
  return { start: slid, inserted: longer.slice(slid, slid + length) };
}

/** Whether every document has what it had as metadata. */
function isSame(source: Source, encrypted: Source, format: Format): boolean {
  return encrypted.documents.every((document, index) => {
    const other = source.documents[index];
    return (
      other !== undefined && hasMetadata(other, format.metadataPlace) === hasMetadata(document, format.metadataPlace)
    );
  });
}
