import { KeyError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { decodeUtf8 } from "../../bytes/utf8.ts";
import type { Identity } from "./file.ts";
import { parseX25519Identity } from "./x25519.ts";

/** Largest identity file taken, in bytes; the reference's limit for those under a passphrase. */
export const MAX_IDENTITY_FILE_LENGTH = 16 << 20;

/** What a list of identities gave. */
export interface IdentityList {
  readonly identities: readonly Identity[];
  /** Lines that hold none, counted from 1, and what is wrong with the first of them. */
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
export async function parseIdentityList(text: string, separator?: RegExp): Promise<IdentityList> {
  const identities: Identity[] = [];
  const badLines: number[] = [];
  let problem: string | undefined;
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (line.startsWith("#")) continue;
    const items = (separator === undefined ? [line] : line.split(separator)).map((item) => item.trim());
    for (const item of items.filter((candidate) => candidate !== "")) {
      try {
        identities.push(await parseIdentity(item));
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
 * @throws {KeyError} if it is neither
 */
export async function parseIdentityFile(content: Uint8Array, location: string): Promise<IdentityList> {
  if (content.length > MAX_IDENTITY_FILE_LENGTH) throw new KeyError("the identity file is larger than 16 MiB");
  const start = Buffer.from(content.subarray(0, 16)).toString("latin1");
  if (start.startsWith("age-encryption") || start.startsWith("-----BEGIN AGE")) {
    const { protectedIdentity } = await import("./protected-identity.ts");
    return { identities: [protectedIdentity(content, location)], badLines: [] };
  }
  const text = decodeUtf8(content);
  if (text === undefined) throw new KeyError("the identity file is not text");
  return parseIdentityList(text);
}

async function parseIdentity(text: string): Promise<Identity> {
  if (text.startsWith("AGE-SECRET-KEY-1")) return parseX25519Identity(text);
  if (text.startsWith("AGE-SECRET-KEY-PQ-1")) return (await import("./library.ts")).parseLibraryIdentity(text);
  if (text.startsWith("AGE-PLUGIN-")) return (await import("./plugin.ts")).parsePluginIdentity(text);
  throw new KeyError("unknown identity type");
}

/** Tells the user which lines of a list were not used: a bad line otherwise shows only when decryption fails. */
export function warnOfBadLines(list: IdentityList, location: string, host: Host): void {
  const [first, ...more] = list.badLines;
  if (first === undefined) return;
  const others = more.length === 0 ? "" : ` and ${String(more.length)} more`;
  host.warn(`skipped line ${String(first)}${others} of the age identities in ${location}: ${list.problem ?? ""}`);
}
