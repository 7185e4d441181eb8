import { FormatError } from "../../errors.ts";
import type { Source } from "../format.ts";
import { decodeText, positionAt } from "../text.ts";
import { readBlockYaml } from "./block-reader.ts";
import { findForbiddenCharacter, hasUnusualCharacters } from "./characters.ts";
import { readGeneralYaml } from "./general-reader.ts";

const BYTE_ORDER_MARK = "\ufeff";
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Reads a YAML text: in one pass if it is block YAML of the usual kind, otherwise with all of YAML 1.1.
 *
 * @param bytes - UTF-8, or UTF-16 with a byte order mark; a mark stays in the text
 * @throws {FormatError} with the line and column, never with the text
 */
export function readYaml(bytes: Uint8Array): Source {
  const text = decodeYaml(bytes);
  const start = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  const usual = hasUnusualCharacters(text.slice(start)) ? undefined : readBlockYaml(text, start);
  return { format: "yaml", text, documents: usual ?? readAnyYaml(text, start), isUsual: usual !== undefined };
}

function readAnyYaml(text: string, start: number): Source["documents"] {
  const forbidden = findForbiddenCharacter(text);
  if (forbidden >= 0) throw new FormatError("a control character", positionAt(text, forbidden));
  return readGeneralYaml(text, start);
}

/** Decodes by the byte order mark; UTF-8 is the default. */
function decodeYaml(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isLittle = first === 0xff && second === 0xfe;
  const isBig = first === 0xfe && second === 0xff;
  return isLittle || isBig ? decodeUtf16(bytes, isLittle) : decodeText(bytes);
}

/** UTF-16 text with its byte order mark. Surrogates must come in pairs. */
function decodeUtf16(bytes: Uint8Array, isLittle: boolean): string {
  const copy = Buffer.from(bytes);
  const text = (isLittle ? copy : swapPairs(copy)).toString("utf16le");
  const fault = copy.length % 2 === 0 ? text.search(LONE_SURROGATE) : text.length;
  if (fault >= 0) throw new FormatError("the text is not valid UTF-16", positionAt(text, fault));
  return text;
}

function swapPairs(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length - (bytes.length % 2)).swap16();
}
