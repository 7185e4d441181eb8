import { firstDifference } from "../document/compare.ts";
import type { Mapping, Node } from "../document/model.ts";
import { FormatError } from "../errors.ts";
import type { Source } from "../formats/format.ts";
import { binaryAsText } from "../formats/binary.ts";
import { emitPlain } from "../formats/registry.ts";
import type { FormatChoice } from "./context.ts";

/** Whether a result can, and shall, keep the text it was read from. */
export function keepsText(source: Source, choice: FormatChoice): boolean {
  return choice.layout === "keep" && source.format === choice.output.name;
}

/** The text of encrypted trees. `documents` is an edited copy of those of the source. */
export function renderEncrypted(source: Source, documents: readonly Mapping[], choice: FormatChoice): Uint8Array {
  // A plain binary file has no text; its encrypted side is JSON made anew.
  const hasText = source.format !== "binary" || source.text !== "";
  if (keepsText(source, choice) && hasText) return choice.output.write(source, documents);
  return choice.output.emit(documents, choice.style);
}

/**
 * The text of decrypted trees. Where a kept one would read as something else it is made anew: with values of several lines,
 * and in YAML of an unusual kind, the text around a value can take part in it.
 */
export function renderPlain(source: Source, documents: readonly Mapping[], choice: FormatChoice): Uint8Array {
  if (keepsText(source, choice) && source.format !== "binary") {
    const kept = choice.output.write(source, documents);
    const mayDiffer = source.format === "yaml" && (source.isUsual !== true || documents.some(hasLineBreaks));
    if (!mayDiffer || readsAs(kept, documents, choice)) return kept;
  }
  const isConverted = source.format === "binary" && choice.output.name !== "binary";
  return emitPlain(choice.output, isConverted ? binaryAsText(documents) : documents, choice.style);
}

function hasLineBreaks(node: Node): boolean {
  if (node.kind === "leaf") return typeof node.value === "string" && node.value.includes("\n");
  return node.items.some((item) => item.kind !== "comment" && hasLineBreaks(item.kind === "entry" ? item.value : item));
}

function readsAs(text: Uint8Array, documents: readonly Mapping[], { output }: FormatChoice): boolean {
  try {
    return firstDifference(documents, output.read(text).documents, { withComments: false }) === undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return false;
  }
}
