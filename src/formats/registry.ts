import { binary, emitBinaryPlain, readBinaryPlain } from "./binary.ts";
import { dotenv } from "./dotenv.ts";
import type { EmitStyle, Format, FormatName, Source } from "./format.ts";
import { ini } from "./ini.ts";
import { json } from "./json.ts";
import { yaml } from "./yaml/format.ts";
import type { Mapping } from "../document/model.ts";

/** Every format. Binary, which takes what no other does, comes last. */
export const formats: readonly Format[] = [yaml, json, dotenv, ini, binary];

/** The format a file name stands for, by its ending, case-sensitively (file-format.md 7.1). */
export function formatOfPath(path: string): Format {
  return formats.find((format) => format.extensions.some((extension) => path.endsWith(extension))) ?? binary;
}

/** The format of a name. */
export function formatOfName(name: FormatName): Format {
  return formats.find((format) => format.name === name) ?? binary;
}

/** Reads a text that is not encrypted; only binary has another form then. */
export function readPlain(format: Format, bytes: Uint8Array): Source {
  return format.name === "binary" ? readBinaryPlain(bytes) : format.read(bytes);
}

/** Writes trees that are not encrypted. @throws {EmitError} if the format cannot hold them */
export function emitPlain(format: Format, documents: readonly Mapping[], style: EmitStyle): Uint8Array {
  return format.name === "binary" ? emitBinaryPlain(documents) : format.emit(documents, style);
}
