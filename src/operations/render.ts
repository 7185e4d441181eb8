import type { Mapping } from "../document/model.ts";
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

/** The text of decrypted trees. */
export function renderPlain(source: Source, documents: readonly Mapping[], choice: FormatChoice): Uint8Array {
  if (keepsText(source, choice) && source.format !== "binary") return choice.output.write(source, documents);
  const isConverted = source.format === "binary" && choice.output.name !== "binary";
  return emitPlain(choice.output, isConverted ? binaryAsText(documents) : documents, choice.style);
}
