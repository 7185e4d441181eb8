import { keyOptionNames, type OptionName } from "./options.ts";

/** Everything that can be run. `legacy` is `program [options] FILE`, whose action is chosen by options. */
export type CommandName =
  | "legacy"
  | "encrypt"
  | "decrypt"
  | "edit"
  | "set"
  | "unset"
  | "rotate"
  | "updatekeys"
  | "groups add"
  | "groups delete"
  | "exec-env"
  | "exec-file"
  | "publish"
  | "keyservice"
  | "filestatus";

/** A word that can stand where the command stands; `groups` and `completion` want another one after them. */
export type CommandWord = Exclude<CommandName, "legacy" | `groups ${string}`> | "groups" | "completion" | "help";

/** What a command takes and how help presents it. */
export interface CommandSpec {
  readonly summary: string;
  /** The positional arguments, as help shows them. */
  readonly operands: string;
  /**
   * How many FILEs: `one` ignores others with a warning or refuses them, `several` takes all where the dialect does;
   * `own`: the command checks its operands itself.
   */
  readonly files: "one" | "several" | "own";
  /** Options of the reference's command, in its order. */
  readonly options: readonly OptionName[];
  /** Options that the reference does not have there. */
  readonly added: readonly OptionName[];
  /** A command line without the program's name. */
  readonly example: string;
  /** Whether repeated key options add up in every dialect, and take no default from the environment. */
  readonly collectsKeys?: true;
}

const KEYS: readonly OptionName[] = ["kms", "aws-profile", ...keyOptionNames.filter((name) => name !== "kms")];
/** The order of the reference's `--add-…` and `--rm-…` options. */
const CHANGED = ["gcp-kms", "hckms", "azure-kv", "kms", "hc-vault-transit", "age", "pgp"] as const;
const KEY_CHANGES: readonly OptionName[] = CHANGED.flatMap((name) => [`add-${name}`, `rm-${name}`] as const);
const TYPES: readonly OptionName[] = ["input-type", "output-type"];
const SELECTORS: readonly OptionName[] = [
  "unencrypted-suffix",
  "encrypted-suffix",
  "unencrypted-regex",
  "encrypted-regex",
];
const COMMENT_SELECTORS: readonly OptionName[] = ["unencrypted-comment-regex", "encrypted-comment-regex"];
const KEY_SERVICES: readonly OptionName[] = ["enable-local-keyservice", "keyservice"];
const THRESHOLD = "shamir-secret-sharing-threshold";
/** What every command takes after its name too, though the reference wants it before (I-05). */
const COMMON: readonly OptionName[] = ["config", "verbose"];
const WRITING: readonly OptionName[] = [...COMMON, "indent", "layout"];

const legacyOptions: readonly OptionName[] = [
  "decrypt",
  "encrypt",
  "rotate",
  "disable-version-check",
  "check-for-updates",
  ...KEYS,
  "in-place",
  "extract",
  ...TYPES,
  "show-master-keys",
  ...KEY_CHANGES,
  "ignore-mac",
  "mac-only-encrypted",
  ...SELECTORS,
  ...COMMENT_SELECTORS,
  "config",
  "encryption-context",
  "set",
  THRESHOLD,
  "indent",
  "verbose",
  "output",
  "filename-override",
  "decryption-order",
  ...KEY_SERVICES,
  "help",
  "version",
];

/** Every command by name, in the order help lists them. */
export const commands: Readonly<Record<CommandName, CommandSpec>> = {
  encrypt: {
    summary: "encrypt a file, or standard input, to standard output",
    operands: "[FILE]",
    files: "several",
    options: [
      ...(["in-place", "output"] as const),
      ...KEYS,
      ...TYPES,
      ...SELECTORS,
      "encryption-context",
      THRESHOLD,
      "filename-override",
      ...KEY_SERVICES,
    ],
    added: [...COMMENT_SELECTORS, "mac-only-encrypted", "strict", "allow-unencrypted", ...WRITING],
    example: "encrypt -i secrets.yaml",
  },
  decrypt: {
    summary: "decrypt a file, or standard input, to standard output",
    operands: "[FILE]",
    files: "several",
    options: [
      ...(["in-place", "extract", "output"] as const),
      ...TYPES,
      ...(["ignore-mac", "filename-override", "decryption-order"] as const),
      ...KEY_SERVICES,
    ],
    added: ["document", ...WRITING],
    example: `decrypt --extract '["database"]["password"]' secrets.yaml`,
  },
  edit: {
    summary: "edit an encrypted file in clear, or start a new one",
    operands: "FILE",
    files: "one",
    options: [
      ...KEYS,
      ...TYPES,
      ...SELECTORS,
      ...(["encryption-context", THRESHOLD, "show-master-keys", "ignore-mac", "decryption-order"] as const),
      ...KEY_SERVICES,
    ],
    added: [
      ...(["recover", "filename-override"] as const),
      ...COMMENT_SELECTORS,
      ...(["mac-only-encrypted", "strict", "allow-unencrypted"] as const),
      ...WRITING,
    ],
    example: "edit secrets.yaml",
  },
  set: {
    summary: "set one value of an encrypted file to a JSON value",
    operands: "FILE… PATH [VALUE]",
    files: "own",
    options: [
      ...TYPES,
      ...(["value-file", "value-stdin", THRESHOLD, "ignore-mac", "decryption-order", "idempotent"] as const),
      ...KEY_SERVICES,
    ],
    added: ["document", "filename-override", "allow-unencrypted", ...WRITING],
    example: `set secrets.yaml '["database"]["port"]' 5432`,
  },
  unset: {
    summary: "remove one value or branch from an encrypted file",
    operands: "FILE… PATH",
    files: "own",
    options: [...TYPES, ...([THRESHOLD, "ignore-mac", "decryption-order", "idempotent"] as const), ...KEY_SERVICES],
    added: ["document", "filename-override", ...WRITING],
    example: `unset secrets.yaml '["database"]["port"]'`,
  },
  rotate: {
    summary: "encrypt a file anew under a new data key",
    operands: "FILE",
    files: "several",
    options: [
      ...(["in-place", "output"] as const),
      ...TYPES,
      "encryption-context",
      ...KEY_CHANGES,
      ...(["filename-override", "decryption-order"] as const),
      ...KEY_SERVICES,
    ],
    added: ["ignore-mac", "aws-profile", "group", "require-config-recipients", ...WRITING],
    example: "rotate -i secrets.yaml",
  },
  updatekeys: {
    summary: "bring the master keys of files in line with the configuration",
    operands: "FILE…",
    files: "own",
    options: ["yes", "input-type", ...KEY_SERVICES],
    added: ["check", "recursive", "filename-override", "decryption-order", ...COMMON, "layout"],
    example: "updatekeys -y secrets.yaml",
  },
  "groups add": {
    summary: "add a key group to a file",
    operands: "",
    files: "own",
    collectsKeys: true,
    options: [
      ...(["file", "pgp", "kms", "aws-profile", "gcp-kms", "hckms", "azure-kv", "hc-vault-transit", "age"] as const),
      ...(["in-place", THRESHOLD, "encryption-context"] as const),
      ...KEY_SERVICES,
    ],
    added: ["input-type", "decryption-order", "require-config-recipients", ...WRITING],
    example: `groups add -i -f secrets.yaml --age "$RECIPIENT"`,
  },
  "groups delete": {
    summary: "remove a key group, counted from 0, from a file",
    operands: "INDEX",
    files: "own",
    options: ["file", "in-place", THRESHOLD, ...KEY_SERVICES],
    added: ["input-type", "decryption-order", "require-config-recipients", ...WRITING],
    example: "groups delete -i -f secrets.yaml 1",
  },
  "exec-env": {
    summary: "run a command with a file's values as environment variables",
    operands: "FILE (COMMAND | -- PROGRAM [ARGUMENT…])",
    files: "own",
    options: ["background", "pristine", "user", "same-process", "decryption-order", ...KEY_SERVICES],
    added: ["allow", "input-type", "filename-override", "ignore-mac", ...COMMON],
    example: "exec-env secrets.env 'echo \"$TOKEN\" | wc -c'",
  },
  "exec-file": {
    summary: "run a command with a file in clear at the path {}",
    operands: "FILE (COMMAND | -- PROGRAM [ARGUMENT…])",
    files: "own",
    options: [
      ...(["background", "no-fifo", "user"] as const),
      ...TYPES,
      ...(["filename", "decryption-order"] as const),
      ...KEY_SERVICES,
    ],
    added: ["filename-override", "ignore-mac", ...WRITING],
    example: "exec-file secrets.json 'wc -c {}'",
  },
  publish: {
    summary: "upload a file to where the configuration says",
    operands: "PATH",
    files: "several",
    options: ["yes", "omit-extensions", "recursive", "verbose", "decryption-order", ...KEY_SERVICES],
    added: ["input-type", "ignore-mac", "config"],
    example: "publish -y secrets.json",
  },
  keyservice: {
    summary: "answer key requests of other processes",
    operands: "",
    files: "own",
    options: ["network", "address", "prompt", "verbose"],
    added: [],
    example: "keyservice --network unix --address key.sock",
  },
  filestatus: {
    summary: "say as JSON whether a file is encrypted",
    operands: "FILE…",
    files: "own",
    options: ["input-type"],
    added: [...COMMON],
    example: "filestatus secrets.yaml",
  },
  legacy: {
    summary: "encrypts the values of YAML, JSON, dotenv, INI and any other file",
    operands: "FILE",
    files: "one",
    options: legacyOptions,
    added: ["strict", "allow-unencrypted", "document", "recover", "layout"],
    example: "-d secrets.yaml",
  },
};

/** The words that can stand where the command stands, in the order of the reference's list. */
export const commandWords: readonly CommandWord[] = [
  "completion",
  "exec-env",
  "exec-file",
  "publish",
  "keyservice",
  "filestatus",
  "groups",
  "updatekeys",
  "decrypt",
  "encrypt",
  "rotate",
  "edit",
  "set",
  "unset",
  "help",
];

/** What `groups` and `completion` are for, and which words they want after them. */
export const commandGroups: Readonly<Record<"groups" | "completion", { summary: string; words: readonly string[] }>> = {
  groups: { summary: "add key groups to a file or remove them", words: ["add", "delete"] },
  completion: { summary: "print a completion script for a shell", words: ["bash", "zsh", "fish", "powershell"] },
};

/** All options of a command, those of the reference first. `--help` is understood everywhere beside them. */
export function optionsOf(command: CommandName): readonly OptionName[] {
  return [...commands[command].options, ...commands[command].added];
}
