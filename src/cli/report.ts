import { SopsError, type ErrorCode } from "../errors.ts";
import { DataKeyError } from "../keys/groups.ts";
import { isClosedPipe } from "../storage/output.ts";
import type { Paint } from "./colour.ts";
import type { Dialect } from "./dialect.ts";
import { exitCodes } from "./exit-codes.ts";
import { failureReport, wrap } from "./failure-report.ts";
import { escapeControls } from "./log.ts";

type Phrases = Readonly<Partial<Record<ErrorCode, string>>>;

/** What callers of the reference look for in front of a message (cli-behaviour.md 3.2). */
const REFERENCE_PHRASES: Phrases = {
  ERR_PARSE: "Error unmarshalling file: ",
  ERR_AUDIT: "one or more audit backends reported errors, exiting: ",
  ERR_EMIT: "Error dumping file: ",
  ERR_ENCRYPT_VALUE: "Error encrypting tree: Error walking tree: Could not encrypt value: ",
  ERR_DECRYPT_VALUE: "Error decrypting tree: Error walking tree: Could not decrypt value: ",
  ERR_EXTRACT_PATH: "error parsing --extract path: ",
};

const OWN_PHRASES: Phrases = {
  ERR_PARSE: "cannot read the file: ",
  ERR_EMIT: "cannot write the result: ",
  ERR_ENCRYPT_VALUE: "cannot encrypt ",
  ERR_DECRYPT_VALUE: "cannot decrypt ",
  ERR_EXTRACT_PATH: "--extract: ",
};

/** An error as it is printed, and the exit status that goes with it. */
export interface Report {
  readonly text: string;
  readonly status: number;
}

/**
 * Words an error for standard error. An error that is none of ours has a message nobody checked for secrets: it is
 * named by its class alone.
 *
 * @param subject - the file it is about, where there are several
 */
export function reportError(error: unknown, dialect: Dialect, paint: Paint, subject?: string): Report {
  if (isClosedPipe(error)) return { text: "", status: 1 };
  if (!(error instanceof SopsError)) {
    const name = error instanceof Error ? error.name : typeof error;
    return { text: `${dialect.program}: internal error (${name}); nothing was written\n`, status: 1 };
  }
  const lead = [...(dialect.namesItself ? [dialect.program] : []), ...(subject === undefined ? [] : [subject])];
  const text = lead.map((part) => `${escapeControls(part)}: `).join("") + messageText(error, dialect, paint);
  return { text, status: exitCodes[error.code] };
}

function messageText(error: SopsError, dialect: Dialect, paint: Paint): string {
  const hint = error.hint === undefined ? "" : `${dialect.program}: ${escapeControls(error.hint)}\n`;
  if (error instanceof DataKeyError) return dataKeyText(error, paint);
  const message = dialect.namesItself ? ownMessage(error) : (REFERENCE_PHRASES[error.code] ?? "") + error.message;
  const lines = message.split("\n").map(escapeControls).join("\n");
  const isLong = error.code === "ERR_ALREADY_ENCRYPTED";
  return `${isLong ? wrap(lines, 75) : lines}\n${hint}`;
}

/** Behind the program's name, nobody needs to be told that it is an error. */
function ownMessage(error: SopsError): string {
  return (OWN_PHRASES[error.code] ?? "") + error.message.replace(/^error: /iu, "");
}

function dataKeyText(error: DataKeyError, paint: Paint): string {
  const groups = error.groups.map(({ isRecovered, attempts }) => ({
    isRecovered,
    keys: attempts.map(({ key, failures }) => ({ id: escapeControls(key.id), errors: failures })),
  }));
  const report = failureReport(groups, error.threshold, paint);
  return error.message.startsWith("Failed to get the data key") ? report : `${error.message}\n\n${report}`;
}
