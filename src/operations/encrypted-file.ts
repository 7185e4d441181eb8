import type { KeyObject } from "node:crypto";
import { importDataKey } from "../bytes/aes-gcm.ts";
import { openCell, sealCell } from "../document/cell.ts";
import { CellMemory } from "../document/cell-memory.ts";
import { firstDifference } from "../document/compare.ts";
import { mapping, type Mapping } from "../document/model.ts";
import { isSameIntegrity } from "../document/integrity.ts";
import { isSameMac, open } from "../document/seal.ts";
import { compileSelection, DEFAULT_SELECTION, type Selection } from "../document/selection.ts";
import { asBuffer, encodeUtf8 } from "../bytes/utf8.ts";
import { FormatError, MacMismatchError, SopsError } from "../errors.ts";
import type { Format, FormatName, Source } from "../formats/format.ts";
import { recoverDataKey } from "../keys/groups.ts";
import { isReservedKey, takeMetadata } from "../metadata/place.ts";
import { metadataFromTree } from "../metadata/record.ts";
import type { Metadata } from "../metadata/type.ts";
import { isVersionAcceptable } from "../metadata/version.ts";
import type { Context } from "./context.ts";
import { fileIntegrity } from "./integrity.ts";

/** An encrypted file that was read; no key was used yet. */
export interface LoadedFile {
  readonly format: Format;
  readonly source: Source;
  /** The encrypted trees, without metadata. */
  readonly documents: readonly Mapping[];
  readonly metadata: Metadata;
}

/** An encrypted file that was decrypted. */
export interface OpenedFile extends LoadedFile {
  /** The decrypted trees; their nodes have the spans of the encrypted ones. */
  readonly plain: readonly Mapping[];
  /** 32 bytes; `keyBytes` belong to the caller, who overwrites them when done. */
  readonly keyBytes: Uint8Array;
  readonly dataKey: KeyObject;
  readonly selection: Selection;
  /** The cells that were opened, if they were to be remembered; otherwise empty. */
  readonly memory: CellMemory;
}

/**
 * Reads an encrypted file and its metadata.
 *
 * @throws {SopsError} ERR_METADATA_MISSING for a file that is not encrypted, ERR_LOAD for metadata that make no sense
 */
export function loadFile(bytes: Uint8Array, format: Format, context: Context): LoadedFile {
  const source = readEncrypted(bytes, format);
  const { documents, metadata } = takeMetadata(source.documents, format.metadataPlace);
  if (metadata === undefined) {
    throw new SopsError("ERR_METADATA_MISSING", "sops metadata not found", {
      hint: "the file is not encrypted; encrypt it first, or name its format with --input-type",
    });
  }
  return { format, source, documents, metadata: metadataFromTree(metadata, context.backends) };
}

/** An encrypted file that does not read has the status of a bad file, not of bad input (cli-behaviour.md 3.1). */
function readEncrypted(bytes: Uint8Array, format: Format): Source {
  try {
    return format.read(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new SopsError("ERR_LOAD", `${LOAD_PHRASES[format.name]}: ${error.message}`, {
      cause: error,
      hint: hasConflictMarks(bytes) ? "the file has the marks of an unfinished merge: take one side whole" : error.hint,
    });
  }
}

/** The line that git begins each conflict of a merge with. */
function hasConflictMarks(bytes: Uint8Array): boolean {
  return /^<{7} /m.test(asBuffer(bytes).toString("latin1"));
}

/** What callers of the reference look for (cli-behaviour.md 2.3). */
const LOAD_PHRASES: Readonly<Record<FormatName, string>> = {
  yaml: "Error unmarshaling input YAML",
  json: "Could not unmarshal input data",
  binary: "Could not unmarshal input data",
  dotenv: "Error unmarshaling input dotenv",
  ini: "Error unmarshaling input INI",
};

/** The selection stored in a file, or the default one. */
export function selectionOf(metadata: Metadata): Promise<Selection> {
  return compileSelection(metadata.selection ?? DEFAULT_SELECTION);
}

/** How a file is opened. */
export interface OpenFileOptions {
  readonly ignoreMac: boolean;
  /** Remember the cells, for a file that is sealed again: values that do not change keep theirs. */
  readonly remembersCells?: boolean;
}

/**
 * Decrypts a file that was read: recovers its data key, opens every value, checks the MAC.
 *
 * @throws {DataKeyError} if no key opens it, {ValueError} for a value that does not open, {MacMismatchError}
 */
export async function openFile(file: LoadedFile, context: Context, options: OpenFileOptions): Promise<OpenedFile> {
  const { metadata, documents } = file;
  warnOfOddMetadata(file, context);
  const keyBytes = await recoverFileKey(file, context, options);
  await context.record?.("decrypt");
  context.host.inform?.("Data key recovered successfully");
  const dataKey = importDataKey(keyBytes);
  const selection = await selectionOf(metadata);
  const memory = new CellMemory(dataKey);
  const remembering = options.remembersCells === true ? { memory } : {};
  const opened = open(documents, { dataKey, selection, macOnlyEncrypted: metadata.macOnlyEncrypted, ...remembering });
  const doubt = doubtOfMac(metadata, dataKey, opened.mac);
  if (doubt !== undefined && !options.ignoreMac) throw new MacMismatchError(doubt);
  if (doubt !== undefined) context.host.warn(`The MAC is ignored. ${doubt}`);
  for (const path of opened.clearComments) {
    context.host.warn(
      "Found possibly unencrypted comment in file. This is to be expected if the comment was added by hand, or the file was encrypted by an old version.",
      { path: path.join(".") },
    );
  }
  return { ...file, plain: opened.documents, keyBytes, dataKey, selection, memory };
}

function warnOfOddMetadata(file: LoadedFile, { host }: Context): void {
  const { shadowsKeyGroups, version } = file.metadata;
  if (shadowsKeyGroups === true)
    host.warn("The file has keys both beside and in key_groups; those in key_groups are not used.");
  // The version is the last thing in most files. The MAC vouches for the values, so that the file can be opened (I-47).
  if (!isVersionAcceptable(version))
    host.warn("The file does not name the version it was written by, or not as a version; its end may be missing.");
  if (hasOtherMetadata(file)) host.warn("The metadata of a later document are not those of the first, which are used.");
}

/** Whether a document after the first has other metadata than that, or none; they are not read (file-format.md 6.8). */
function hasOtherMetadata({ source, format }: LoadedFile): boolean {
  const [first, ...others] = source.documents.map(({ items }) =>
    mapping(items.filter((item) => item.kind === "entry" && isReservedKey(item.key, format.metadataPlace))),
  );
  if (first === undefined) return false;
  return others.some((other) => firstDifference([first], [other], { withComments: false }) !== undefined);
}

/**
 * Recovers a file's data key, 32 bytes.
 *
 * @throws {DataKeyError}, {MacMismatchError} if the file's integrity is another than it says
 */
export async function recoverFileKey(
  file: LoadedFile,
  context: Context,
  { ignoreMac }: Pick<OpenFileOptions, "ignoreMac"> = { ignoreMac: false },
): Promise<Uint8Array> {
  const { metadata, documents } = file;
  const keyBytes = await recoverDataKey(metadata.groups, {
    threshold: metadata.shamirThreshold,
    order: context.decryptionOrder,
    services: context.services,
    isRight: (key) => metadata.mac === "" || opensMac(metadata, importDataKey(key)),
  });
  const { integrity } = metadata;
  if (integrity === undefined) return keyBytes;
  if (isSameIntegrity(integrity, fileIntegrity(importDataKey(keyBytes), documents, metadata))) return keyBytes;
  const doubt =
    "Integrity mismatch. The names, types, comments, rules or keys of the file are not those it was written with";
  if (!ignoreMac) throw new MacMismatchError(doubt);
  context.host.warn(`The integrity is ignored. ${doubt}`);
  return keyBytes;
}

function opensMac(metadata: Metadata, dataKey: KeyObject): boolean {
  return typeof openCell(dataKey, metadata.mac, metadata.lastModified) !== "string";
}

/** What speaks against a file's MAC; undefined if nothing does. */
function doubtOfMac(metadata: Metadata, dataKey: KeyObject, computed: string): string | undefined {
  if (metadata.mac === "") return "MAC mismatch. File has no MAC, computed one of its values";
  const cell = openCell(dataKey, metadata.mac, metadata.lastModified);
  if (typeof cell === "string") return `Cannot decrypt MAC: ${cell}`;
  const stored = cell.plain.toString("utf8");
  return isSameMac(stored, computed)
    ? undefined
    : `MAC mismatch. File has ${describeMac(stored)}, computed ${computed}`;
}

/** Whether the MAC in a file's metadata is the one computed of its values. */
export function hasMac(metadata: Metadata, dataKey: KeyObject, computed: string): boolean {
  return doubtOfMac(metadata, dataKey, computed) === undefined;
}

/** A stored MAC is shown only if it is one: 128 hexadecimal digits. */
function describeMac(text: string): string {
  return /^[\dA-Fa-f]{128}$/.test(text) ? text : "something that is no MAC";
}

/** The cell of a MAC; its associated data is the time of the last change (file-format.md 4). */
export function sealMac(dataKey: KeyObject, mac: string, lastModified: string, context: Context): string {
  return sealCell(dataKey, context.host.randomBytes(32), lastModified, encodeUtf8(mac), "str");
}
