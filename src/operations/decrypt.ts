import { nodeAt, type TreePath } from "../document/path.ts";
import { asBuffer, encodeUtf8 } from "../bytes/utf8.ts";
import { entry, mapping, type Mapping } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import type { Format } from "../formats/format.ts";
import { emitPlain } from "../formats/registry.ts";
import type { Context, FormatChoice } from "./context.ts";
import { loadFile, openFile, type OpenedFile } from "./encrypted-file.ts";
import { renderPlain } from "./render.ts";

/** Options of `decrypt`. */
export interface DecryptOptions extends FormatChoice {
  readonly context: Context;
  readonly ignoreMac: boolean;
  /** Print one node instead of the document. */
  readonly extract?: TreePath;
  /** Number of the document to extract from, from 0. */
  readonly document?: number;
}

/**
 * Decrypts a file.
 *
 * @throws {SopsError} ERR_METADATA_MISSING, ERR_LOAD, {DataKeyError}, {ValueError}, {MacMismatchError}, and ERR_EMIT if
 *   the output format cannot hold the result
 */
export async function decrypt(bytes: Uint8Array, options: DecryptOptions): Promise<Uint8Array> {
  const file = loadFile(bytes, options.input, options.context);
  const opened = await openFile(file, options.context, options);
  opened.keyBytes.fill(0);
  return options.extract === undefined ? renderPlain(opened.source, opened.plain, options) : extract(opened, options);
}

function extract(opened: OpenedFile, options: DecryptOptions): Uint8Array {
  const { output, style } = options;
  const document = documentAt(opened.plain, options.document ?? 0);
  const node = nodeAt(document, options.extract ?? []);
  if (node.kind === "mapping") return emitPlain(output, [asDocument(node, output)], style);
  if (node.kind === "leaf" && typeof node.value === "string") return encodeUtf8(node.value);
  if (node.kind === "leaf" && node.value instanceof Uint8Array) return asBuffer(node.value);
  return output.emitValue(node, style);
}

/** A section of an INI file is no document of its own: its keys are printed without a header (I-31). */
function asDocument(node: Mapping, output: Format): Mapping {
  const isSection = node.items.every((item) => item.kind === "comment" || item.value.kind === "leaf");
  return output.name === "ini" && isSection ? mapping([entry("DEFAULT", node)]) : node;
}

/** One document of a file. @throws {SopsError} ERR_PATH_NOT_FOUND */
export function documentAt(documents: readonly Mapping[], index: number): Mapping {
  const document = documents[index];
  if (document !== undefined) return document;
  throw new SopsError(
    "ERR_PATH_NOT_FOUND",
    `the file has no document with index ${String(index)}; they are counted from 0 to ${String(documents.length - 1)}`,
  );
}
