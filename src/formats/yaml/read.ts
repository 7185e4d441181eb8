import { FormatError } from "../../errors.ts";
import type { Source } from "../format.ts";
import { decodeText } from "../text.ts";
import { readBlockYaml } from "./block-reader.ts";
import { hasUnusualCharacters } from "./characters.ts";
export function readYaml(bytes: Uint8Array): Source {
  const text = decodeText(bytes);
  const documents = hasUnusualCharacters(bytes, text) ? undefined : readBlockYaml(text, 0);
  if (documents === undefined) throw new FormatError("this YAML is not read yet");
  return { format: "yaml", text, documents };
}
