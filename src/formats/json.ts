import type { Mapping } from "../document/model.ts";
import { encodeUtf8 } from "../bytes/utf8.ts";
import { EmitError } from "../errors.ts";
import type { Format } from "./format.ts";
import { canonicalLayout, printJson } from "./json/emit.ts";
import { readJson } from "./json/read.ts";
import { writeJson } from "./json/write.ts";
import { decodeText, encodePieces } from "./text.ts";

/**
 * JSON (file-format.md 7.3). Strings in layout `keep` escape only what JSON must; the canonical text escapes what Go
 * escapes. Comments cannot be held and are dropped.
 */
export const json: Format = {
  name: "json",
  metadataPlace: "entry",
  read(bytes) {
    const text = decodeText(bytes);
    return { format: "json", text, documents: [readJson(text)] };
  },
  write: (source, documents) => encodeUtf8(writeJson(source, documents)),
  emit: (documents, style) => encodePieces(printJson(firstOf(documents), canonicalLayout(style), "", "\n")),
  emitValue: (node, style) => encodePieces(printJson(node, canonicalLayout(style), "")),
};

/** The reference writes only the first of several documents. */
function firstOf(documents: readonly Mapping[]): Mapping {
  const first = documents[0];
  if (first === undefined) throw new EmitError("there is no document to write as JSON");
  return first;
}
