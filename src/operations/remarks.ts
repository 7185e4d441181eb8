import type { Mapping } from "../document/model.ts";
import { SopsError } from "../errors.ts";
import type { Source } from "../formats/format.ts";
import type { Context, FormatChoice } from "./context.ts";
import { keepsText } from "./render.ts";
import { changedNotation } from "./verify.ts";

/** What is said of a text that is encrypted. Only where the text is kept: who has it printed anew knows that it changes. */
interface RemarkOptions extends FormatChoice {
  readonly context: Context;
  /** Refuse what would come back in another notation, instead of warning. */
  readonly strict: boolean;
}

/** Longest list of lines in a message. */
const MAX_LINES = 10;

/** Tells that a text comes back in UTF-8; YAML alone may be written in something else, with a byte order mark. */
export function reportEncoding(bytes: Uint8Array, source: Source, options: RemarkOptions): void {
  const isUtf16 = source.format === "yaml" && (bytes[0] === 0xff || bytes[0] === 0xfe);
  if (isUtf16 && keepsText(source, options)) warnOrRefuse("the text is UTF-16; decrypting gives it in UTF-8", options);
}

/** Tells once a file which lines come back in another notation after decryption. */
export function reportNotation(
  source: Source,
  written: { source: Source; documents: readonly Mapping[] },
  options: RemarkOptions,
): void {
  if (!keepsText(source, options)) return;
  const lines = changedNotation(source, written, options.output);
  if (lines.length === 0) return;
  warnOrRefuse(
    `${placeOf(lines)}: decrypting gives the same values in another notation (such as 31 for 0x1F)`,
    options,
  );
}

function placeOf(lines: readonly number[]): string {
  const shown = lines.slice(0, MAX_LINES).join(", ");
  return `${lines.length === 1 ? "line" : "lines"} ${shown}${lines.length > MAX_LINES ? ", …" : ""}`;
}

function warnOrRefuse(message: string, { strict, context }: RemarkOptions): void {
  if (strict)
    throw new SopsError("ERR_STRICT", message, { hint: "write it as it would come back, or leave out --strict" });
  context.host.warn(message);
}
