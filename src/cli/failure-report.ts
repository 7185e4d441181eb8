import type { Paint } from "./colour.ts";

/** What became of one master key: an error text for each key service that was asked. */
export interface KeyOutcome {
  /** The key's display string. */
  readonly id: string;
  readonly errors: readonly string[];
}

/** What became of one key group; the keys of one that was recovered are not listed. */
export interface GroupOutcome {
  readonly isRecovered: boolean;
  /** The keys that were tried, in that order. */
  readonly keys: readonly KeyOutcome[];
}

const ERROR_WIDTH = 60;
const PARAGRAPH_WIDTH = 75;

/**
 * The report on a data key that could not be recovered (cli-behaviour.md 3.3), with its last line end.
 *
 * @param groups - in file order; they are counted from 0
 * @param threshold - the file's Shamir threshold, 0 where it has none
 */
export function failureReport(groups: readonly GroupOutcome[], threshold: number, paint: Paint): string {
  const paragraphs = [
    "Failed to get the data key required to decrypt the SOPS file.",
    ...groups.map((group, index) => describeGroup(group, index, paint)),
    wrap(describeResult(groups, threshold), PARAGRAPH_WIDTH),
  ];
  return `${paragraphs.join("\n\n")}\n`;
}

function describeGroup(group: GroupOutcome, index: number, paint: Paint): string {
  const header = `Group ${String(index)}: `;
  if (group.isRecovered) return header + paint("green", "SUCCESS");
  const keys = group.keys.map((key) => describeKey(key, paint)).join("\n\n");
  return `${header}${paint("red", "FAILED")}\n${indent(keys, "  ")}`;
}

function describeKey(key: KeyOutcome, paint: Paint): string {
  const errors = key.errors.map((error) => indent(wrap(error, ERROR_WIDTH), "  | ").replace(/^ {2}\|/u, "- |"));
  return `${key.id}: ${paint("red", "FAILED")}\n${indent(errors.join("\n\n"), "  ")}`;
}

function describeResult(groups: readonly GroupOutcome[], threshold: number): string {
  if (threshold === 0)
    return (
      "Recovery failed because no master key was able to decrypt the file. One of the keys listed above has to " +
      "be available: give its identity or credentials to this process, and try again."
    );
  const recovered = groups.filter((group) => group.isRecovered).length;
  return (
    `Recovery failed because the file was encrypted with a Shamir threshold of ${String(threshold)}, but only ` +
    `${String(recovered)} part(s) were successfully recovered, one for each group marked SUCCESS. A group is ` +
    "recovered as soon as one of its keys is available."
  );
}

/** Puts a prefix before every line, empty ones too, but not after a final line end. */
function indent(text: string, prefix: string): string {
  return text.replace(/^(?=[^])/gmu, prefix);
}

/** Breaks lines at white space so that none is longer than `width`, unless a single word is. Line ends are kept. */
export function wrap(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => wrapLine(line, width))
    .join("\n");
}

function wrapLine(line: string, width: number): string {
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(/(?<=\S)\s+(?=\S)/u)) {
    if (current === "") current = word;
    else if (current.length + 1 + word.length <= width) current += ` ${word}`;
    else {
      lines.push(current);
      current = word;
    }
  }
  return [...lines, current].join("\n");
}
