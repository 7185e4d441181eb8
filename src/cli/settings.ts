import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { findConfig, type ConfigLocation } from "../config/find.ts";
import { loadConfig, loadStores } from "../config/load.ts";
import { policyFromRule, type EncryptionPolicy } from "../config/policy.ts";
import { matchRule, noMatchingRule } from "../config/rules.ts";
import type { Config, CreationRule, StoreSettings } from "../config/schema.ts";
import { ConfigError, SopsError } from "../errors.ts";
import type { Format } from "../formats/format.ts";
import { formatOfName, formatOfPath } from "../formats/registry.ts";
import { keyBackends } from "../keys/registry.ts";
import type { FormatChoice } from "../operations/context.ts";
import { keyDefaults, keysFromOptions } from "./key-options.ts";
import { keyOptionNames } from "./options.ts";
import { selectionFromOptions } from "./selection-options.ts";
import type { Session } from "./session.ts";

/** What the configuration says for one file. */
export interface Settings {
  /** Undefined if there is none. */
  readonly location: ConfigLocation | undefined;
  readonly stores: StoreSettings;
  /** The whole of it, where rules are needed. */
  readonly config: Config | undefined;
}

/** The absolute name that decides about format and rule; undefined for standard input without `--filename-override`. */
export function nameFor(session: Session, operand: string | undefined): string | undefined {
  const override = session.invocation.values["filename-override"] ?? "";
  const name = override === "" ? operand : override;
  return name === undefined || name === "-" ? undefined : resolve(session.workingDirectory, name);
}

/**
 * Finds and reads the configuration.
 *
 * @param needs - `rules` reads all of it; `stores` only the layout of formats, and there a broken file that has
 *   nothing to do with decrypting is but a warning (I-37)
 * @throws {ConfigError} with file, line and column
 */
export async function loadSettings(
  session: Session,
  name: string | undefined,
  needs: "rules" | "stores",
): Promise<Settings> {
  const location = locate(session, name);
  if (location === undefined) return { location, stores: {}, config: undefined };
  session.log("info", "Using configuration file", { config: location.name });
  if (needs === "stores") return { location, stores: await storesOrWarning(session, location), config: undefined };
  const config = await loadConfig(location, keyBackends, session.host);
  for (const warning of config.warnings) session.log("warning", warning);
  return { location, stores: config.stores, config };
}

/** `loadSettings` for many files: once for all of a folder. */
export function settingsReader(
  session: Session,
  needs: "rules" | "stores",
): (name: string | undefined) => Promise<Settings> {
  const byFolder = new Map<string, Promise<Settings>>();
  return (name) => {
    const folder = name === undefined ? "" : dirname(name);
    const settings = byFolder.get(folder) ?? loadSettings(session, name, needs);
    byFolder.set(folder, settings);
    return settings;
  };
}

function locate(session: Session, name: string | undefined): ConfigLocation | undefined {
  const given = session.invocation.values.config ?? "";
  if (given !== "") return { path: resolve(session.workingDirectory, given), name: given };
  return findConfig(session.workingDirectory, name === undefined ? undefined : dirname(name), {
    statFile: (path) => ownerOf(path),
    userId: process.getuid?.(),
    warn: (message) => {
      session.log("warning", message);
    },
  });
}

function ownerOf(path: string): { ownerId: number | undefined } | null {
  try {
    const status = statSync(path);
    return { ownerId: process.getuid === undefined ? undefined : status.uid };
  } catch {
    return null; // Not there, or in a folder that we may not look into.
  }
}

async function storesOrWarning(session: Session, location: ConfigLocation): Promise<StoreSettings> {
  try {
    return await loadStores(location, session.host);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    session.log("warning", `the configuration is not used: ${error.message}`);
    return {};
  }
}

/** The format that a file, or `--input-type`, stands for. */
export function inputFormat({ invocation: { values } }: Session, name: string | undefined): Format {
  const given = values["input-type"];
  return given === undefined ? formatOfPath(name ?? "") : formatOfName(given);
}

function outputFormat(session: Session, name: string | undefined): Format {
  const { "output-type": given, "input-type": input } = session.invocation.values;
  if (given !== undefined) return formatOfName(given);
  // In the reference the two are chosen apart; here a type given for the input holds for the output too.
  return session.dialect.name === "leafcrypt" && input !== undefined ? formatOfName(input) : formatOfPath(name ?? "");
}

/** Formats and layout for one file, by options, configuration and name. */
export function formatChoice(session: Session, { stores }: Settings, name: string | undefined): FormatChoice {
  const { values } = session.invocation;
  const output = outputFormat(session, name);
  const indent = values.indent ?? storedIndent(output, stores);
  return {
    input: inputFormat(session, name),
    output,
    // Whoever asks for an indentation asks for text to be laid out anew.
    layout: indent === undefined ? (values.layout ?? session.dialect.layout) : "reference",
    style: indent === undefined ? {} : { indent },
  };
}

function storedIndent(output: Format, stores: StoreSettings): number | undefined {
  if (output.name === "yaml") return stores.yaml === 0 ? undefined : stores.yaml;
  const indent = output.name === "json" ? stores.json : output.name === "binary" ? stores.jsonBinary : undefined;
  return indent === -1 ? undefined : indent;
}

/** The rule for a file. @throws {ConfigError} if there are rules, and none is for the file */
export async function ruleFor(settings: Settings, name: string | undefined): Promise<CreationRule | undefined> {
  const { config } = settings;
  if (config?.creationRules === undefined) return undefined;
  const rule = await matchRule(config, name ?? "");
  if (rule === undefined) throw noMatchingRule(config, name ?? "");
  return rule;
}

/**
 * How a new file is encrypted: options before environment before rule (cli-behaviour.md 4.5).
 *
 * @throws {SopsError} ERR_NO_KEYS, ERR_CONFIG, ERR_CONFLICTING_OPTIONS, ERR_KEY
 */
export async function policyFor(
  session: Session,
  settings: Settings,
  name: string | undefined,
): Promise<EncryptionPolicy> {
  const { values } = session.invocation;
  const defaults = keyDefaults(values, "refuse");
  const keys = keysFromOptions(values, "");
  const rule = await (keys.length > 0 ? optionalRule(settings, name) : ruleFor(settings, name));
  const base = rule === undefined ? undefined : policyFromRule(rule, keys.length > 0 ? [] : keyBackends, defaults);
  if (keys.length === 0 && base === undefined) throw noKeys();
  if (keys.length > 0 && base !== undefined) noteOverride(session);
  return {
    keyGroups: keys.length > 0 ? [keys] : (base?.keyGroups ?? []),
    shamirThreshold: values["shamir-secret-sharing-threshold"] || (base?.shamirThreshold ?? 0),
    selection: selectionFromOptions(values, base?.selection),
    integrity: base?.integrity === true,
    macOnlyEncrypted: values["mac-only-encrypted"] === true || base?.macOnlyEncrypted === true,
  };
}

/** Keys given explicitly need no rule (I-34); one that is there still says what is encrypted. */
async function optionalRule(settings: Settings, name: string | undefined): Promise<CreationRule | undefined> {
  const { config } = settings;
  return config === undefined ? undefined : matchRule(config, name ?? "");
}

function noKeys(): SopsError {
  return new SopsError(
    "ERR_NO_KEYS",
    "config file not found, or has no creation rules, and no keys provided through command line options",
    { hint: "name a key, such as --age age1…, or write a .sops.yaml with a rule for the file" },
  );
}

/** Keys of the environment that replace those of the configuration are easily forgotten (I-38). */
function noteOverride(session: Session): void {
  const { origins } = session.invocation;
  const fromEnvironment = keyOptionNames.filter((option) => origins[option] === "environment");
  if (fromEnvironment.length === 0) return;
  session.log("warning", "keys of the environment are used instead of those of the configuration", {
    options: fromEnvironment.map((option) => `--${option}`).join(" "),
  });
}
