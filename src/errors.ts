/** Every way in which an operation can fail, as a stable word. `cli/exit-codes.ts` gives each its exit status. */
export type ErrorCode =
  | "ERR_USAGE"
  | "ERR_CONFLICTING_OPTIONS"
  | "ERR_NO_FILE"
  | "ERR_NOT_FOUND"
  | "ERR_CHANGE_KEYS_OF_MISSING_FILE"
  | "ERR_READ"
  | "ERR_PARSE"
  | "ERR_LOAD"
  | "ERR_WRITE"
  | "ERR_EMIT"
  | "ERR_CONFIG"
  | "ERR_NO_KEYS"
  | "ERR_METADATA_MISSING"
  | "ERR_ALREADY_ENCRYPTED"
  | "ERR_NO_DOCUMENT"
  | "ERR_NOTHING_ENCRYPTED"
  | "ERR_ENCRYPT_VALUE"
  | "ERR_DECRYPT_VALUE"
  | "ERR_MAC_MISMATCH"
  | "ERR_WRAP"
  | "ERR_DATA_KEY"
  | "ERR_KEY"
  | "ERR_DECRYPTION_ORDER"
  | "ERR_ENCRYPTION_CONTEXT"
  | "ERR_PATH"
  | "ERR_SET_VALUE"
  | "ERR_PATH_NOT_FOUND"
  | "ERR_EXTRACT_PATH"
  | "ERR_UNCHANGED"
  | "ERR_EDITOR"
  | "ERR_VERSION"
  | "ERR_CANCELLED"
  | "ERR_CHANGED_MEANWHILE"
  | "ERR_LOCKED"
  | "ERR_POLICY"
  | "ERR_STRICT"
  | "ERR_LIMIT"
  | "ERR_AUDIT"
  | "ERR_OPTIONAL_PACKAGE"
  | "ERR_PROCESS";

/** What an error carries beside its message. */
export interface ErrorDetails {
  /** What the user can do about it; one sentence, printed on its own line. */
  readonly hint?: string | undefined;
  /** Kept for programs that look; never printed, as it may hold what a message must not. */
  readonly cause?: unknown;
}

/**
 * The base of everything the library throws on purpose.
 *
 * Messages name files, lines, key paths and recipients; they never hold a value, a line of input, a key or a token.
 */
export class SopsError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
  }
}

/** A place in a text; both counts start at 1, columns count UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column?: number;
}

/** A text that its format cannot read. The message says what was expected, never what stood there. */
export class FormatError extends SopsError {
  readonly position: Position | undefined;

  constructor(message: string, position?: Position, details?: ErrorDetails) {
    super("ERR_PARSE", position === undefined ? message : `${describePosition(position)}: ${message}`, details);
    this.position = position;
  }
}

/** A tree that an output format cannot hold, such as a list in dotenv. */
export class EmitError extends SopsError {
  constructor(message: string, details?: ErrorDetails) {
    super("ERR_EMIT", message, details);
  }
}

/** A value that cannot become a cell, or a cell that cannot become a value; `path` says which. */
export class ValueError extends SopsError {
  readonly path: readonly string[];

  constructor(direction: "encrypt" | "decrypt", path: readonly string[], reason: string, details?: ErrorDetails) {
    super(
      direction === "encrypt" ? "ERR_ENCRYPT_VALUE" : "ERR_DECRYPT_VALUE",
      `${describePath(path)}: ${reason}`,
      details,
    );
    this.path = path;
  }
}

/** The file's MAC is absent, does not decrypt, or is another than its values give. */
export class MacMismatchError extends SopsError {
  constructor(reason: string) {
    super("ERR_MAC_MISMATCH", reason, {
      hint: "the file changed without its data key: restore it from version control, or pass --ignore-mac to look at it as it is",
    });
  }
}

/** A configuration file that cannot be used, with the place in it. */
export class ConfigError extends SopsError {
  constructor(message: string, details?: ErrorDetails) {
    super("ERR_CONFIG", message, details);
  }
}

/** One master key (or its backend) failed; the text is safe to show. */
export class KeyError extends SopsError {
  constructor(message: string, details?: ErrorDetails) {
    super("ERR_KEY", message, details);
  }
}

/** Writes `line 3, column 7` or `line 3`. */
export function describePosition(position: Position): string {
  return position.column === undefined
    ? `line ${String(position.line)}`
    : `line ${String(position.line)}, column ${String(position.column)}`;
}

/** Writes a path the way `--extract` takes it, `["a"]["b"]`; control characters are escaped. */
export function describePath(path: readonly string[]): string {
  return path.length === 0 ? "the top level" : path.map((key) => `[${JSON.stringify(key)}]`).join("");
}

/** The text of an unknown thrown thing. Use only where its origin is known to hold no secret. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
