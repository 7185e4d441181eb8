import type * as Yaml from "yaml";
import type { LineCounter, Node } from "yaml";
import { decodeUtf8 } from "../bytes/utf8.ts";
import type { ConfigError } from "../errors.ts";
import { shapeError, type ConfigPosition, type MappingValue, type Member, type Value } from "./value.ts";

const START: ConfigPosition = { line: 1, column: 1 };

/**
 * Reads the first document of a YAML text, with aliases followed and merges done.
 *
 * @param file - how messages call it
 * @returns undefined if the document is empty
 * @throws {ConfigError} with line and column, without what stands there
 */
export async function readYaml(bytes: Uint8Array, file: string): Promise<Value | undefined> {
  const text = decodeUtf8(bytes);
  if (text === undefined) throw shapeError(file, START, "the file is not UTF-8 text");
  const yaml = await import("yaml");
  const lines = new yaml.LineCounter();
  // `uniqueKeys` compares each key with all others; the mappings we look into are checked on the way.
  const options = { lineCounter: lines, merge: false, uniqueKeys: false, prettyErrors: false } as const;
  const documents = yaml.parseAllDocuments(text, options);
  const document = "empty" in documents ? undefined : documents[0];
  if (!document) return undefined;
  const [error] = document.errors;
  if (error !== undefined) {
    const problem = error.code.toLowerCase().replaceAll("_", " ");
    throw shapeError(file, positionOf(error.pos[0], lines), `not valid YAML (${problem})`);
  }
  if (document.contents === null) return undefined;
  return new Converter(yaml, document.contents, file, lines).convert(document.contents);
}

function positionOf(offset: number | undefined, lines: LineCounter): ConfigPosition {
  const { line, col } = lines.linePos(offset ?? 0);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

class Converter {
  readonly #yaml: typeof Yaml;
  readonly #file: string;
  readonly #lines: LineCounter;
  /** What each alias stands for: the last anchor of its name before it. */
  readonly #targets = new Map<Yaml.Alias, Node>();
  /** Converted collections, so that many aliases of one share it; undefined while it is being converted. */
  readonly #done = new Map<Node, Value | undefined>();

  constructor(yaml: typeof Yaml, root: Node, file: string, lines: LineCounter) {
    this.#yaml = yaml;
    this.#file = file;
    this.#lines = lines;
    const anchors = new Map<string, Node>();
    yaml.visit(root, {
      Node: (_key, node) => {
        if (yaml.isAlias(node)) {
          const target = anchors.get(node.source);
          if (target !== undefined) this.#targets.set(node, target);
        } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
      },
    });
  }

  convert(node: Node | null): Value {
    if (node === null) return { kind: "scalar", value: null, text: "", position: START };
    if (this.#yaml.isAlias(node)) {
      const target = this.#targets.get(node);
      if (target === undefined) throw this.#error(node, "unknown anchor");
      return this.convert(target);
    }
    if (this.#yaml.isScalar(node)) return this.#scalar(node);
    const done = this.#done.get(node);
    if (done !== undefined) return done;
    if (this.#done.has(node)) throw this.#error(node, "an anchor that contains itself");
    this.#done.set(node, undefined);
    const value = this.#collection(node);
    this.#done.set(node, value);
    return value;
  }

  #scalar(node: Yaml.Scalar): Value {
    const { value } = node;
    const isKnown = typeof value === "number" || typeof value === "boolean" || value === null;
    const text = node.source ?? (typeof value === "string" ? value : "");
    return { kind: "scalar", value: isKnown ? value : text, text, position: this.#position(node) };
  }

  #collection(node: Node): Value {
    const position = this.#position(node);
    if (this.#yaml.isSeq<Node | null>(node))
      return { kind: "list", items: node.items.map((item) => this.convert(item)), position };
    if (!this.#yaml.isMap<Node | null, Node | null>(node)) throw this.#error(node, "unexpected kind of value");
    const own: Member[] = [];
    const merged: Member[] = [];
    for (const { key, value } of node.items) {
      if (this.#isMergeKey(key)) merged.push(...this.#mergedMembers(value));
      else own.push(this.#member(key, value));
    }
    return { kind: "mapping", members: withMerged(own, merged), position };
  }

  #member(key: Node | null, value: Node | null): Member {
    const converted = this.convert(key);
    const name = converted.kind === "scalar" ? converted.text : undefined;
    return { key: name, position: converted.position, value: this.convert(value) };
  }

  #isMergeKey(key: Node | null): boolean {
    return this.#yaml.isScalar(key) && key.value === "<<" && key.type === "PLAIN";
  }

  #mergedMembers(node: Node | null): readonly Member[] {
    const value = this.convert(node);
    const sources = value.kind === "list" ? value.items : [value];
    return sources.flatMap((source) => {
      if (source.kind !== "mapping") throw this.#error(node, "map merge requires a mapping, or a list of mappings");
      return source.members;
    });
  }

  #position(node: Node): ConfigPosition {
    return positionOf(node.range?.[0], this.#lines);
  }

  #error(node: Node | null, problem: string): ConfigError {
    return shapeError(this.#file, node === null ? START : this.#position(node), problem);
  }
}

/** A mapping's own members win over merged ones, and earlier merged ones over later. */
function withMerged(own: readonly Member[], merged: readonly Member[]): MappingValue["members"] {
  if (merged.length === 0) return own;
  const taken = new Set(own.map((member) => member.key));
  const added = merged.filter((member) => !taken.has(member.key) && taken.add(member.key));
  return [...own, ...added];
}
