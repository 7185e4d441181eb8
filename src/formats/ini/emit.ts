import type { Comment, Entry, Mapping, Node } from "../../document/model.ts";
import { EmitError } from "../../errors.ts";
import { encodePart } from "../byte-text.ts";
import { flatScalar } from "../flat-scalar.ts";
import { DEFAULT_SECTION } from "./read.ts";
import { canonicalValue, IniFault, readKey, trim } from "./value.ts";

/** A key of a section with the comment above it, as byte texts. */
interface Key {
  readonly key: string;
  value: string;
  comment: string | undefined;
}

/**
 * The canonical text of all sections, of all documents (file-format.md 7.6), one character per byte.
 *
 * @throws {EmitError} if a root value is no section, a value no scalar, or a name cannot stand in INI
 */
export function emitIni(documents: readonly Mapping[]): string {
  const sections = documents.flatMap((document) => document.items.filter((item) => item.kind === "entry"));
  return sections
    .map((section, index) => {
      const isLast = index === sections.length - 1;
      const isBare = index === 0 && section.key.toUpperCase() === DEFAULT_SECTION;
      const isEmpty = !sectionOf(section).items.some((item) => item.kind === "entry");
      return printSection(section, "\n", isBare) + (isLast || (isBare && isEmpty) ? "" : "\n");
    })
    .join("");
}

/**
 * One section with its comments, its header unless it is `bare`, and its keys.
 *
 * @throws {EmitError} likewise
 */
export function printSection(section: Entry, newline: string, isBare = false): string {
  const { items } = sectionOf(section);
  const [first] = items;
  const comment = first?.kind === "comment" && first.span?.style !== "trailing" ? commentLines(first.text, true) : [];
  const header = isBare ? [] : [`[${sectionName(section.key)}]`];
  const keys = keysOf(items);
  const width = keys.reduce((longest, { key }) => Math.max(longest, key.length), 0);
  const lines = keys.flatMap(({ key, value, comment }) => [
    ...(comment === undefined ? [] : commentLines(comment, false)),
    `${key.padEnd(width)} = ${value}`,
  ]);
  return [...comment, ...header, ...lines].map((line) => line + newline).join("");
}

function sectionOf({ value }: Entry): Mapping {
  if (value.kind === "mapping") return value;
  throw new EmitError("Error marshaling to INI: Error encoding section: Section values should always be TreeBranches");
}

function sectionName(name: string): string {
  if (name === "" || name.includes("\n"))
    throw new EmitError(`a section name cannot stand in an INI file; offending section ${JSON.stringify(name)}`);
  return encodePart(name);
}

/** A comment belongs to the key before it; of several, the last one counts, and so does the last of equal keys. */
function keysOf(items: Mapping["items"]): Key[] {
  const keys = new Map<string, Key>();
  let last: Key | undefined;
  items.forEach((item, index) => {
    if (item.kind === "comment") {
      if (index > 0 && last !== undefined && item.span?.style !== "trailing") last.comment = item.text;
      return;
    }
    const value = canonicalValue(scalarOf(item.value, item.key));
    last = keys.get(item.key) ?? { key: printKey(item.key), value, comment: undefined };
    last.value = value;
    keys.set(item.key, last);
  });
  return [...keys.values()];
}

/**
 * The byte text of a scalar.
 *
 * @throws {EmitError} for a container
 */
export function scalarOf(node: Node | Comment, key: string): string {
  if (node.kind !== "leaf")
    throw new EmitError(`cannot use complex value in INI file; offending key ${key}`, {
      hint: "INI has sections with keys, and nothing below them",
    });
  return encodePart(flatScalar(node.value));
}

/**
 * A key with the quotes it needs, as byte text.
 *
 * @throws {EmitError} if it would not be read back, such as `-` or a key that looks like a comment
 */
export function printKey(key: string): string {
  const bytes = encodePart(key);
  const printed = /["=:]/.test(bytes) ? `\`${bytes}\`` : bytes.includes("`") ? `"""${bytes}"""` : bytes;
  const read =
    key.includes("\n") || /^[#;[]|^-$/.test(printed) ? undefined : readKey(`${printed}=x`, 0, printed.length + 2);
  if (read === undefined || read instanceof IniFault || read.key !== bytes)
    throw new EmitError(`a key cannot stand in an INI file; offending key ${JSON.stringify(key)}`);
  return printed;
}

/** The lines of a comment, each behind its own comment character, or `;`. Only above a section blanks stay. An empty comment leaves no trace. */
function commentLines(text: string, isOfSection: boolean): string[] {
  if (text === "") return [];
  const lines = encodePart(text).split("\n");
  return lines.map((line) => (isOfSection && !isMarked(line) ? `; ${line}` : commentLine(line)));
}

/** One line of a comment without blanks around it, behind its own comment character or `;`. */
export function commentLine(line: string): string {
  const { start, end } = trim(line, { start: isMarked(line) ? 1 : 0, end: line.length });
  return `${isMarked(line) ? line.charAt(0) : ";"} ${line.slice(start, end)}`;
}

/** Whether a line begins with a comment character. */
export function isMarked(line: string): boolean {
  return line.startsWith("#") || line.startsWith(";");
}
