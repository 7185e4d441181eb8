import { binary, emitBinaryPlain, readBinaryPlain } from "./binary.ts";
import { dotenv } from "./dotenv.ts";
import type { EmitStyle, Format, FormatName, Source } from "./format.ts";
import { ini } from "./ini.ts";
import { json } from "./json.ts";
import { yaml } from "./yaml/format.ts";
import type { Mapping } from "../document/model.ts";

/** Every format by its name, as functions: those that are not asked for need not be loaded (scripts/lazy-chunks.mjs). */
const byName: Readonly<Record<FormatName, () => Format>> = {
  yaml: () => yaml,
  json: () => json,
  dotenv: () => dotenv,
  ini: () => ini,
  binary: () => binary,
};

/** What the endings of file names stand for; case-sensitive (file-format.md 7.1). */
const endings: readonly (readonly [ending: string, name: FormatName])[] = [
  [".yaml", "yaml"],
  [".yml", "yaml"],
  [".json", "json"],
  [".env", "dotenv"],
  [".ini", "ini"],
];

/** The format a file name stands for: binary takes what no other does. */
export function formatOfPath(path: string): Format {
  return formatOfName(endings.find(([ending]) => path.endsWith(ending))?.[1] ?? "binary");
}

/** The format of a name. */
export function formatOfName(name: FormatName): Format {
  return byName[name]();
}

/** Reads a text that is not encrypted; only binary has another form then. */
export function readPlain(format: Format, bytes: Uint8Array): Source {
  return format.name === "binary" ? readBinaryPlain(bytes) : format.read(bytes);
}

/** Writes trees that are not encrypted. @throws {EmitError} if the format cannot hold them */
export function emitPlain(format: Format, documents: readonly Mapping[], style: EmitStyle): Uint8Array {
  return format.name === "binary" ? emitBinaryPlain(documents) : format.emit(documents, style);
}
