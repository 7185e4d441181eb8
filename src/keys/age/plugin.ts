import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { decodeBech32 } from "../../bytes/bech32.ts";
import { asBuffer } from "../../bytes/utf8.ts";
import { encryptFile, type Identity, type Recipient } from "./file.ts";
import { FILE_KEY_LENGTH, type Stanza } from "./header.ts";

/** No path separators, no leading dot or hyphen: GHSA-32gq-x56h-299c. */
const PLUGIN_NAME = /^[a-z0-9][a-z0-9+._-]*$/;
const MAX_NAME_LENGTH = 64;
const RECIPIENT_PREFIX = /^age1(.+)$/;
const IDENTITY_PREFIX = /^age-plugin-(.+)-$/;

/**
 * Reads a plugin's recipient, `age1NAME1…`. Its program, `age-plugin-NAME`, is started when something is encrypted.
 *
 * @throws {KeyError} that says what is wrong with it
 */
export function parsePluginRecipient(text: string): Recipient {
  const name = pluginName(text, RECIPIENT_PREFIX, "recipient");
  return {
    encrypt: (plaintext, host) => encryptFile(plaintext, (fileKey) => wrapWithPlugin(name, text, fileKey, host), host),
  };
}

/**
 * Reads a plugin's identity, `AGE-PLUGIN-NAME-1…`. Only an identity starts a program on decryption: what a file says
 * of its recipients never does.
 *
 * @throws {KeyError} that says what is wrong, and nothing of the identity
 */
export function parsePluginIdentity(text: string): Identity {
  const name = pluginName(text, IDENTITY_PREFIX, "identity");
  return { unwrap: (header, host) => unwrapWithPlugin(name, text, header.stanzas, host) };
}

function pluginName(text: string, pattern: RegExp, what: string): string {
  const decoded = decodeBech32(text);
  if (typeof decoded === "string") throw new KeyError(`invalid ${what} encoding: ${decoded}`);
  const name = pattern.exec(decoded.prefix)?.[1];
  if (name === undefined || name.length > MAX_NAME_LENGTH || !PLUGIN_NAME.test(name)) {
    throw new KeyError(`invalid ${what} encoding: invalid plugin name`);
  }
  return name;
}

/** What the plugin's answers have added up to. */
interface Answers {
  readonly stanzas: Stanza[];
  fileKey: Uint8Array | null;
  error: string | undefined;
}

async function wrapWithPlugin(name: string, recipient: string, fileKey: Uint8Array, host: Host): Promise<Stanza[]> {
  const { stanzas } = await converse(name, "recipient-v1", host, [
    { args: ["add-recipient", recipient], body: EMPTY },
    { args: ["wrap-file-key"], body: fileKey },
  ]);
  if (stanzas.length === 0) throw new KeyError(`${name} plugin: it gave no recipient stanza`);
  return stanzas;
}

async function unwrapWithPlugin(
  name: string,
  identity: string,
  stanzas: readonly Stanza[],
  host: Host,
): Promise<Uint8Array | null> {
  const { fileKey } = await converse(name, "identity-v1", host, [
    { args: ["add-identity", identity], body: EMPTY },
    ...stanzas.map(({ args, body }) => ({ args: ["recipient-stanza", "0", ...args], body })),
  ]);
  return fileKey;
}

/** Says all there is to say, then answers the plugin until it is done. */
async function converse(
  name: string,
  protocol: "recipient-v1" | "identity-v1",
  host: Host,
  opening: readonly Stanza[],
): Promise<Answers> {
  const { startPlugin } = await import("./plugin-process.ts");
  const plugin = await startPlugin(name, protocol, host);
  try {
    for (const stanza of opening) plugin.send(stanza);
    plugin.send({ args: ["done"], body: EMPTY });
    const answers: Answers = { stanzas: [], fileKey: null, error: undefined };
    for (;;) {
      const message = await plugin.receive();
      if (message.args[0] === "done") break;
      plugin.send(await answer(message, answers, name, host));
    }
    if (answers.error !== undefined) throw new KeyError(answers.error);
    return answers;
  } finally {
    plugin.close();
  }
}

/** Takes what a message brings and gives the reply to it. */
async function answer(
  { args: [command, ...args], body }: Stanza,
  answers: Answers,
  name: string,
  host: Host,
): Promise<Stanza> {
  const text = `${name} plugin: ${printable(body)}`;
  switch (command) {
    case "recipient-stanza":
      if (args[0] !== "0" || args.length < 2) throw new KeyError(`${name} plugin: malformed recipient stanza`);
      answers.stanzas.push({ args: args.slice(1), body });
      return OK;
    case "file-key":
      if (args[0] !== "0" || body.length !== FILE_KEY_LENGTH || answers.fileKey !== null) {
        throw new KeyError(`${name} plugin: malformed file key`);
      }
      answers.fileKey = body;
      return OK;
    case "error":
      answers.error ??= text;
      return OK;
    case "msg":
      host.warn(text);
      return OK;
    case "request-secret":
    case "request-public":
      return ask(text, host);
    default:
      return { args: ["unsupported"], body: EMPTY };
  }
}

async function ask(prompt: string, host: Host): Promise<Stanza> {
  try {
    return { args: ["ok"], body: Buffer.from(await host.askPassphrase(prompt), "utf8") };
  } catch {
    return { args: ["fail"], body: EMPTY };
  }
}

/** A plugin's text for the user, without anything a terminal would obey. */
function printable(body: Uint8Array): string {
  return asBuffer(body)
    .toString("utf8")
    .replace(/\p{Cc}+/gu, " ")
    .trim();
}

const EMPTY = new Uint8Array(0);
const OK: Stanza = { args: ["ok"], body: EMPTY };
