import { DATA_KEY_LENGTH, importDataKey } from "../bytes/aes-gcm.ts";
import type { EncryptionPolicy } from "../config/policy.ts";
import { seal, type TreeResult } from "../document/seal.ts";
import { compileSelection, DEFAULT_SELECTION, SELECT_ALL } from "../document/selection.ts";
import { firstRepeatedKey } from "../document/repeats.ts";
import { FormatError, SopsError, type Position } from "../errors.ts";
import type { Format, Source } from "../formats/format.ts";
import { readPlain } from "../formats/registry.ts";
import { positionAt } from "../formats/text.ts";
import { formatUtcSeconds } from "../go/time.ts";
import { storedThreshold } from "../keys/groups.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import { hasMetadata } from "../metadata/place.ts";
import type { Metadata } from "../metadata/type.ts";
import { FORMAT_VERSION, type Context, type FormatChoice } from "./context.ts";
import { sealMac } from "./encrypted-file.ts";
import { PENDING_INTEGRITY } from "./integrity.ts";
import { keepsText } from "./render.ts";
import { reportEncoding, reportNotation } from "./remarks.ts";
import { verifySelection } from "./verify.ts";
import { resolveKeys, wrapForGroups } from "./wrapping.ts";
import { writeEncrypted } from "./write-encrypted.ts";

/** Options of `encrypt`. */
export interface EncryptOptions extends FormatChoice {
  readonly policy: EncryptionPolicy;
  readonly context: Context;
  /** Refuse what would come back in another notation (`0x1F` as `31`), instead of warning. */
  readonly strict: boolean;
  /** Allow a file in which the selection selects no value at all. */
  readonly allowUnencrypted: boolean;
}

/**
 * Encrypts a file: a new data key, wrapped for every key of the policy, and every selected value in a cell of its own.
 *
 * The result was read back before it is returned, so that what cannot be written in the output format is an error
 * with the path of the value instead of a file that nobody opens.
 *
 * @throws {SopsError} ERR_PARSE, ERR_NO_DOCUMENT, ERR_ALREADY_ENCRYPTED, ERR_ENCRYPT_VALUE, ERR_WRAP, ERR_EMIT,
 *   ERR_NOTHING_ENCRYPTED, ERR_STRICT
 */
export async function encrypt(bytes: Uint8Array, options: EncryptOptions): Promise<Uint8Array> {
  const source = readForEncryption(options.input, bytes);
  refuseUnfit(source, options);
  reportEncoding(bytes, source, options);
  return encryptSource(source, withoutRulesForBinary(options));
}

/**
 * Reads a file that is to be encrypted.
 *
 * Files that the reference wrote may have a key twice in one JSON object, and open; a new one is refused, as readers
 * differ in which of the values they take. Of a key that repeats in an INI section the reference encrypts the last, and
 * loses the others.
 *
 * @throws {FormatError}
 */
export function readForEncryption(format: Format, bytes: Uint8Array): Source {
  const source = readPlain(format, bytes);
  if (source.repeatedKey !== undefined) throw repeatedKey("section", source.repeatedKey);
  const repeated = format.name === "json" ? firstRepeatedKey(source.documents) : undefined;
  if (repeated !== undefined)
    throw repeatedKey("object", repeated.span && positionAt(source.text, repeated.span.start));
  return source;
}

function repeatedKey(container: string, position: Position | undefined): FormatError {
  return new FormatError(`a key occurs twice in one ${container}`, position, { hint: "rename or remove one of them" });
}

/** Encrypts a file that was read and found fit. */
export async function encryptSource(source: Source, options: EncryptOptions): Promise<Uint8Array> {
  const { policy, context } = options;
  const keyBytes = context.host.randomBytes(DATA_KEY_LENGTH);
  try {
    const groups = await wrapForPolicy(policy, keyBytes, context);
    return await encryptWithKey(source, keyBytes, groups, options);
  } finally {
    keyBytes.fill(0);
  }
}

/** Wraps a new data key for all keys of a policy. */
export async function wrapForPolicy(
  policy: EncryptionPolicy,
  keyBytes: Uint8Array,
  context: Context,
): Promise<readonly (readonly WrappedKey[])[]> {
  const keyGroups = await Promise.all(policy.keyGroups.map((group) => resolveKeys(group, context)));
  return wrapForGroups(keyGroups, keyBytes, policy.shamirThreshold, context);
}

/** Encrypts with a data key that was wrapped already. */
export async function encryptWithKey(
  source: Source,
  keyBytes: Uint8Array,
  groups: readonly (readonly WrappedKey[])[],
  options: EncryptOptions,
): Promise<Uint8Array> {
  const { policy, context, output } = options;
  const isBinary = options.input.name === "binary";
  await context.record?.("encrypt");
  const dataKey = importDataKey(keyBytes);
  const rule = policy.selection ?? DEFAULT_SELECTION;
  const selection = isBinary ? SELECT_ALL : await compileSelection(rule);
  const sealed = seal(source.documents, {
    dataKey,
    selection,
    macOnlyEncrypted: policy.macOnlyEncrypted,
    randomBytes: (size) => context.host.randomBytes(size),
    keepDigits: keepsText(source, options),
    longInBytes: isBinary && output.name === "binary",
  });
  refuseAllClear(sealed, options);
  const lastModified = formatUtcSeconds(context.host.now());
  const metadata: Metadata = {
    groups,
    shamirThreshold: storedThreshold(policy.shamirThreshold, groups.length),
    lastModified,
    mac: sealMac(dataKey, sealed.mac, lastModified, context),
    selection: isBinary ? undefined : rule,
    macOnlyEncrypted: policy.macOnlyEncrypted,
    version: FORMAT_VERSION,
    ...(policy.integrity === true ? { integrity: PENDING_INTEGRITY } : {}),
  };
  const written = writeEncrypted({ source, documents: sealed.documents, before: [], metadata, dataKey }, options);
  verifySelection(written.documents, selection, sealed.encrypted);
  reportNotation(source, written, options);
  return written.bytes;
}

function refuseUnfit(source: Source, { output, input }: EncryptOptions): void {
  const [first, ...others] = source.documents;
  if (first === undefined) throw noDocument();
  if (input.name === "binary") return;
  if (hasMetadata(first, output.metadataPlace)) throw alreadyEncrypted();
  if (others.some((document) => hasMetadata(document, output.metadataPlace))) {
    throw new SopsError(
      "ERR_EMIT",
      "a document after the first has a top-level entry called 'sops', where the metadata go",
    );
  }
}

/** The error for a file without any document. */
export function noDocument(): SopsError {
  return new SopsError("ERR_NO_DOCUMENT", "File cannot be completely empty, it must contain at least one document");
}

/** The error for a file that has metadata, or something in their place. */
export function alreadyEncrypted(): SopsError {
  return new SopsError(
    "ERR_ALREADY_ENCRYPTED",
    "The file you have provided contains a top-level entry called 'sops', or for flat file formats top-level entries starting with 'sops_'. This is generally due to the file already being encrypted.",
    { hint: "use edit or set to change an encrypted file; an entry of that name cannot be in a file of yours" },
  );
}

function withoutRulesForBinary(options: EncryptOptions): EncryptOptions {
  if (options.input.name !== "binary") return options;
  const { selection, macOnlyEncrypted } = options.policy;
  if (selection !== undefined) {
    const name = selection.kind.replaceAll("_", " ");
    options.context.host.warn(
      `Using an ${name} does not make sense with the input store (the binary store produces one key that should always be encrypted) and will be ignored.`,
    );
  }
  if (selection === undefined && !macOnlyEncrypted) return options;
  return { ...options, policy: { ...options.policy, selection: undefined, macOnlyEncrypted: false } };
}

function refuseAllClear(sealed: TreeResult, options: EncryptOptions): void {
  if (sealed.encrypted > 0 || sealed.clear === 0 || options.allowUnencrypted) return;
  throw new SopsError(
    "ERR_NOTHING_ENCRYPTED",
    "the selection selects none of the file's values: nothing would be encrypted",
    {
      hint: "check the suffix or regex of the rule, or pass --allow-unencrypted",
    },
  );
}
