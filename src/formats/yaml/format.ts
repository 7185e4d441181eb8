import type { Format } from "../format.ts";
import { emitYaml, emitYamlValue } from "./emit.ts";
import { readYaml } from "./read.ts";
import { writeYaml } from "./write.ts";

/** YAML, with comments, several documents, and everything that YAML 1.1 as the reference reads it can say. */
export const yaml: Format = {
  name: "yaml",
  metadataPlace: "entry",
  read: readYaml,
  write: writeYaml,
  // As functions, so that the emitter is not loaded for texts that are kept (scripts/lazy-chunks.mjs).
  emit: (documents, style) => emitYaml(documents, style),
  emitValue: (node, style) => emitYamlValue(node, style),
};
