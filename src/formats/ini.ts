import { fromByteText, toByteText } from "./byte-text.ts";
import type { Format } from "./format.ts";
import { emitIni } from "./ini/emit.ts";
import { readIni } from "./ini/read.ts";
import { writeIni } from "./ini/write.ts";
import { canonicalLayout, printJson } from "./json/emit.ts";
import { withClosedLastLine } from "./lines.ts";
import { encodePieces } from "./text.ts";

/**
 * INI (file-format.md 7.6). Every value is a string, every root entry a section. The text of a source has one character
 * per byte, so that bytes that are not UTF-8 come back.
 *
 * A comment of several lines, which may stand above a key and behind its value, is one comment and becomes one cell.
 * The cell takes the first line, and white space marks the places of the others until they come back.
 */
export const ini: Format = {
  name: "ini",
  metadataPlace: "section",
  read: (bytes) => readIni(toByteText(bytes)),
  write: (source, documents) =>
    fromByteText(withClosedLastLine(source.text, (text) => writeIni(text, source, documents))),
  emit: (documents) => fromByteText(emitIni(documents)),
  emitValue(node) {
    if (node.kind === "mapping") return this.emit([node], {});
    const compact = { ...canonicalLayout({}), newline: "", unit: "", colon: ":" };
    return encodePieces(printJson(node, compact, ""));
  },
};
