import { KeyError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { decodeUtf8 } from "../../bytes/utf8.ts";
import type { Identity } from "./file.ts";
import { parseLibraryIdentity } from "./library.ts";
import { parsePluginIdentity } from "./plugin.ts";
import { parseX25519Identity } from "./x25519.ts";

/** Largest identity file taken, in bytes; the reference's limit for those under a passphrase. */
const MAX_IDENTITY_FILE_LENGTH = 16 << 20;

/** What a list of identities gave. `problem` says why it, or a part of it, cannot be used. */
export interface IdentityList {
  readonly identities: readonly Identity[];
  /** Lines that could not be used, counted from 1; `problem` is that of the first. */
  readonly badLines: readonly number[];
  readonly problem?: string;
}

/**
 * Reads identities, one a line; blank lines and comments are passed over.
 *
 * A line that cannot be used costs only itself, where the reference drops the whole list (cli-behaviour.md I-55).
 *
 * @param separator - what stands between identities of one line, where that may hold several
 */
export function parseIdentityList(text: string, separator?: RegExp): IdentityList {
  const identities: Identity[] = [];
  const badLines: number[] = [];
  let problem: string | undefined;
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (line.trimStart().startsWith("#")) continue;
    const items = (separator === undefined ? [line] : line.split(separator)).map((item) => item.trim());
    for (const item of items.filter((candidate) => candidate !== "")) {
      try {
        identities.push(parseIdentity(item));
      } catch (error) {
        problem ??= messageOf(error);
        if (badLines.at(-1) !== index + 1) badLines.push(index + 1);
      }
    }
  }
  return { identities, badLines, ...(problem !== undefined && { problem }) };
}

/**
 * Reads what an identity file or a command that prints one holds: a list of identities, or one under a passphrase.
 *
 * @param location - what the prompt for the passphrase calls it
 */
export async function parseIdentityFile(content: Uint8Array, location: string): Promise<IdentityList> {
  if (content.length > MAX_IDENTITY_FILE_LENGTH) return useless("larger than 16 MiB");
  const start = Buffer.from(content.subarray(0, 16)).toString("latin1");
  if (start.startsWith("age-encryption") || start.startsWith("-----BEGIN AGE")) {
    const { protectedIdentity } = await import("./protected-identity.ts");
    return { identities: [protectedIdentity(content, location)], badLines: [] };
  }
  const text = decodeUtf8(content);
  return text === undefined ? useless("not a text") : parseIdentityList(text);
}

function useless(problem: string): IdentityList {
  return { identities: [], badLines: [], problem };
}

function parseIdentity(text: string): Identity {
  if (text.startsWith("AGE-SECRET-KEY-1")) return parseX25519Identity(text);
  if (text.startsWith("AGE-SECRET-KEY-PQ-1")) return parseLibraryIdentity(text);
  if (text.startsWith("AGE-PLUGIN-")) return parsePluginIdentity(text);
  throw new KeyError("unknown identity type");
}

/** Tells the user which lines of a list were not used: a bad line otherwise shows only when decryption fails. */
export function warnOfBadLines(list: IdentityList, location: string, host: Host): void {
  const [first, ...more] = list.badLines;
  if (first === undefined) return;
  const others = more.length === 0 ? "" : ` and ${String(more.length)} more`;
  host.warn(`skipped line ${String(first)}${others} of the age identities in ${location}: ${list.problem ?? ""}`);
}
