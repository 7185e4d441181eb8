import { SopsError, type ErrorCode } from "../errors.ts";
import { DataKeyError } from "../keys/groups.ts";
import { isClosedPipe } from "../storage/output.ts";
import type { Paint } from "./colour.ts";
import type { Dialect } from "./dialect.ts";
import { exitCodes } from "./exit-codes.ts";
import { failureReport, wrap } from "./failure-report.ts";
import { escapeControls } from "./log.ts";

/** What callers of the reference look for in front of a message (cli-behaviour.md 3.2). */
const PHRASES: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_PARSE: "Error unmarshalling file: ",
  ERR_EMIT: "Error dumping file: ",
  ERR_ENCRYPT_VALUE: "Error encrypting tree: Error walking tree: Could not encrypt value: ",
  ERR_DECRYPT_VALUE: "Error decrypting tree: Error walking tree: Could not decrypt value: ",
  ERR_EXTRACT_PATH: "error parsing --extract path: ",
};

/** An error as it is printed, and the exit status that goes with it. */
export interface Report {
  readonly text: string;
  readonly status: number;
}

/**
 * Words an error for standard error. An error that is none of ours has a message nobody checked for secrets: it is
 * named by its class alone.
 */
export function reportError(error: unknown, dialect: Dialect, paint: Paint): Report {
  if (isClosedPipe(error)) return { text: "", status: 1 };
  if (!(error instanceof SopsError)) {
    const name = error instanceof Error ? error.name : typeof error;
    return { text: `${dialect.program}: internal error (${name}); nothing was written\n`, status: 1 };
  }
  return { text: messageText(error, dialect, paint), status: exitCodes[error.code] };
}

function messageText(error: SopsError, dialect: Dialect, paint: Paint): string {
  const hint = error.hint === undefined ? "" : `${dialect.program}: ${escapeControls(error.hint)}\n`;
  if (error instanceof DataKeyError) return dataKeyText(error, paint);
  const message = (PHRASES[error.code] ?? "") + error.message;
  const lines = message.split("\n").map(escapeControls).join("\n");
  const isLong = error.code === "ERR_ALREADY_ENCRYPTED";
  return `${isLong ? wrap(lines, 75) : lines}\n${hint}`;
}

function dataKeyText(error: DataKeyError, paint: Paint): string {
  const groups = error.groups.map(({ isRecovered, attempts }) => ({
    isRecovered,
    keys: attempts.map(({ key, failures }) => ({ id: escapeControls(key.id), errors: failures })),
  }));
  const report = failureReport(groups, error.threshold, paint);
  return error.message.startsWith("Failed to get the data key") ? report : `${error.message}\n\n${report}`;
}
