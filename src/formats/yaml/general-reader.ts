import type { Mapping } from "../../document/model.ts";
import { FormatError } from "../../errors.ts";
import { positionAt } from "../text.ts";
import { AliasExpander, type Anchor } from "./anchors.ts";
import { MAX_DEPTH, TreeBuilder } from "./builder.ts";
import { fullTag, readDirectives, type Directives } from "./properties.ts";
import { CORE_TAG_PREFIX, resolvePlain, resolveTagged, type YamlValue } from "./resolve.ts";
import { Scanner, type Token, type TokenKind } from "./scanner.ts";

/** A collection that is being read. A pair is the mapping of one entry that a flow sequence holds without braces. */
interface State {
  readonly kind: "blockMapping" | "blockSequence" | "indentlessSequence" | "flowMapping" | "flowSequence" | "flowPair";
  /** Whether a flow collection has an item that no comma ended yet. */
  hasItem: boolean;
}

/** What stands before a node: a tag and an anchor, in any order, each at most once. */
interface Properties {
  readonly tag: string | undefined;
  readonly anchor: Anchor | undefined;
  /** Where the text of a scalar starts that a cell would replace: with its tag, but without its anchor. */
  readonly scalarStart: number | undefined;
  readonly end: number;
  readonly exist: boolean;
}

/** What a comment on the line of a token belongs to. */
type Role = "key" | "value" | "none";

/** What may follow an empty value, by where it stands. */
const BEHIND_EMPTY: Readonly<Record<State["kind"], ReadonlySet<TokenKind>>> = {
  blockMapping: new Set<TokenKind>(["key", "value", "blockEnd"]),
  blockSequence: new Set<TokenKind>(["dash", "blockEnd"]),
  indentlessSequence: new Set<TokenKind>(["dash", "key", "value", "blockEnd"]),
  flowMapping: new Set<TokenKind>(["comma", "flowMappingEnd"]),
  flowSequence: new Set<TokenKind>(),
  flowPair: new Set<TokenKind>(["comma", "flowSequenceEnd"]),
};
const BEHIND_EMPTY_KEY: ReadonlySet<TokenKind> = new Set([
  ...BEHIND_EMPTY.blockMapping,
  ...BEHIND_EMPTY.flowMapping,
  ...BEHIND_EMPTY.flowPair,
]);
const BEHIND_DOCUMENT: ReadonlySet<TokenKind> = new Set(["documentStart", "documentEnd", "directive", "streamEnd"]);

/**
 * Reads any YAML 1.1 that the reference reads (file-format.md 7.2.1), keys that are collections apart.
 *
 * Nesting costs no stack: what is open is a list of states, and deeper than 2,000 levels the builder refuses it.
 *
 * @param start - offset of the first character, behind a byte order mark
 * @throws {FormatError} with the place, never with the text
 */
export function readGeneralYaml(text: string, start: number): readonly Mapping[] {
  return new GeneralReader(text, start).read();
}

class GeneralReader {
  readonly #text: string;
  readonly #scanner: Scanner;
  readonly #builder: TreeBuilder;
  readonly #states: State[] = [];
  readonly #aliases = new AliasExpander();
  readonly #anchors = new Map<string, Anchor>();
  #directives: Directives = { handles: new Map() };
  #token: Token;
  /** Where the builder settled last. The ends of several blocks and what follows them are at one offset. */
  #settledAt = -1;
  /** How many nodes the text has up to here. */
  #nodes = 0;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#scanner = new Scanner(text, start);
    this.#builder = new TreeBuilder(text);
    this.#token = this.#nextToken("none");
  }

  read(): readonly Mapping[] {
    if (this.#text.length === 0) return [];
    if (this.#isAtEnd()) throw this.#error("the text has no document");
    let isFirst = true;
    while (!this.#isAtEnd()) {
      this.#readDocument(isFirst);
      isFirst = false;
    }
    return this.#builder.finish();
  }

  #isAtEnd(): boolean {
    return this.#token.kind === "streamEnd";
  }

  #readDocument(isFirst: boolean): void {
    const lines: string[] = [];
    const firstLine = this.#token;
    while (this.#token.kind === "directive") {
      lines.push(this.#token.text);
      this.#advance();
    }
    const directives = readDirectives(lines);
    if (directives === undefined) throw this.#error("a directive other than `%YAML 1.1` and `%TAG`", firstLine);
    this.#directives = directives;
    this.#anchors.clear();
    const isExplicit = this.#token.kind === "documentStart";
    if (!isExplicit && (lines.length > 0 || !isFirst)) throw this.#error("`---` was expected");
    this.#builder.startDocument(isExplicit ? this.#token.end : this.#token.start);
    if (isExplicit) this.#advance();
    if (!isExplicit || !BEHIND_DOCUMENT.has(this.#token.kind)) this.#readNode(true, false);
    for (let state = this.#states.at(-1); state !== undefined; state = this.#states.at(-1)) this.#step(state);
    if (!BEHIND_DOCUMENT.has(this.#token.kind)) throw this.#error("the end of the document was expected");
    const { kind, afterBlank, isBehind, column } = this.#token;
    this.#builder.endDocument(afterBlank || (kind === "streamEnd" && !isBehind && column > 0));
    while (this.#token.kind === "documentEnd") this.#advance();
  }

  #step(state: State): void {
    switch (state.kind) {
      case "blockMapping":
        this.#stepBlockMapping(state);
        break;
      case "blockSequence":
      case "indentlessSequence":
        this.#stepBlockSequence(state);
        break;
      case "flowMapping":
        this.#stepFlow(state, "flowMappingEnd");
        break;
      case "flowSequence":
        this.#stepFlow(state, "flowSequenceEnd");
        break;
      case "flowPair":
        this.#stepPair(state);
    }
  }

  #stepBlockMapping(state: State): void {
    const { kind, opensMapping } = this.#token;
    this.#settle();
    if (kind === "blockEnd") this.#endState();
    else if (kind === "key" && !opensMapping) this.#readEntry(state);
    else throw this.#error("a key was expected");
  }

  #stepBlockSequence(state: State): void {
    this.#settle();
    if (this.#token.kind === "dash") {
      this.#builder.item(this.#token.end);
      this.#advance();
      if (!this.#isEmptyValue(state)) this.#readNode(true, false);
    } else if (state.kind === "indentlessSequence") {
      this.#states.pop();
      if (this.#token.kind !== "blockEnd") this.#builder.close();
    } else if (this.#token.kind === "blockEnd") this.#endState();
    else throw this.#error("a dash was expected");
  }

  #stepFlow(state: State, end: "flowMappingEnd" | "flowSequenceEnd"): void {
    const { kind } = this.#token;
    if (kind === end) {
      this.#builder.close(this.#token.end);
      this.#states.pop();
      this.#advance("value");
    } else if (!state.hasItem) {
      state.hasItem = true;
      if (state.kind === "flowSequence") this.#readFlowItem();
      else if (kind === "key") this.#readEntry(state);
      else this.#readKey(this.#token.start, this.#token.column);
    } else if (kind === "comma") {
      state.hasItem = false;
      this.#builder.endItem();
      this.#advance("value");
    } else throw this.#error("a comma or the end of the collection was expected");
  }

  #readFlowItem(): void {
    this.#builder.item(this.#token.start);
    if (this.#token.kind === "key") this.#open("mapping", "flowPair", undefined);
    else this.#readNode(false, false);
  }

  #stepPair(state: State): void {
    if (!state.hasItem) {
      state.hasItem = true;
      this.#readEntry(state);
      return;
    }
    this.#builder.close();
    this.#states.pop();
  }

  /** Reads a key and its value, or the start of that. */
  #readEntry(state: State): void {
    const { start, end, column, isExplicit } = this.#token;
    this.#advance();
    if (isExplicit && (this.#token.kind === "value" || BEHIND_EMPTY[state.kind].has(this.#token.kind))) {
      this.#builder.key({ text: "", isString: false, isMerge: false, start, column }, end);
    } else this.#readKey(start, column);
    if (this.#token.kind !== "value") return;
    this.#builder.setValueStart(this.#token.end);
    this.#advance(this.#token.isExplicit ? "none" : "key");
    const isBlock = state.kind === "blockMapping";
    if (!this.#isEmptyValue(state)) this.#readNode(isBlock, isBlock);
  }

  /** Reads the scalar that is a key; `start` and `column` are those of its entry. */
  #readKey(start: number, column: number): void {
    const properties = this.#readProperties();
    const { kind, style, end } = this.#token;
    const isWritten = kind === "alias" || kind === "scalar";
    const { text, value } = this.#keyOf(properties);
    if (value instanceof Uint8Array) throw this.#error("a key must be text");
    if (properties.anchor !== undefined) {
      properties.anchor.node = { kind: "leaf", value };
      properties.anchor.text = text;
    }
    const isPlainMerge = kind === "scalar" && style === "plain" && properties.tag === undefined;
    const isMerge = text === "<<" && (isPlainMerge || properties.tag === `${CORE_TAG_PREFIX}merge`);
    const name = typeof value === "string" ? value : text;
    const key = { text: name, isString: typeof value === "string", isMerge, start, column };
    this.#builder.key(key, isWritten ? end : properties.end);
    if (isWritten) this.#advance("key");
  }

  #keyOf(properties: Properties): { readonly text: string; readonly value: YamlValue } {
    const { kind, text } = this.#token;
    if (kind === "alias") return this.#readAliasKey(properties);
    if (kind === "scalar") return { text, value: this.#resolve(this.#token, properties) };
    if (properties.exist && BEHIND_EMPTY_KEY.has(kind)) return { text: "", value: this.#resolveEmpty(properties) };
    throw this.#error("a key must be a scalar");
  }

  #readAliasKey(properties: Properties): { readonly text: string; readonly value: YamlValue } {
    const { node, text } = this.#anchorOfAlias(properties);
    if (node?.kind !== "leaf") throw this.#error("a key must be a scalar");
    return { text, value: node.value };
  }

  /** Reads a scalar or an alias, or the start of a collection. */
  #readNode(isBlock: boolean, mayBeIndentless: boolean): void {
    const properties = this.#readProperties();
    const { kind, opensMapping } = this.#token;
    const { anchor } = properties;
    this.#nodes += 1;
    if (kind === "alias") this.#readAlias(properties);
    else if (kind === "scalar") this.#readScalar(properties);
    else if (kind === "flowSequenceStart") this.#open("sequence", "flowSequence", anchor);
    else if (kind === "flowMappingStart") this.#open("mapping", "flowMapping", anchor);
    else if (isBlock && kind === "blockSequenceStart") this.#open("sequence", "blockSequence", anchor);
    else if (isBlock && (kind === "blockMappingStart" || (kind === "key" && opensMapping))) {
      this.#open("mapping", "blockMapping", anchor);
    } else if (mayBeIndentless && kind === "dash") this.#open("sequence", "indentlessSequence", anchor);
    else if (properties.exist) this.#addEmpty(properties);
    else throw this.#error("a value was expected");
  }

  #open(kind: "mapping" | "sequence", state: State["kind"], anchor: Anchor | undefined): void {
    const isFlow = state.startsWith("flow");
    const column = isFlow || state === "indentlessSequence" ? (this.#builder.top?.column ?? 0) : this.#token.column;
    this.#builder.open(kind, isFlow ? "flow" : "block", column, this.#token.start, anchor);
    this.#states.push({ kind: state, hasItem: false });
    // A key that opens its mapping is still to be read, and so are the dash and the key of a list without marks.
    if (this.#token.kind === "key") this.#token.opensMapping = false;
    else if (this.#token.kind !== "dash") this.#advance();
  }

  #readScalar(properties: Properties): void {
    const { text, style, indent, start, end } = this.#token;
    const value = this.#resolve(this.#token, properties);
    const place = { start: properties.scalarStart ?? start, end, style, indent };
    const leaf = this.#builder.leaf({ value, text, ...place });
    if (properties.anchor !== undefined) {
      properties.anchor.node = leaf;
      properties.anchor.text = text;
    }
    this.#advance("value");
  }

  /** An empty value that has a tag or an anchor; others are left open, and the builder fills them. */
  #addEmpty(properties: Properties): void {
    const { end, scalarStart, anchor } = properties;
    const value = this.#resolveEmpty(properties);
    const leaf = this.#builder.leaf({ value, text: "", start: scalarStart ?? end, end, style: "plain" });
    if (anchor !== undefined) anchor.node = leaf;
  }

  #readAlias(properties: Properties): void {
    const anchor = this.#anchorOfAlias(properties);
    const { start, end } = this.#token;
    const node = this.#aliases.expand(anchor, this.#nodes, MAX_DEPTH - this.#states.length);
    if (node === undefined) throw this.#error("the aliases stand for too much");
    this.#builder.alias(node, start, end);
    this.#advance("value");
  }

  #anchorOfAlias(properties: Properties): Anchor {
    if (properties.exist) throw this.#error("an alias has no tag or anchor of its own");
    const anchor = this.#anchors.get(this.#token.text);
    if (anchor === undefined) throw this.#error("an alias whose anchor is unknown");
    if (anchor.node === undefined) throw this.#error("an alias within what it stands for");
    return anchor;
  }

  #readProperties(): Properties {
    let tag: string | undefined;
    let anchor: Anchor | undefined;
    let scalarStart: number | undefined;
    let end = this.#token.start;
    let exist = false;
    while (this.#token.kind === "tag" || this.#token.kind === "anchor") {
      const isTag = this.#token.kind === "tag";
      if (isTag ? scalarStart !== undefined || tag !== undefined : anchor !== undefined) {
        throw this.#error("a second tag or anchor of one value");
      }
      if (isTag) {
        tag = this.#readTag();
        scalarStart = this.#token.start;
      } else {
        anchor = { node: undefined, text: "", copy: undefined };
        this.#anchors.set(this.#token.text, anchor);
        // A tag before the anchor cannot be replaced without it.
        scalarStart = undefined;
      }
      ({ end } = this.#token);
      exist = true;
      this.#advance();
    }
    return { tag, anchor, scalarStart, end, exist };
  }

  #readTag(): string | undefined {
    const { tag } = this.#token;
    if (tag === undefined || (tag.handle === "!" && tag.suffix === "")) return undefined;
    const full = fullTag(tag, this.#directives);
    if (full === undefined) throw this.#error("a tag whose handle no `%TAG` declares");
    return full;
  }

  #resolve({ text, style }: Token, { tag }: Properties): YamlValue {
    if (tag === undefined) return style === "plain" ? resolvePlain(text) : text;
    const value = resolveTagged(tag, text);
    if (value === undefined) throw this.#error("a text that does not fit its tag");
    return value;
  }

  #resolveEmpty(properties: Properties): YamlValue {
    return this.#resolve({ ...this.#token, text: "", style: "plain" }, properties);
  }

  /** Whether an entry or item ends here without a value. */
  #isEmptyValue(state: State): boolean {
    const { kind, opensMapping } = this.#token;
    return BEHIND_EMPTY[state.kind].has(kind) && !opensMapping;
  }

  /** Ends a block, which the builder closes when it settles. */
  #endState(): void {
    this.#states.pop();
    this.#advance();
  }

  /** Lets the builder close blocks and place comments, once at content that starts a line. */
  #settle(): void {
    const { start, column, isBehind, afterBlank } = this.#token;
    if (column < 0 || isBehind || start === this.#settledAt) return;
    this.#settledAt = start;
    this.#builder.settle(column, afterBlank);
  }

  /** Goes to the next token. A comment on the line of the one that was read belongs to it. */
  #advance(role: Role = "none"): void {
    this.#token = this.#nextToken(role);
  }

  #nextToken(role: Role): Token {
    for (;;) {
      const token = this.#scanner.next();
      if (token.kind !== "comment") return token;
      const { start, end, column, isBehind, afterBlank } = token;
      if (!isBehind || role === "none") this.#builder.comment(start, end, column, afterBlank);
      else if (role === "key") this.#builder.commentOfKey(start, end, column);
      else this.#builder.commentOfValue(start, end, column);
    }
  }

  #error(message: string, token: Token = this.#token): FormatError {
    return new FormatError(message, positionAt(this.#text, token.start));
  }
}
