import { isUtf8 } from "node:buffer";
import { DATA_KEY_LENGTH, importDataKey } from "../bytes/aes-gcm.ts";
import type { DestinationRule } from "../config/destinations.ts";
import { policyFromRule, type EncryptionPolicy } from "../config/policy.ts";
import { mapping, type Entry, type Mapping, type Node } from "../document/model.ts";
import { describePath, EmitError } from "../errors.ts";
import { json } from "../formats/json.ts";
import { storedThreshold } from "../keys/groups.ts";
import type { Metadata } from "../metadata/type.ts";
import { FORMAT_VERSION, type Context, type FormatChoice } from "./context.ts";
import { wrapForPolicy } from "./encrypt.ts";
import { loadFile, openFile, selectionOf, type LoadedFile } from "./encrypted-file.ts";
import { refuseShadowedGroups } from "./guard.ts";
import { reseal } from "./reseal.ts";
import { planKeyChanges, type KeyChanges } from "./update-keys.ts";

/** Options of a publication. */
export interface PublishOptions extends FormatChoice {
  readonly context: Context;
  readonly ignoreMac: boolean;
}

/** What is sent to a destination. */
export interface PublishedContent {
  readonly content: Uint8Array;
  /** How the keys of a file that is encrypted anew differ from those it has. */
  readonly changes: KeyChanges | undefined;
}

/**
 * Makes what a rule wants published of an encrypted file: for Vault its plaintext as a JSON object; for object stores the
 * file encrypted anew for the keys of the recreation rule, or else as it is.
 *
 * @throws {SopsError} ERR_METADATA_MISSING, ERR_WRAP, and what `decrypt` throws
 */
export async function publishedContent(
  bytes: Uint8Array,
  { destinations: [destination], recreationRule }: DestinationRule,
  options: PublishOptions,
): Promise<PublishedContent> {
  const { context } = options;
  const file = loadFile(bytes, options.input, context);
  if (destination?.kind === "vault") return { content: await plainJson(file, options), changes: undefined };
  const policy = recreationRule === undefined ? undefined : policyFromRule(recreationRule, context.backends, {});
  if (policy === undefined || policy.keyGroups.every((group) => group.length === 0)) {
    return { content: bytes, changes: undefined };
  }
  const changes = await planKeyChanges(file, policy, context);
  return { content: await recreate(file, policy, options), changes };
}

async function plainJson(file: LoadedFile, options: PublishOptions): Promise<Uint8Array> {
  const opened = await openFile(file, options.context, options);
  opened.keyBytes.fill(0);
  const object = merged(opened.plain);
  requireTexts(object, []);
  return json.emit([object], { indent: 0 });
}

/**
 * @throws {EmitError} for a value that is no text, with its path; the reference publishes it with other characters in
 *   place of those bytes
 */
function requireTexts(node: Node, path: readonly string[]): void {
  if (node.kind === "leaf") {
    if (!(node.value instanceof Uint8Array) || isUtf8(node.value)) return;
    throw new EmitError(`${describePath(path)}: the value is not UTF-8 text, and Vault holds no other`, {
      hint: "publish the file to a bucket, or encode the value as base64 before it is encrypted",
    });
  }
  for (const item of node.items) {
    if (item.kind === "entry") requireTexts(item.value, [...path, item.key]);
    else if (item.kind !== "comment") requireTexts(item, path);
  }
}

/** One object of all documents; of a key that several have, the last value. */
function merged(documents: readonly Mapping[]): Mapping {
  const byKey = new Map<string, Entry>();
  for (const { items } of documents) for (const item of items) if (item.kind === "entry") byKey.set(item.key, item);
  return mapping([...byKey.values()]);
}

/**
 * Encrypts a file under a new data key for other keys. What it selects, and what its MAC covers, stays unless the rule
 * says otherwise (I-27): the reference would publish files that nobody can decrypt.
 */
async function recreate(file: LoadedFile, policy: EncryptionPolicy, options: PublishOptions): Promise<Uint8Array> {
  const { context } = options;
  refuseShadowedGroups(file.metadata);
  const opened = await openFile(file, context, options);
  opened.keyBytes.fill(0);
  const keyBytes = context.host.randomBytes(DATA_KEY_LENGTH);
  try {
    const groups = await wrapForPolicy(policy, keyBytes, context);
    const metadata: Metadata = {
      ...file.metadata,
      groups,
      shamirThreshold: storedThreshold(policy.shamirThreshold, groups.length),
      selection: policy.selection ?? file.metadata.selection,
      macOnlyEncrypted: policy.macOnlyEncrypted || file.metadata.macOnlyEncrypted,
      version: FORMAT_VERSION,
    };
    const selection = await selectionOf(metadata);
    const dataKey = importDataKey(keyBytes);
    await context.record?.("encrypt");
    return reseal({ ...opened, metadata, selection, dataKey, before: file.source.documents }, options);
  } finally {
    keyBytes.fill(0);
  }
}
