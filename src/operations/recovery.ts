import { importDataKey } from "../bytes/aes-gcm.ts";
import { seal } from "../document/seal.ts";
import { SELECT_ALL } from "../document/selection.ts";
import { binary, emitBinaryPlain, readBinaryPlain } from "../formats/binary.ts";
import type { WrappedKey } from "../keys/wrapped-key.ts";
import { putMetadata } from "../metadata/place.ts";
import { metadataToTree } from "../metadata/record.ts";
import type { Metadata } from "../metadata/type.ts";
import { FORMAT_VERSION, type Context } from "./context.ts";
import { loadFile, openFile, sealMac } from "./encrypted-file.ts";

/** The data key of a file under edit, and who can unwrap it. */
export interface RecoveryKeys {
  readonly keyBytes: Uint8Array;
  readonly groups: readonly (readonly WrappedKey[])[];
  readonly shamirThreshold: number;
  /** `lastmodified` of the file that was edited. */
  readonly base: string;
}

/** An edited text that was kept. */
export interface RecoveredText {
  readonly text: Uint8Array;
  /** `lastmodified` of the file it was made from: another one now means that the file was changed since. */
  readonly base: string;
}

/**
 * Encrypts a text that somebody edited and that could not be saved, whatever is wrong with it: as a binary file under the
 * same data key, for the same recipients. Asks no key service, so that it works when they are what failed.
 *
 * Its `lastmodified` is not the present time but that of the file the text was made from.
 */
export function sealRecovery(text: Uint8Array, keys: RecoveryKeys, context: Context): Uint8Array {
  const dataKey = importDataKey(keys.keyBytes);
  const sealed = seal(readBinaryPlain(text).documents, {
    dataKey,
    selection: SELECT_ALL,
    macOnlyEncrypted: false,
    randomBytes: (size) => context.host.randomBytes(size),
  });
  const metadata: Metadata = {
    groups: keys.groups,
    shamirThreshold: keys.shamirThreshold,
    lastModified: keys.base,
    mac: sealMac(dataKey, sealed.mac, keys.base, context),
    selection: undefined,
    macOnlyEncrypted: false,
    version: FORMAT_VERSION,
  };
  return binary.emit(putMetadata(sealed.documents, metadataToTree(metadata), binary.metadataPlace), {});
}

/** Opens what `sealRecovery` made. Throws what `decrypt` throws. */
export async function openRecovery(bytes: Uint8Array, context: Context): Promise<RecoveredText> {
  const file = loadFile(bytes, binary, context);
  const opened = await openFile(file, context, { ignoreMac: false });
  opened.keyBytes.fill(0);
  return { text: emitBinaryPlain(opened.plain), base: file.metadata.lastModified };
}
