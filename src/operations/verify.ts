import { asBuffer } from "../bytes/utf8.ts";
import { isCell } from "../document/cell.ts";
import { firstDifference, withValuesOf } from "../document/compare.ts";
import type { Mapping } from "../document/model.ts";
import type { Selection } from "../document/selection.ts";
import { keysOf, mapTrees } from "../document/walk.ts";
import { describePath, EmitError, FormatError } from "../errors.ts";
import type { Format, Source } from "../formats/format.ts";
import { takeMetadata } from "../metadata/place.ts";
import { metadataFromTree, metadataToTree } from "../metadata/record.ts";
import type { Metadata } from "../metadata/type.ts";
import type { Context, FormatChoice } from "./context.ts";
import { renderPlain } from "./render.ts";

/**
 * Reads an encrypted file back and compares it with what it was made from, before anything is replaced by it.
 *
 * @returns the file as it was read, without its metadata
 * @throws {EmitError} naming the value that the format cannot hold; most often a clear one that reads back as another
 *   type, such as `true` in dotenv
 */
export function verifyEncrypted(
  bytes: Uint8Array,
  documents: readonly Mapping[],
  metadata: Metadata,
  options: FormatChoice & { readonly context: Context },
): { source: Source; documents: readonly Mapping[] } {
  const source = readBack(bytes, options.output);
  const taken = takeMetadata(source.documents, options.output.metadataPlace);
  const keeps = options.layout === "keep" && options.input.name === options.output.name;
  const path = firstDifference(comparable(documents, options), comparable(taken.documents, options), {
    withComments: keeps,
  });
  if (path !== undefined) {
    throw new EmitError(
      `${describePath(path)} does not survive in ${options.output.name}: it reads back as something else`,
      {
        hint: "encrypt it, change its type or notation, or choose another output format",
      },
    );
  }
  if (
    taken.metadata === undefined ||
    !isSameMetadata(metadataFromTree(taken.metadata, options.context.backends), metadata)
  ) {
    throw new EmitError(`the metadata do not survive in ${options.output.name}`);
  }
  return { source, documents: taken.documents };
}

/**
 * Checks that a file that was read back would be opened as it was sealed. Which values are encrypted may hang on
 * comments, and a layout may put those elsewhere, so that a value in clear would be taken for a cell.
 *
 * @param encrypted - how many values were encrypted
 * @throws {EmitError} naming the value
 */
export function verifySelection(documents: readonly Mapping[], selection: Selection, encrypted: number): void {
  if (selection.by !== "comment") return;
  let selected = 0;
  mapTrees(documents, selection, {
    hasCommentItems: true,
    leaf(leaf, place) {
      if (leaf.value === null || leaf.value === "") return leaf;
      if (place.isSelected && (typeof leaf.value !== "string" || !isCell(leaf.value)))
        throw misplacedComment(keysOf(place));
      if (place.isSelected) selected += 1;
      return leaf;
    },
    comment: (comment) => comment,
    nonStringKey: (place) => {
      throw misplacedComment(keysOf(place));
    },
  });
  if (selected !== encrypted) throw misplacedComment([]);
}

function misplacedComment(path: readonly string[]): EmitError {
  const what = path.length === 0 ? "a value" : describePath(path);
  return new EmitError(
    `${what} would not open again: in this layout a comment that decides about it stands elsewhere`,
    {
      hint: "move the comment to a line of its own above the key it is for, or use --layout keep",
    },
  );
}

function readBack(bytes: Uint8Array, format: Format): Source {
  try {
    return format.read(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new EmitError("the layout of the file cannot be kept: it would not be read any more", {
      hint: "use --layout reference",
      cause: error,
    });
  }
}

/** INI always has a section DEFAULT, and only the first document goes into a format that has one. */
function comparable(documents: readonly Mapping[], { output }: FormatChoice): readonly Mapping[] {
  const kept = output.name === "yaml" ? documents : documents.slice(0, 1);
  if (output.name !== "ini") return kept;
  return kept.map((document) => ({
    ...document,
    items: document.items.filter(
      (item) =>
        item.kind === "comment" ||
        item.key !== "DEFAULT" ||
        item.value.kind !== "mapping" ||
        item.value.items.length > 0,
    ),
  }));
}

function isSameMetadata(a: Metadata, b: Metadata): boolean {
  return firstDifference([metadataToTree(a)], [metadataToTree(b)], { withComments: false }) === undefined;
}

const TOO_MANY_LINES = 1_000_000;

/**
 * The lines (from 1) of a source that decryption will give back in another notation: found by writing the plaintext
 * values into the encrypted text that was just made.
 */
export function changedNotation(
  source: Source,
  written: { readonly source: Source; readonly documents: readonly Mapping[] },
  format: Format,
): number[] {
  if (source.format === "binary") return []; // bytes have no notation
  const values = withValuesOf(written.documents, source.documents);
  if (values === undefined) return [];
  const choice: FormatChoice = { input: format, output: format, layout: "keep", style: {} };
  const before = asBuffer(format.write(source, source.documents));
  const after = asBuffer(renderPlain(written.source, values, choice));
  if (after.equals(before)) return [];
  return differentLines(before.toString("latin1").split("\n"), after.toString("latin1").split("\n"));
}

function differentLines(before: readonly string[], after: readonly string[]): number[] {
  if (before.length > TOO_MANY_LINES) return [];
  let end = 0;
  while (end < before.length && end < after.length && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  const lines: number[] = [];
  for (let index = 0; index < before.length - end; index += 1) {
    if (before[index] !== after[index]) lines.push(index + 1);
    // Once the texts have shifted against each other, line numbers mean nothing any more.
    if (before.length !== after.length && lines.length > 0) break;
  }
  // Lines that come at the end only.
  return lines.length > 0 ? lines : [Math.max(1, before.length - end)];
}
