import { KeyError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import type { KeyBackend, MasterKey } from "../backend.ts";
import { splitList, textOf } from "../fields.ts";
import { armor, dearmor } from "./armor.ts";
import { describeMismatch, openFile } from "./file.ts";
import { parseHeader, type Header } from "./header.ts";
import { identitySources, loadSource, type LoadedSource } from "./identities.ts";
import { parseRecipient } from "./recipients.ts";

/** Longest `enc` text taken, in UTF-16 units: a wrapped data key is a few hundred bytes, with hybrid keys a few thousand. */
const MAX_ENC_LENGTH = 1 << 20;

const READER_FAILURE = "failed to create reader for decrypting sops data key with age";

/** Keys of age: X25519, hybrid, SSH and plugin recipients; identities from all places of cli-behaviour.md 5.1. */
export const age: KeyBackend = {
  type: "age",
  title: "age",
  names: { rule: "age", group: "age", flag: "age", short: "a", env: "SOPS_AGE_RECIPIENTS" },
  dated: false,

  // An SSH recipient has blanks inside: only commas separate.
  parse: (text) => splitList(text).map(checkedKey),

  fromGroupEntry(item) {
    if (typeof item !== "string") throw new KeyError("an age key is a recipient in text");
    return splitList(item).map(checkedKey);
  },

  // A file may name recipients of kinds we do not know; only wrapping for them fails.
  fromRecord: (record) => masterKey(textOf(record, "recipient").trim()),
};

function checkedKey(recipient: string): MasterKey {
  parseRecipient(recipient);
  return masterKey(recipient);
}

function masterKey(recipient: string): MasterKey {
  return {
    type: "age",
    id: recipient,
    toRecord: () => ({ recipient }),
    wrap: (part, host) => wrapPart(recipient, part, host),
    unwrap: (enc, host) => unwrapPart(recipient, enc, host),
  };
}

async function wrapPart(recipient: string, part: Uint8Array, host: Host): Promise<string> {
  try {
    return armor(await parseRecipient(recipient).encrypt(part, host));
  } catch (error) {
    throw new KeyError(`failed to encrypt sops data key with age: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Tries every identity there is, whatever recipient the entry names. Those that are likely to fit come first, so that no
 * SSH key is read, no command run and no passphrase asked for without need.
 */
async function unwrapPart(recipient: string, enc: string, host: Host): Promise<Uint8Array> {
  const { file, header } = readEnc(enc);
  const sources = identitySources(host);
  const opens = header.stanzas.some(({ args }) => args[0]?.startsWith("ssh-")) ? "ssh" : "native";
  const failures: string[] = [];
  for (const source of likelyFirst(sources, (candidate) => candidate.opens === opens)) {
    const { identities } = await loadSource(source, recipient, host);
    for (const identity of likelyFirst(identities, (candidate) => candidate.recipient === recipient)) {
      const fileKey = await identity.unwrap(header, host).catch((error: unknown) => {
        failures.push(messageOf(error)); // another identity may still fit
        return null;
      });
      if (fileKey !== null) return openEnc(file, header, fileKey);
    }
  }
  const loaded = await Promise.all(sources.map((source) => loadSource(source, recipient, host)));
  throw new KeyError(describeFailure(loaded, failures));
}

function likelyFirst<T>(items: readonly T[], isLikely: (item: T) => boolean): T[] {
  return [...items.filter(isLikely), ...items.filter((item) => !isLikely(item))];
}

function readEnc(enc: string): { file: Uint8Array; header: Header } {
  try {
    if (enc.length > MAX_ENC_LENGTH) throw new KeyError(`longer than ${String(MAX_ENC_LENGTH)} characters`);
    const file = dearmor(enc);
    return { file, header: parseHeader(file) };
  } catch (error) {
    throw new KeyError(`${READER_FAILURE}: ${messageOf(error)}`, { cause: error });
  }
}

async function openEnc(file: Uint8Array, header: Header, fileKey: Uint8Array): Promise<Uint8Array> {
  try {
    return await openFile(file, header, fileKey);
  } catch (error) {
    throw new KeyError(`${READER_FAILURE}: ${messageOf(error)}`, { cause: error });
  }
}

/** One line on what was tried: the failure, what was wrong with the sources, and where no identity was. */
function describeFailure(loaded: readonly LoadedSource[], failures: readonly string[]): string {
  const count = loaded.reduce((sum, { identities }) => sum + identities.length, 0);
  const headline =
    count === 0 ? "failed to load age identities" : `${READER_FAILURE}: ${failures[0] ?? describeMismatch(count)}`;
  const problems = loaded.flatMap(({ problem }) => problem ?? []);
  const unused = unusedLocations(loaded);
  return [
    headline,
    ...(problems.length === 0 ? [] : [`. Errors while loading age identities: ${problems.join("; ")}`]),
    ...(unused.length === 0 ? [] : [`. Did not find keys in ${listLocations(unused)}.`]),
  ].join("");
}

/** Where no identity was, for lack of a source and then for lack of content. */
function unusedLocations(loaded: readonly LoadedSource[]): string[] {
  const withoutProblem = loaded.filter(({ problem }) => problem === undefined);
  const anyNativeFound = loaded.some(({ source, found }) => source.opens === "native" && found);
  return [
    ...withoutProblem.filter(({ source, found }) => !found && !(source.isFallback === true && anyNativeFound)),
    ...withoutProblem.filter(({ found, identities }) => found && identities.length === 0),
  ].map(({ source }) => `'${source.location}'`);
}

function listLocations(locations: readonly string[]): string {
  const [first = "", second = ""] = locations;
  if (locations.length === 1) return `location ${first}`;
  if (locations.length === 2) return `locations ${first} and ${second}`;
  return `locations ${locations.slice(0, -1).join(", ")}, and ${locations.at(-1) ?? ""}`;
}
