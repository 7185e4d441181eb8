import { DATA_KEY_LENGTH } from "../bytes/aes-gcm.ts";
import type { Mapping } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import { hasMetadata, putMetadata, takeMetadata } from "../metadata/place.ts";
import { metadataFromTree, metadataToTree } from "../metadata/record.ts";
import type { Metadata } from "../metadata/type.ts";
import { compareVersions } from "../metadata/version.ts";
import { FORMAT_VERSION, type Context, type FormatChoice } from "./context.ts";
import { encryptWithKey, readForEncryption, wrapForPolicy, type EncryptOptions } from "./encrypt.ts";
import { loadFile, openFile, type OpenedFile } from "./encrypted-file.ts";
import { refuseShadowedGroups } from "./guard.ts";
import { renderPlain } from "./render.ts";
import { reseal } from "./reseal.ts";
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
  /**
   * Encrypts the edited text under the file's data key; values that did not change keep their cells.
   *
   * @throws {SopsError} if the text does not read, has no document, or has entries in the place of the metadata: the
   *   user can go back to the editor
   */
  finish(edited: Uint8Array): Promise<Uint8Array>;
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
  return {
    text: renderPlain(opened.source, shown, options),
    finish: (edited) =>
      options.showMasterKeys ? finishWithKeys(edited, opened, options) : finishPlain(edited, opened, options),
    close: () => void opened.keyBytes.fill(0),
  };
}

async function finishPlain(edited: Uint8Array, opened: OpenedFile, options: EditOptions): Promise<Uint8Array> {
  const source = readForEncryption(options.output, edited);
  refuseInvalid(source.documents, options);
  const metadata = withRaisedVersion(opened.metadata);
  const result = reseal({ ...opened, source, plain: source.documents, metadata, before: [] }, options);
  await review(opened, source.documents, options);
  return result;
}

async function review(opened: OpenedFile, after: readonly Mapping[], { context, output }: EditOptions): Promise<void> {
  const { metadata, plain: before } = opened;
  await context.review?.({ format: output.name, metadata, before, after, wrapsAnew: false });
}

async function finishWithKeys(edited: Uint8Array, opened: OpenedFile, options: EditOptions): Promise<Uint8Array> {
  const { context, output } = options;
  const source = output.read(edited);
  const taken = takeMetadata(source.documents, output.metadataPlace);
  if (taken.metadata === undefined)
    throw new SopsError("ERR_LOAD", "SOPS metadata is invalid: the sops entry is missing");
  const wanted = metadataFromTree(taken.metadata, context.backends);
  refuseInvalid(taken.documents, options);
  const metadata = withRaisedVersion({
    ...wanted,
    groups: opened.metadata.groups,
    shamirThreshold: opened.metadata.shamirThreshold,
  });
  const input = { ...opened, source, plain: taken.documents, metadata, before: source.documents };
  const bytes = reseal(input, options);
  await review({ ...opened, metadata }, taken.documents, options);
  const file = loadFile(bytes, output, context);
  const keyGroups = wanted.groups.map((group) => group.map(({ key }) => key));
  const changes = await planKeyChanges(file, { keyGroups, shamirThreshold: wanted.shamirThreshold }, context);
  return changes.isUpToDate ? bytes : applyKeyChanges(file, changes, options);
}

function refuseInvalid(documents: readonly Mapping[], options: FormatChoice): void {
  if (documents.length === 0) throw new SopsError("ERR_NO_DOCUMENT", "the text has no document");
  if (options.output.name === "binary") return;
  if (documents.some((document) => hasMetadata(document, options.output.metadataPlace))) {
    throw new SopsError("ERR_ALREADY_ENCRYPTED", "the text has a top-level entry called 'sops', where the metadata go");
  }
}

/** An edit raises the stored version to ours, never lowers it (file-format.md 6.7). */
function withRaisedVersion(metadata: Metadata): Metadata {
  return compareVersions(metadata.version, FORMAT_VERSION) < 0 ? { ...metadata, version: FORMAT_VERSION } : metadata;
}

/** A new file in the editor: the keys wrapped its data key before a word was typed, so that no text is lost to them. */
export async function beginNewFile(text: Uint8Array, options: EncryptOptions): Promise<EditSession> {
  const keyBytes = options.context.host.randomBytes(DATA_KEY_LENGTH);
  const groups: readonly (readonly WrappedKey[])[] = await wrapForPolicy(options.policy, keyBytes, options.context);
  return {
    text,
    async finish(edited) {
      const source = readForEncryption(options.input, edited);
      refuseInvalid(source.documents, options);
      return encryptWithKey(source, keyBytes, groups, options);
    },
    close: () => void keyBytes.fill(0),
  };
}
