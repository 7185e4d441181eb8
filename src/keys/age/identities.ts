import path from "node:path";

import { KeyError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { quoted } from "../fields.ts";
import { splitCommandLine } from "./command-line.ts";
import type { Identity } from "./file.ts";
import { parseIdentityFile, parseIdentityList, warnOfBadLines, type IdentityList } from "./identity-file.ts";

/** A place identities come from. */
export interface IdentitySource {
  /** The variable's name or the file's path, for messages. */
  readonly location: string;
  /** Which stanzas its identities open: those of SSH keys, or all others. */
  readonly opens: "ssh" | "native";
  /** Looked at without being named, so its absence is no news once another one was read. */
  readonly isFallback?: true;
  /** Gives what is there, or null if nothing is. Throws a KeyError if it cannot be used. */
  readonly read: Read;
}

type Read = (location: string, host: Host, recipient: string) => Promise<Reading | null> | Reading | null;

interface Reading {
  readonly identities: readonly Identity[];
  /** Why a part of it could not be used. */
  readonly problem?: string;
}

/** What a source gave. */
export interface LoadedSource extends Reading {
  readonly source: IdentitySource;
  /** False if nothing is there, or it could not be read. */
  readonly found: boolean;
}

/** Milliseconds that a command printing a key may take: it may have to ask its user. */
const COMMAND_TIMEOUT = 60_000;

const READABLE_BY_ALL =
  "Every user of this machine can read the file of an age key. Make it yours alone: chmod 600, and a new key if others use the machine.";

/**
 * All places identities come from, in the reference's order. Nothing is read before `loadSource` is called.
 *
 * @see cli-behaviour.md 5.1
 */
export function identitySources(host: Host): IdentitySource[] {
  return [
    { location: "SOPS_AGE_SSH_PRIVATE_KEY_FILE", opens: "ssh", read: readNamedSshKey },
    { location: "SOPS_AGE_SSH_PRIVATE_KEY_CMD", opens: "ssh", read: readSshCommand },
    ...defaultSshKeys(host),
    { location: "SOPS_AGE_KEY", opens: "native", read: readVariable },
    { location: "SOPS_AGE_KEY_FILE", opens: "native", read: readNamedFile },
    { location: "SOPS_AGE_KEY_CMD", opens: "native", read: readCommand },
    defaultFile(host),
  ];
}

/** Each source is read once in a run and its keys parsed once: a run may open thousands of files. */
const caches = new WeakMap<Host, Map<string, Promise<LoadedSource>>>();

/**
 * Reads a source, or gives what reading it gave before. Never throws: what went wrong is in the result.
 *
 * @param recipient - told to commands, whose answer may depend on it
 */
export function loadSource(source: IdentitySource, recipient: string, host: Host): Promise<LoadedSource> {
  const cache = caches.get(host) ?? new Map<string, Promise<LoadedSource>>();
  caches.set(host, cache);
  // Only a command can tell recipients apart.
  const key = source.location.endsWith("_CMD") ? `${source.location} ${recipient}` : source.location;
  const loading = cache.get(key) ?? readSource(source, recipient, host);
  cache.set(key, loading);
  return loading;
}

async function readSource(source: IdentitySource, recipient: string, host: Host): Promise<LoadedSource> {
  try {
    const reading = await source.read(source.location, host, recipient);
    return reading === null ? { source, found: false, identities: [] } : { source, found: true, ...reading };
  } catch (error) {
    return { source, found: false, identities: [], problem: messageOf(error) };
  }
}

function readVariable(name: string, host: Host): Reading | null {
  const text = host.env[name];
  return text === undefined ? null : checkList(parseIdentityList(text, /[ \t]+/), name, name, host);
}

async function readNamedFile(name: string, host: Host): Promise<Reading | null> {
  const file = host.env[name];
  if (file === undefined) return null;
  const content = readFile(file, host, `failed to open ${name} file`);
  if (content === null) throw new KeyError(`failed to open ${name} file: open ${file}: no such file or directory`);
  return readIdentityFile(content, name, file, host);
}

async function readCommand(name: string, host: Host, recipient: string): Promise<Reading | null> {
  const output = await runCommand(name, host, recipient);
  return output === null ? null : readIdentityFile(output, name, name, host);
}

function defaultFile(host: Host): IdentitySource {
  const folder = configFolder(host);
  const isFallback = true;
  if (folder instanceof KeyError)
    return { location: "keys.txt", opens: "native", isFallback, read: () => Promise.reject(folder) };
  const file = pathsOf(host).join(folder, "sops", "age", "keys.txt");
  return { location: file, opens: "native", isFallback, read: readDefaultFile };
}

async function readDefaultFile(file: string, host: Host): Promise<Reading | null> {
  const content = readFile(file, host, "failed to open file");
  return content === null ? null : readIdentityFile(content, file, file, host);
}

/** @param place - where a warning says that its lines are */
async function readIdentityFile(content: Uint8Array, location: string, place: string, host: Host): Promise<Reading> {
  return checkList(await parseIdentityFile(content, location), location, place, host);
}

function checkList(list: IdentityList, location: string, place: string, host: Host): Reading {
  const { identities, problem } = list;
  if (problem === undefined) return { identities };
  warnOfBadLines(list, place, host);
  return { identities, problem: `failed to parse '${location}' age identities: ${problem}` };
}

async function readNamedSshKey(name: string, host: Host): Promise<Reading | null> {
  const file = host.env[name];
  if (file === undefined) return null;
  const reading = await readSshKey(file, host);
  if (reading === null) throw new KeyError(`failed to open file: open ${file}: no such file or directory`);
  return reading;
}

async function readSshKey(file: string, host: Host): Promise<Reading | null> {
  const content = readFile(file, host, "failed to open file");
  if (content === null) return null;
  const { parseSshIdentity } = await import("./ssh-identity.ts");
  try {
    return { identities: [parseSshIdentity(content, { file })] };
  } catch (error) {
    throw new KeyError(`malformed SSH identity in ${quoted(file)}: ${messageOf(error)}`);
  }
}

async function readSshCommand(name: string, host: Host, recipient: string): Promise<Reading | null> {
  const output = await runCommand(name, host, recipient);
  if (output === null) return null;
  const { parseSshIdentity } = await import("./ssh-identity.ts");
  try {
    return { identities: [parseSshIdentity(output, {})] };
  } catch (error) {
    throw new KeyError(`malformed SSH identity returned by running ${name}: "${messageOf(error)}"`);
  }
}

function defaultSshKeys(host: Host): IdentitySource[] {
  const home = homeFolder(host);
  if (home instanceof KeyError) return [{ location: "~/.ssh", opens: "ssh", read: () => Promise.reject(home) }];
  return ["id_ed25519", "id_rsa"].map((name) => {
    return { location: pathsOf(host).join(home, ".ssh", name), opens: "ssh", read: readSshKey };
  });
}

/** The output of the command in a variable; null if the variable is not set or, unlike upstream (I-43), empty. */
async function runCommand(name: string, host: Host, recipient: string): Promise<Uint8Array | null> {
  const line = host.env[name];
  const [command, ...args] = line === undefined ? [] : splitNamedCommand(line, name);
  if (command === undefined) return null;
  const result = await host
    .run(command, args, {
      input: new Uint8Array(0),
      env: { ...host.env, SOPS_AGE_RECIPIENT: recipient },
      timeout: COMMAND_TIMEOUT,
      inheritStderr: true,
    })
    .catch((error: unknown) => {
      throw new KeyError(`failed to execute command ${command}: ${messageOf(error)}`);
    });
  if (result.status === 0) return result.stdout;
  throw new KeyError(`failed to execute command ${command}: exit status ${String(result.status)}`);
}

function splitNamedCommand(line: string, name: string): string[] {
  try {
    return splitCommandLine(line);
  } catch (error) {
    throw new KeyError(`failed to parse command ${name}: ${messageOf(error)}`);
  }
}

function readFile(file: string, host: Host, failure: string): Uint8Array | null {
  if (file === "") return null;
  try {
    const content = host.readFile(file);
    if (content !== null && host.isReadableByAll?.(file) === true) host.warn(READABLE_BY_ALL, { path: file });
    return content;
  } catch (error) {
    throw new KeyError(`${failure}: ${messageOf(error)}`, { cause: error });
  }
}

function pathsOf(host: Host): path.PlatformPath {
  return host.platform === "win32" ? path.win32 : path.posix;
}

/** The user's folder as Go finds it: by environment alone. */
function homeFolder(host: Host): string | KeyError {
  const name = host.platform === "win32" ? "USERPROFILE" : "HOME";
  const home = host.env[name] ?? "";
  return home !== ""
    ? home
    : new KeyError(host.platform === "win32" ? "%userprofile% is not defined" : "$HOME is not defined");
}

/** The user's configuration folder: Go's os.UserConfigDir, except that macOS heeds XDG_CONFIG_HOME too. */
function configFolder(host: Host): string | KeyError {
  const failure = (reason: string): KeyError =>
    new KeyError(`user config directory could not be determined: ${reason}`);
  if (host.platform === "win32") return host.env["APPDATA"] || failure("%AppData% is not defined");
  const xdg = host.env["XDG_CONFIG_HOME"] ?? "";
  if (xdg !== "") {
    const isRelative = host.platform !== "darwin" && !path.posix.isAbsolute(xdg);
    return isRelative ? failure("path in $XDG_CONFIG_HOME is relative") : xdg;
  }
  const home = homeFolder(host);
  if (home instanceof KeyError) {
    return failure(host.platform === "darwin" ? home.message : "neither $XDG_CONFIG_HOME nor $HOME are defined");
  }
  return host.platform === "darwin"
    ? path.posix.join(home, "Library", "Application Support")
    : path.posix.join(home, ".config");
}
