import { decodeBase64 } from "../bytes/base64.ts";
import { KeyError } from "../errors.ts";
import type { KeyRecord } from "./backend.ts";

/** Splits a comma list and drops what is empty after trimming: a trailing comma names no key. */
export function splitList(text: string): string[] {
  return text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

/** A text without any blank; keys are often pasted with some. */
export function withoutBlanks(text: string): string {
  return text.replaceAll(/\s/g, "");
}

/**
 * A key's name as a message may show it: control characters escaped, so that a file cannot send codes to a terminal.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Like `printable`, in double quotes, as the reference's messages have names. */
export function quoted(text: string): string {
  return `"${printable(text)}"`;
}

/** Reads a text member of a metadata entry; absent counts as empty. @throws {KeyError} if it is a mapping */
export function textOf(record: KeyRecord, name: string): string {
  const value = record[name] ?? "";
  if (typeof value !== "string") throw new KeyError(`${name} of a key is a mapping where a text is expected`);
  return value;
}

/** Reads a text member that must not be empty. @throws {KeyError} */
export function requiredText(record: KeyRecord, name: string): string {
  const value = textOf(record, name);
  if (value === "") throw new KeyError(`a key has no ${name}`);
  return value;
}

/** Whether plain data is a mapping. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a member of an item of a key group: a text, absent and null count as empty. @throws {KeyError} */
export function memberText(item: Readonly<Record<string, unknown>>, name: string): string {
  const value = item[name] ?? "";
  if (typeof value !== "string") throw new KeyError(`${name} of a key group's key is not a text`);
  return value;
}

/** Reads standard base64, as a service or a file has it. @throws {KeyError} that names what was read, not its text */
export function requireBase64(text: unknown, what: string): Buffer {
  const bytes = typeof text === "string" && text !== "" ? decodeBase64(text) : undefined;
  if (bytes === undefined) throw new KeyError(`${what} is not base64`);
  return bytes;
}

/** Reads a URL; null when the text is none. */
export function parseUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}
