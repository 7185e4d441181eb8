import type { FormatName } from "../formats/format.ts";

/**
 * Every option of the program, once, as data. Which command has which is said in `commands.ts`; parsing, help,
 * completion and messages follow from the two tables.
 */

/** `--X` for each kind of master key; the names are those of `keys/backend.ts`, held here so that starting loads none. */
export type KeyOptionName = "kms" | "gcp-kms" | "hckms" | "azure-kv" | "hc-vault-transit" | "pgp" | "age";

type SwitchName =
  | "decrypt"
  | "encrypt"
  | "rotate"
  | "disable-version-check"
  | "check-for-updates"
  | "in-place"
  | "show-master-keys"
  | "ignore-mac"
  | "mac-only-encrypted"
  | "verbose"
  | "enable-local-keyservice"
  | "value-file"
  | "value-stdin"
  | "idempotent"
  | "yes"
  | "background"
  | "pristine"
  | "same-process"
  | "no-fifo"
  | "omit-extensions"
  | "recursive"
  | "prompt"
  | "strict"
  | "allow-unencrypted"
  | "require-config-recipients"
  | "check"
  | "recover"
  | "help"
  | "version";

type TextName =
  | KeyOptionName
  | `add-${KeyOptionName}`
  | `rm-${KeyOptionName}`
  | "aws-profile"
  | "extract"
  | "unencrypted-suffix"
  | "encrypted-suffix"
  | "unencrypted-regex"
  | "encrypted-regex"
  | "unencrypted-comment-regex"
  | "encrypted-comment-regex"
  | "config"
  | "encryption-context"
  | "set"
  | "output"
  | "filename-override"
  | "decryption-order"
  | "file"
  | "user"
  | "filename"
  | "allow"
  | "network"
  | "address";

type IntegerName = "shamir-secret-sharing-threshold" | "indent" | "document" | "group";
type FormatOptionName = "input-type" | "output-type";

/** The long name of an option, without dashes. */
export type OptionName = SwitchName | TextName | IntegerName | FormatOptionName | "layout" | "keyservice";

/** What was given for each option, by argument, environment or default; absent: nothing was. */
export type OptionValues = Readonly<
  Partial<
    Record<SwitchName, boolean> &
      Record<TextName, string> &
      Record<IntegerName, number> &
      Record<FormatOptionName, FormatName> & { layout: "keep" | "reference"; keyservice: readonly string[] }
  >
>;

interface OptionBase {
  /** Other spellings, one letter or more, without dashes. */
  readonly aliases?: readonly string[];
  /** Variable that gives the value when no argument does; an empty one is as good as none. */
  readonly env?: string;
  /** One line, in the imperative or naming the value. */
  readonly description: string;
}

/** `--name`, `--name=true`, `--name=false`. */
export interface SwitchOption extends OptionBase {
  readonly kind: "switch";
  readonly default?: boolean;
}

/** `--name VALUE`; the last one wins, a list (`keyservice`) collects. `keys` is a comma list of master keys. */
export interface ValueOption extends OptionBase {
  readonly kind: "text" | "keys" | "integer" | "list";
  /** What help shows for the value. */
  readonly placeholder: string;
  readonly default?: string;
}

/** `--name WORD` with one of a few words. An empty value is as good as none. */
export interface ChoiceOption extends OptionBase {
  readonly kind: "choice";
  readonly placeholder: string;
  readonly choices: readonly string[];
  /** Further spellings of them. */
  readonly synonyms?: Readonly<Record<string, string>>;
}

/** How one option is called, read and explained. */
export type OptionSpec = SwitchOption | ValueOption | ChoiceOption;

type OptionTable = Readonly<
  Record<SwitchName, SwitchOption> &
    Record<TextName | "keyservice" | IntegerName, ValueOption> &
    Record<FormatOptionName | "layout", ChoiceOption>
>;

function on(description: string, ...aliases: readonly string[]): SwitchOption {
  return { kind: "switch", description, aliases };
}

function text(placeholder: string, description: string, ...aliases: readonly string[]): ValueOption {
  return { kind: "text", placeholder, description, aliases };
}

function integer(description: string): ValueOption {
  return { kind: "integer", placeholder: "N", description };
}

function format(description: string): ChoiceOption {
  return {
    kind: "choice",
    placeholder: "TYPE",
    choices: ["yaml", "json", "dotenv", "ini", "binary"],
    synonyms: { yml: "yaml", env: "dotenv", bin: "binary" },
    description,
  };
}

interface KeyOption {
  /** What one item of the list is. */
  readonly items: string;
  readonly env: string;
  readonly letter?: string;
}

/** In the order help and completion show them. */
const keyTable: Readonly<Record<KeyOptionName, KeyOption>> = {
  kms: { items: "AWS KMS key ARNs", env: "SOPS_KMS_ARN", letter: "k" },
  "gcp-kms": { items: "Google Cloud KMS key names", env: "SOPS_GCP_KMS_IDS" },
  hckms: { items: "HuaweiCloud KMS keys (region:id)", env: "SOPS_HUAWEICLOUD_KMS_IDS" },
  "azure-kv": { items: "Azure Key Vault key URLs", env: "SOPS_AZURE_KEYVAULT_URLS" },
  "hc-vault-transit": { items: "Vault transit key URLs", env: "SOPS_VAULT_URIS" },
  pgp: { items: "OpenPGP fingerprints", env: "SOPS_PGP_FP", letter: "p" },
  age: { items: "age recipients", env: "SOPS_AGE_RECIPIENTS", letter: "a" },
};

/** The options that name master keys, in the order help shows them. */
export const keyOptionNames: readonly KeyOptionName[] = Object.keys(keyTable) as KeyOptionName[];

type KeyOptionTable = Record<KeyOptionName | `add-${KeyOptionName}` | `rm-${KeyOptionName}`, ValueOption>;

function keyOptions(): KeyOptionTable {
  const table: Partial<KeyOptionTable> = {};
  for (const name of keyOptionNames) {
    const { items, env, letter } = keyTable[name];
    const keys = { kind: "keys", placeholder: "KEY,…" } as const;
    const aliases = letter === undefined ? [] : [letter];
    table[name] = { ...keys, env, aliases, description: items };
    table[`add-${name}`] = { ...keys, description: `add ${items}` };
    table[`rm-${name}`] = { ...keys, description: `remove ${items}` };
  }
  return table as KeyOptionTable;
}

/** Every option by name. */
export const options: OptionTable = {
  decrypt: on("decrypt FILE to standard output", "d"),
  encrypt: on("encrypt FILE to standard output", "e"),
  rotate: on("give FILE a new data key", "r"),
  set: text("EXPR", `set one value: '["path"] JSON'`),
  "disable-version-check": on("accepted for compatibility: nothing is checked unless asked for"),
  "check-for-updates": on("with --version: ask the network for the latest release"),
  ...keyOptions(),
  "aws-profile": text("NAME", "AWS profile for the AWS KMS keys given here"),
  "encryption-context": text("K:V,…", "AWS KMS encryption context for the AWS KMS keys given here"),
  "in-place": on("write the result over the file", "i"),
  output: text("PATH", "write the result to PATH"),
  extract: text("PATH", `print one value or branch: '["key"][0]'`),
  "input-type": format("type of the input (default: by file name)"),
  "output-type": format("type of the output (default: that of the input)"),
  "filename-override": text("NAME", "choose rule and types as if the file had this name"),
  "show-master-keys": on("show the metadata in the editor as well", "s"),
  "ignore-mac": on("go on when the file's MAC does not match its values"),
  "mac-only-encrypted": on("compute the MAC over encrypted values only"),
  "unencrypted-suffix": text("SUFFIX", "leave values of keys with this suffix in clear"),
  "encrypted-suffix": text("SUFFIX", "encrypt only values of keys with this suffix"),
  "unencrypted-regex": text("REGEX", "leave values of matching keys in clear"),
  "encrypted-regex": text("REGEX", "encrypt only values of matching keys"),
  "unencrypted-comment-regex": text("REGEX", "leave values under a matching comment in clear"),
  "encrypted-comment-regex": text("REGEX", "encrypt only values under a matching comment"),
  config: { ...text("PATH", "use this configuration file, do not search for one"), env: "SOPS_CONFIG" },
  "shamir-secret-sharing-threshold": integer("number of key groups needed to decrypt"),
  indent: integer("indent YAML or JSON by N spaces"),
  verbose: on("say on standard error what is done"),
  "decryption-order": {
    ...text("TYPES", "key types to try first, separated by commas"),
    env: "SOPS_DECRYPTION_ORDER",
  },
  "enable-local-keyservice": {
    kind: "switch",
    default: true,
    env: "SOPS_ENABLE_LOCAL_KEYSERVICE",
    description: "use master keys in this process (=false: only the key services)",
  },
  keyservice: {
    kind: "list",
    placeholder: "URI",
    env: "SOPS_KEYSERVICE",
    description: "also ask this key service, such as tcp://127.0.0.1:5000; may be repeated",
  },
  "value-file": on("VALUE is the path of a file with the JSON value"),
  "value-stdin": on("read the JSON value from standard input"),
  idempotent: on("do not write when nothing would change"),
  yes: on("do not ask", "y"),
  file: text("PATH", "the encrypted file", "f"),
  background: on("do not wait for the command (deprecated)"),
  user: text("NAME", "run the command as this user"),
  pristine: on("pass on nothing but the file's values"),
  "same-process": on("replace this process by the command"),
  "no-fifo": on("use a regular temporary file instead of a FIFO"),
  filename: text("NAME", "name of the temporary file"),
  allow: text("NAME,…", "pass on these variables, though they steer loaders or the MAC leaves them out"),
  "omit-extensions": on("leave the file extension out of the published name"),
  recursive: on("work on every file below a directory"),
  network: { ...text("NET", "network to listen on: tcp or unix", "net"), default: "tcp" },
  address: { ...text("ADDR", "address or socket to listen on", "addr"), default: "127.0.0.1:5000" },
  prompt: on("ask before answering each request"),
  layout: {
    kind: "choice",
    placeholder: "LAYOUT",
    choices: ["keep", "reference"],
    description: "keep the text around the values, or lay it out as sops does",
  },
  strict: on("refuse values that would not come back exactly as written"),
  "allow-unencrypted": on("allow values in clear that should be encrypted"),
  "require-config-recipients": on("refuse keys the rule does not name"),
  check: on("change nothing; exit 10 if keys would change", "dry-run"),
  document: integer("work on the Nth document of a YAML file, counted from 0"),
  group: integer("add keys to the Nth key group, counted from 0"),
  recover: on("go on with edits that could not be saved"),
  help: on("show this help", "h"),
  version: on("print the version", "v"),
};

/** All spellings of an option, the long name first, without dashes. */
export function spellings(name: OptionName): readonly string[] {
  return [name, ...(options[name].aliases ?? [])];
}

/** A spelling with its dashes: `-i`, `--in-place`. */
export function withDashes(spelling: string): string {
  return spelling.length === 1 ? `-${spelling}` : `--${spelling}`;
}
