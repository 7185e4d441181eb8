/** Which of its two faces the program shows: where `leafcrypt` and the reference differ, as data (design.md 2). */
export interface Dialect {
  readonly name: "leafcrypt" | "sops";
  /** How the program calls itself in messages, help and completion scripts. */
  readonly program: string;
  /** The text that is written unless `--layout` says otherwise. */
  readonly layout: "keep" | "reference";
  /** Whether further FILEs are worked on too; the reference warns and ignores them. */
  readonly takesSeveralFiles: boolean;
  /** Whether an unknown option after a FILE is refused; the reference takes it for a further FILE of a command. */
  readonly refusesUnknownAnywhere: boolean;
  /** Whether `-di` is `-d -i`. */
  readonly bundlesLetters: boolean;
  /** Whether repeated key options add up (`--age A --age B`); in the reference the last one wins. */
  readonly joinsRepeatedKeys: boolean;
  /** Whether `-k a --kms b` is refused. */
  readonly refusesTwoSpellings: boolean;
  /** Whether an option before the command that the command has no use for is refused, or only warned about. */
  readonly refusesUselessGlobals: boolean;
  /** Whether completion after a command offers the options of the older style too, as the reference does. */
  readonly completesGlobals: boolean;
  /** Whether messages begin with the program's name and are worded by us; callers look for the reference's bare ones. */
  readonly namesItself: boolean;
  /** Whether a key that every user of the machine can read is worth a warning; the reference does not look (K3). */
  readonly warnsOfReadableKeys: boolean;
  /** Whether usage errors put the help on standard output beside a log line, or one message on standard error. */
  readonly usageErrors: "help" | "message";
  /** The shells `completion` knows. */
  readonly shells: readonly Shell[];
}

/** A shell that `completion` writes a script for. */
export type Shell = "bash" | "zsh" | "fish" | "powershell";

const leafcrypt: Dialect = {
  name: "leafcrypt",
  program: "leafcrypt",
  layout: "keep",
  takesSeveralFiles: true,
  refusesUnknownAnywhere: true,
  bundlesLetters: true,
  joinsRepeatedKeys: true,
  refusesTwoSpellings: false,
  refusesUselessGlobals: true,
  completesGlobals: false,
  namesItself: true,
  warnsOfReadableKeys: true,
  usageErrors: "message",
  shells: ["bash", "zsh", "fish", "powershell"],
};

const sops: Dialect = {
  name: "sops",
  program: "sops",
  layout: "reference",
  takesSeveralFiles: false,
  refusesUnknownAnywhere: false,
  bundlesLetters: false,
  joinsRepeatedKeys: false,
  refusesTwoSpellings: true,
  refusesUselessGlobals: false,
  completesGlobals: true,
  namesItself: false,
  warnsOfReadableKeys: false,
  usageErrors: "help",
  shells: ["bash", "zsh"],
};

/** Both faces, by name. */
export const dialects: Readonly<Record<Dialect["name"], Dialect>> = { leafcrypt, sops };

/**
 * Chooses the face from the name the program was started under and the environment.
 *
 * @param fileName - last component of `argv[1]` (or of the executable itself), such as `sops` or `SOPS.EXE`
 */
export function detectDialect(fileName: string, env: Readonly<Record<string, string | undefined>>): Dialect {
  const isNamedSops = /^sops(\.(exe|cmd|c?js))?$/iu.test(fileName);
  return isNamedSops || env["LEAFCRYPT_COMPAT"] === "sops" ? sops : leafcrypt;
}
