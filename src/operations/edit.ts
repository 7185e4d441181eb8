import { DATA_KEY_LENGTH } from "../bytes/aes-gcm.ts";
import { entry, findEntry, leaf, type Entry, type Mapping, type Node } from "../document/model.ts";
import { open } from "../document/seal.ts";
import { EmitError, SopsError, ValueError } from "../errors.ts";
import type { Source } from "../formats/format.ts";
import { restoreNotation, restoreValues, type EditedTexts } from "../formats/notation.ts";
import { formatUtcSeconds } from "../go/time.ts";
import { storedThreshold } from "../keys/groups.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import { hasMetadata, putMetadata, takeMetadata } from "../metadata/place.ts";
import { metadataFromTree, metadataToTree } from "../metadata/record.ts";
import type { Metadata } from "../metadata/type.ts";
import { compareVersions } from "../metadata/version.ts";
import { FORMAT_VERSION, type Context, type FormatChoice } from "./context.ts";
import {
  alreadyEncrypted,
  encryptWithKey,
  noDocument,
  readForEncryption,
  wrapForPolicy,
  type EncryptOptions,
} from "./encrypt.ts";
import { hasMac, loadFile, openFile, selectionOf, type OpenedFile } from "./encrypted-file.ts";
import { refuseShadowedGroups } from "./guard.ts";
import { withMetadataOf } from "./kept-metadata.ts";
import { sealRecovery } from "./recovery.ts";
import { keepsText, renderPlain } from "./render.ts";
import { reseal, type ResealInput } from "./reseal.ts";
import { applyKeyChanges, planKeyChanges } from "./update-keys.ts";

/** Options of an edit. */
export interface EditOptions extends FormatChoice {
  readonly context: Context;
  readonly ignoreMac: boolean;
  /** Show the metadata too; changed key lists are applied. */
  readonly showMasterKeys: boolean;
}

/** A file opened for editing: what the editor shows, and how to encrypt what it leaves. */
export interface EditSession {
  readonly text: Uint8Array;
  /** `lastmodified` of the file. */
  readonly base: string;
  /**
   * Encrypts the edited text under the file's data key; values that did not change keep their cells, and in layout `keep`
   * their lines.
   *
   * @throws {SopsError} if the text does not read, has no document, or has entries in the place of the metadata: the
   *   user can go back to the editor
   */
  finish(edited: Uint8Array): Promise<Uint8Array>;
  /** Encrypts any text under the file's data key, for `openRecovery`; synchronously, as the process may be ending. */
  keep(text: Uint8Array): Uint8Array;
  /** Overwrites the data key. */
  close(): void;
}

/** Opens an encrypted file for editing. Throws what `decrypt` throws. */
export async function beginEdit(bytes: Uint8Array, options: EditOptions): Promise<EditSession> {
  const file = loadFile(bytes, options.input, options.context);
  refuseShadowedGroups(file.metadata);
  const opened = await openFile(file, options.context, { ...options, remembersCells: true });
  const shown = options.showMasterKeys
    ? putMetadata(opened.plain, metadataToTree(file.metadata), options.output.metadataPlace, opened.source.documents)
    : opened.plain;
  const { keyBytes, metadata } = opened;
  const { groups, shamirThreshold, lastModified: base } = metadata;
  const text = options.showMasterKeys
    ? renderWithKeys(opened, shown, options)
    : renderPlain(opened.source, shown, options);
  return {
    text,
    base,
    finish: (edited) =>
      options.showMasterKeys
        ? finishWithKeys(edited, text, opened, options)
        : finishPlain(edited, text, opened, options),
    keep: (kept) => sealRecovery(kept, { keyBytes, groups, shamirThreshold, base }, options.context),
    close: () => void keyBytes.fill(0),
  };
}

/** The plain side of a binary file has no place for metadata: it is shown as JSON, as the encrypted side is. */
function renderWithKeys({ source }: OpenedFile, shown: readonly Mapping[], options: EditOptions): Uint8Array {
  const { output, style } = options;
  return output.name === "binary" ? output.emit(shown, style) : renderPlain(source, shown, options);
}

async function finishPlain(
  edited: Uint8Array,
  shown: Uint8Array,
  opened: OpenedFile,
  options: EditOptions,
): Promise<Uint8Array> {
  const source = readForEncryption(options.output, edited);
  refuseInvalid(source.documents, options);
  await options.context.record?.("encrypt");
  const metadata = withRaisedVersion(opened.metadata);
  const input = { ...opened, source, plain: source.documents, metadata, before: [] };
  const result = keepsFile(opened, options) ? resealInFile(input, shown, opened, options) : reseal(input, options);
  await review(opened, source.documents, options);
  return result;
}

/** Whether the result is to be the file as it was, but for what was edited. */
function keepsFile({ source }: OpenedFile, options: EditOptions): boolean {
  return keepsText(source, options) && source.format !== "binary";
}

/** Seals an edited text with the metadata where and as they stood in the file, and unchanged values as well. */
function resealInFile(input: ResealInput, shownText: Uint8Array, opened: OpenedFile, options: EditOptions): Uint8Array {
  const format = options.output;
  const shown = format.read(shownText);
  const edited = withMetadataOf(opened.source, input.source, format);
  const sealed = edited === undefined ? undefined : tryReseal(edited, shown, input, opened, options);
  if (edited === undefined || sealed === undefined) {
    return reseal({ ...input, plain: restoreValues(opened.plain, shown, input.source) }, options);
  }
  const before = { ...opened.source, documents: opened.documents };
  return withOldNotation(sealed, { before, shown, edited }, input, options);
}

function tryReseal(
  edited: Source,
  shown: Source,
  input: ResealInput,
  opened: OpenedFile,
  options: EditOptions,
): Uint8Array | undefined {
  const { documents } = takeMetadata(edited.documents, options.output.metadataPlace);
  const plain = restoreValues(opened.plain, shown, { ...edited, documents });
  try {
    return reseal({ ...input, source: edited, plain, before: edited.documents }, options);
  } catch (error) {
    // The old place of the metadata is no good; their usual one may be.
    if (error instanceof EmitError) return undefined;
    throw error;
  }
}

/** Gives unchanged values their old text back, if what comes out opens and has its MAC. */
function withOldNotation(
  sealed: Uint8Array,
  texts: Omit<EditedTexts, "sealed">,
  { dataKey, selection, metadata }: Pick<ResealInput, "dataKey" | "selection" | "metadata">,
  { output, context }: EditOptions,
): Uint8Array {
  const restored = restoreNotation(output, { ...texts, sealed: output.read(sealed) });
  if (restored === undefined) return sealed;
  const file = loadFile(restored, output, context);
  const { macOnlyEncrypted } = metadata;
  const { mac } = open(file.documents, { dataKey, selection, macOnlyEncrypted });
  return hasMac(file.metadata, dataKey, mac) ? restored : sealed;
}

async function review(opened: OpenedFile, after: readonly Mapping[], { context, output }: EditOptions): Promise<void> {
  const { metadata, plain: before } = opened;
  await context.review?.({ format: output.name, metadata, before, after, wrapsAnew: false });
}

async function finishWithKeys(
  edited: Uint8Array,
  shownText: Uint8Array,
  opened: OpenedFile,
  options: EditOptions,
): Promise<Uint8Array> {
  const { context, output } = options;
  const source = output.read(edited);
  const taken = takeMetadata(source.documents, output.metadataPlace);
  if (taken.metadata === undefined) throw invalidMetadata("the sops entry is missing");
  const wanted = metadataFromTree(withDates(taken.metadata, context), context.backends);
  if (wanted.groups.some((group) => group.length === 0)) throw invalidMetadata("a key group is empty");
  refuseInvalid(taken.documents, options);
  const { groups, shamirThreshold } = opened.metadata;
  const metadata = withRaisedVersion({ ...wanted, groups, shamirThreshold });
  // The metadata may ask for another selection than the file was opened with.
  const selection = await selectionOf(metadata);
  const shown = output.read(shownText);
  const plain =
    keepsFile(opened, options) || output.name === "binary"
      ? valuesUnderKeys(shown, { ...source, documents: taken.documents }, opened, options)
      : taken.documents;
  await context.record?.("encrypt");
  const input = { ...opened, source, plain, metadata, selection, before: source.documents };
  const sealed = reseal(input, options);
  const texts = { before: opened.source, shown, edited: source };
  const bytes = keepsFile(opened, options) ? withOldNotation(sealed, texts, input, options) : sealed;
  await review({ ...opened, metadata }, taken.documents, options);
  const file = loadFile(bytes, output, context);
  const keyGroups = wanted.groups.map((group) => group.map(({ key }) => key));
  const changes = await planKeyChanges(file, { keyGroups, shamirThreshold: wanted.shamirThreshold }, context);
  return changes.isUpToDate ? bytes : applyKeyChanges(file, changes, options);
}

function valuesUnderKeys(
  shown: Source,
  edited: Source,
  { plain }: OpenedFile,
  { output }: EditOptions,
): readonly Mapping[] {
  const { documents } = takeMetadata(shown.documents, output.metadataPlace);
  const restored = restoreValues(plain, { ...shown, documents }, edited);
  if (output.name === "binary") refuseMangledBytes(plain, restored);
  return restored;
}

/** JSON shows bytes that are no text with marks in their place; what is changed there cannot be told from them. */
function refuseMangledBytes([before]: readonly Mapping[], [after]: readonly Mapping[]): void {
  for (const { key, value } of before?.items.filter((item) => item.kind === "entry") ?? []) {
    const isBytes = value.kind === "leaf" && value.value instanceof Uint8Array;
    const edited = after === undefined ? undefined : findEntry(after, key)?.value;
    if (!isBytes || (edited?.kind === "leaf" && edited.value === value.value)) continue;
    throw new ValueError("encrypt", [key], "it is no text, and can be changed without --show-master-keys only");
  }
}

function invalidMetadata(reason: string): SopsError {
  return new SopsError("ERR_LOAD", `SOPS metadata is invalid: ${reason}`);
}

/** A key that was typed in has no date yet. */
function withDates(metadata: Node, { host, backends }: Context): Node {
  if (metadata.kind !== "mapping") return metadata;
  const now = entry("created_at", leaf(formatUtcSeconds(host.now())));
  const dated = new Set(backends.filter((backend) => backend.dated).map(({ type }) => type as string));
  const dateKey = (key: Node): Node =>
    key.kind === "mapping" && findEntry(key, "created_at") === undefined ? { ...key, items: [...key.items, now] } : key;
  const inGroup = (group: Node): Node => {
    if (group.kind !== "mapping") return group;
    return { ...group, items: group.items.map((item) => (item.kind === "comment" ? item : inLists(item))) };
  };
  const inLists = (item: Entry): Entry => {
    const change = item.key === "key_groups" ? inGroup : dated.has(item.key) ? dateKey : undefined;
    if (change === undefined || item.value.kind !== "sequence") return item;
    const items = item.value.items.map((node) => (node.kind === "comment" ? node : change(node)));
    return { ...item, value: { ...item.value, items } };
  };
  return inGroup(metadata);
}

function refuseInvalid(documents: readonly Mapping[], options: FormatChoice): void {
  if (documents.length === 0) throw noDocument();
  if (options.output.name === "binary") return;
  if (documents.some((document) => hasMetadata(document, options.output.metadataPlace))) throw alreadyEncrypted();
}

/** An edit raises the stored version to ours, never lowers it (file-format.md 6.7). */
function withRaisedVersion(metadata: Metadata): Metadata {
  return compareVersions(metadata.version, FORMAT_VERSION) < 0 ? { ...metadata, version: FORMAT_VERSION } : metadata;
}

/** A new file in the editor: the keys wrapped its data key before a word was typed, so that no text is lost to them. */
export async function beginNewFile(text: Uint8Array, options: EncryptOptions): Promise<EditSession> {
  const { context, policy } = options;
  const keyBytes = context.host.randomBytes(DATA_KEY_LENGTH);
  const groups: readonly (readonly WrappedKey[])[] = await wrapForPolicy(policy, keyBytes, context);
  const shamirThreshold = storedThreshold(policy.shamirThreshold, groups.length);
  const base = formatUtcSeconds(context.host.now());
  return {
    text,
    base,
    async finish(edited) {
      const source = readForEncryption(options.input, edited);
      refuseInvalid(source.documents, options);
      return encryptWithKey(source, keyBytes, groups, options);
    },
    keep: (kept) => sealRecovery(kept, { keyBytes, groups, shamirThreshold, base }, context),
    close: () => void keyBytes.fill(0),
  };
}
