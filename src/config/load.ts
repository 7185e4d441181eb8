import { asBuffer, decodeUtf8 } from "../bytes/utf8.ts";
import { findEntry } from "../document/model.ts";
import { ConfigError, SopsError } from "../errors.ts";
import { readBlockYaml } from "../formats/yaml/block-reader.ts";
import type { Host } from "../host.ts";
import type { KeyBackend } from "../keys/backend.ts";
import type { ConfigLocation } from "./find.ts";
import { readConfig, type Config, type StoreSettings } from "./schema.ts";
import { readYaml } from "./yaml.ts";

const STORES = Buffer.from("stores");

/**
 * Reads a configuration file; an empty one is valid and has no rules.
 *
 * @throws {ConfigError} "could not read config file: …", or "error loading config: …" with file, line and column
 */
export async function loadConfig(
  location: ConfigLocation,
  backends: readonly KeyBackend[],
  host: Pick<Host, "readFile">,
): Promise<Config> {
  return parseConfig(readBytes(location, host), location, backends);
}

/** Reads the text of a configuration file. @throws {ConfigError} with file, line and column */
export async function parseConfig(
  bytes: Uint8Array,
  location: ConfigLocation,
  backends: readonly KeyBackend[],
): Promise<Config> {
  return readConfig(await readYaml(bytes, location.name), location, backends);
}

/**
 * Reads only how formats are laid out, which is all that most commands want. Few files say anything about it, and
 * those that do not are not even parsed: the parser takes longer to load than the rest of a small decryption.
 *
 * @throws {ConfigError} as `loadConfig`
 */
export async function loadStores(location: ConfigLocation, host: Pick<Host, "readFile">): Promise<StoreSettings> {
  const bytes = readBytes(location, host);
  if (isUsual(bytes)) return {};
  return (await parseConfig(bytes, location, [])).stores;
}

/** Whether a configuration plainly has the usual shape and says nothing about stores, told without the parser. */
function isUsual(bytes: Uint8Array): boolean {
  const text = asBuffer(bytes).includes(STORES) ? undefined : decodeUtf8(bytes);
  const [root, ...others] = (text === undefined ? undefined : readBlockYaml(text, 0)) ?? [];
  if (root === undefined || others.length > 0) return false;
  const rules = findEntry(root, "creation_rules")?.value;
  return rules === undefined || rules.kind === "sequence";
}

function readBytes({ path, name }: ConfigLocation, host: Pick<Host, "readFile">): Uint8Array {
  let bytes: Uint8Array | null;
  try {
    bytes = host.readFile(path);
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    throw new ConfigError(`could not read config file: ${error.message}`, { cause: error });
  }
  if (bytes === null) throw new ConfigError(`could not read config file: ${name}: no such file or directory`);
  return bytes;
}
