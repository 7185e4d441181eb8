import { KeyError, messageOf } from "../../errors.ts";
import { quoted } from "../fields.ts";
import type { Recipient } from "./file.ts";
import { parseLibraryRecipient } from "./library.ts";
import { parsePluginRecipient } from "./plugin.ts";
import { parseSshRecipient } from "./ssh-recipient.ts";
import { parseX25519Recipient } from "./x25519.ts";

/** Kinds of recipients, by how they begin; the first that fits is taken. No digit 1 can be in the data of Bech32. */
const KINDS: readonly {
  readonly pattern: RegExp;
  readonly name: string;
  parse(text: string): Recipient;
}[] = [
  {
    pattern: /^age1(?:pq|tag|tagpq)1/,
    name: "Bech32-encoded age public key",
    parse: (text) => parseLibraryRecipient(text),
  },
  { pattern: /^age1.*1/, name: "age key from age plugin", parse: (text) => parsePluginRecipient(text) },
  { pattern: /^age1/, name: "Bech32-encoded age public key", parse: parseX25519Recipient },
  { pattern: /^ssh-/, name: "age-ssh public key", parse: (text) => parseSshRecipient(text) },
];

/**
 * Reads a recipient of any kind. Pure: plugins and packages are looked for when it encrypts.
 *
 * @throws {KeyError} in the reference's words; a secret key given by mistake is not repeated
 * @see cli-behaviour.md 5.1
 */
export function parseRecipient(text: string): Recipient {
  const kind = KINDS.find(({ pattern }) => pattern.test(text));
  if (kind === undefined) throw unknownRecipient(text);
  try {
    return kind.parse(text);
  } catch (error) {
    throw new KeyError(`failed to parse input as ${kind.name}: ${messageOf(error)}`);
  }
}

function unknownRecipient(text: string): KeyError {
  const message = "failed to parse input, unknown recipient type";
  return /secret|private|plugin/i.test(text)
    ? new KeyError(`${message}: this looks like a secret key`, { hint: "name the public key that belongs to it" })
    : new KeyError(`${message}: ${quoted(text)}`);
}
