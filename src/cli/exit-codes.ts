import type { ErrorCode } from "../errors.ts";

/**
 * The exit status of each error code; the numbers are the reference's (cli-behaviour.md 3.1). A code without a status
 * does not compile.
 *
 * ERR_PARSE is the reading of an input in clear, which the reference gives a status of its own; what decrypts wraps a
 * format's failure into ERR_LOAD. ERR_NO_FILE covers an absent argument as well as a FILE that encrypt, decrypt and the
 * older style do not find; commands that name a missing file otherwise use ERR_READ.
 */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  ERR_USAGE: 1,
  ERR_CONFLICTING_OPTIONS: 8,
  ERR_NO_FILE: 100,
  ERR_NOT_FOUND: 100,
  ERR_CHANGE_KEYS_OF_MISSING_FILE: 49,
  ERR_READ: 2,
  ERR_PARSE: 2,
  ERR_LOAD: 1,
  ERR_WRITE: 3,
  ERR_EMIT: 4,
  ERR_CONFIG: 1,
  ERR_NO_KEYS: 1,
  ERR_METADATA_MISSING: 1,
  ERR_ALREADY_ENCRYPTED: 203,
  ERR_NO_DOCUMENT: 92,
  ERR_NOTHING_ENCRYPTED: 1,
  ERR_ENCRYPT_VALUE: 23,
  ERR_DECRYPT_VALUE: 25,
  ERR_MAC_MISMATCH: 51,
  ERR_WRAP: 1,
  ERR_DATA_KEY: 128,
  ERR_KEY: 1,
  ERR_DECRYPTION_ORDER: 112,
  ERR_ENCRYPTION_CONTEXT: 6,
  ERR_PATH: 7,
  ERR_SET_VALUE: 7,
  ERR_PATH_NOT_FOUND: 1,
  ERR_EXTRACT_PATH: 91,
  ERR_UNCHANGED: 200,
  ERR_EDITOR: 201,
  ERR_VERSION: 202,
  ERR_CANCELLED: 1,
  ERR_CHANGED_MEANWHILE: 3,
  ERR_LOCKED: 3,
  ERR_POLICY: 8,
  ERR_STRICT: 1,
  ERR_LIMIT: 1,
  ERR_AUDIT: 1,
  ERR_OPTIONAL_PACKAGE: 1,
  ERR_PROCESS: 1,
};

/** The status for help on something that does not exist; the reference's number for it is that of ERR_WRITE too. */
export const UNKNOWN_TOPIC_STATUS = 3;

/** The status of `updatekeys --check` when keys would change: its own, so that scripts tell it from a failure. */
export const KEYS_DIFFER_STATUS = 10;

/** The status of exec-env and exec-file when a signal ended the command. */
export const KILLED_STATUS = 255;
