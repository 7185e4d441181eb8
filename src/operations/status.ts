import { FormatError, SopsError } from "../errors.ts";
import type { Format } from "../formats/format.ts";
import { isEncrypted, type Metadata } from "../metadata/type.ts";
import type { Context } from "./context.ts";
import { loadFile } from "./encrypted-file.ts";

/** What can be told about a file without any key. */
export interface FileStatus {
  readonly isEncrypted: boolean;
  /** Absent if the file is not encrypted. */
  readonly metadata?: Metadata;
}

/** Days after which a key should wrap anew; keys of a type without dates never need to (cli-behaviour.md 5.0). */
const ROTATION_DAYS = 180;

/** Whether a key has wrapped a file's data key for longer than it should. */
export function isRotationDue(createdAt: string, now: Date): boolean {
  return now.getTime() - Date.parse(createdAt) > ROTATION_DAYS * 24 * 60 * 60 * 1000;
}

/**
 * Tells whether a file is encrypted: it reads in its format, has metadata, and those have a version and a MAC. A
 * binary file that is no JSON is simply not encrypted (I-49).
 *
 * @throws {SopsError} if the file, or its metadata, cannot be read
 */
export function fileStatus(bytes: Uint8Array, format: Format, context: Context): FileStatus {
  try {
    const { metadata } = loadFile(bytes, format, context);
    return { isEncrypted: isEncrypted(metadata), metadata };
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const isPlainBinary = format.name === "binary" && error.cause instanceof FormatError;
    if (error.code === "ERR_METADATA_MISSING" || isPlainBinary) return { isEncrypted: false };
    throw error;
  }
}
