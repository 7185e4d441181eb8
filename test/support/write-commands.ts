import { programFolder, fixture } from "./sandbox.ts";
import { AGE1 } from "./workbench.ts";

/** A command line that writes a file, for sweeps that disturb it. `{}` stands for the folder with its files. */
export interface WriteCommand {
  readonly name: string;
  readonly words: readonly string[];
  /** The file that is written. */
  readonly file: string;
  /** What a folder holds before: the file encrypted, in clear, or absent. */
  readonly starts: "encrypted" | "clear" | "absent";
  /** Whether the new content is this. */
  readonly isNew: (text: string) => boolean;
}

/** Stands in the files of the sweeps. */
export const SECRET = "hunter2-canary";

/** The plain file of the sweeps. */
export const PLAIN: string = `a: ${SECRET}\nb: second\n`;

/** The files beside the one that is written. */
export const SWEEP_FILES: Readonly<Record<string, string | Buffer>> = {
  ".sops.yaml": `creation_rules:\n  - age: ${AGE1},${recipientOf("age2")}\n`,
  "key.txt": fixture("keys/age1.txt"),
  "editor.sh": 'sed s/second/edited/ "$1" > "$1.new" && mv "$1.new" "$1"\n',
};

/** The public key of an identity in `fixtures/keys`. */
export function recipientOf(name: string): string {
  return /age1\w+/.exec(fixture(`keys/${name}.txt`).toString())?.[0] ?? "";
}

const isEncrypted = (text: string): boolean => /^sops:\n/m.test(text) && /version: .*\n$/.test(text);
const countOf = (text: string, what: string): number => text.split(what).length - 1;

/** Every kind of command that writes a file (safety.md P1). */
export const WRITE_COMMANDS: readonly WriteCommand[] = [
  { name: "encrypt -i", words: ["encrypt", "-i", "{}/a.yaml"], starts: "clear", isNew: isEncrypted },
  {
    name: "encrypt --output",
    words: ["encrypt", "--output", "{}/a.yaml", "{}/plain.yaml"],
    starts: "absent",
    isNew: isEncrypted,
  },
  {
    name: "decrypt -i",
    words: ["decrypt", "-i", "{}/a.yaml"],
    starts: "encrypted",
    isNew: (text: string) => text === PLAIN,
  },
  {
    name: "set",
    words: ["set", "{}/a.yaml", '["c"]', '"third"'],
    starts: "encrypted",
    isNew: (text: string) => isEncrypted(text) && text.includes("\nc: ENC["),
  },
  {
    name: "unset",
    words: ["unset", "{}/a.yaml", '["b"]'],
    starts: "encrypted",
    isNew: (text: string) => isEncrypted(text) && !text.includes("\nb: "),
  },
  { name: "rotate -i", words: ["rotate", "-i", "{}/a.yaml"], starts: "encrypted", isNew: isEncrypted },
  {
    name: "updatekeys",
    words: ["updatekeys", "-y", "{}/a.yaml"],
    starts: "encrypted",
    isNew: (text: string) => isEncrypted(text) && countOf(text, "recipient: ") === 2,
  },
  {
    name: "groups add",
    words: ["groups", "add", "-i", "-f", "{}/a.yaml", "--age", AGE1],
    starts: "encrypted",
    isNew: (text: string) =>
      text.includes("key_groups:") && /^ *shamir_threshold: 2$/m.test(text) && text.endsWith("\n"),
  },
  { name: "edit", words: ["edit", "{}/a.yaml"], starts: "encrypted", isNew: isEncrypted },
].map((command) => ({ ...command, file: "a.yaml" }) as WriteCommand);

/** The environment of a sweep's command. */
export function sweepEnvironment(folder: string): Record<string, string> {
  return {
    PATH: `${programFolder()}:/usr/bin:/bin`,
    HOME: folder,
    TMPDIR: folder,
    SOPS_AGE_KEY_FILE: `${folder}/key.txt`,
    EDITOR: `sh ${folder}/editor.sh`,
  };
}
