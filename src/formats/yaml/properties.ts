import { isSpaceAt } from "./flow-scalar.ts";

/** A tag as it is written: its handle (`!`, `!!`, `!e!`, or nothing for `!<…>`) and what follows. */
export interface TagText {
  readonly handle: string;
  readonly suffix: string;
}

/** The handles that every document has. */
export const DEFAULT_HANDLES: ReadonlyMap<string, string> = new Map([
  ["!", "!"],
  ["!!", "tag:yaml.org,2002:"],
]);

const TAG = /!(?:<([\w\-;/?:@&=+$.!~*'()%,[\]]+)>|([\w-]*!)?([\w\-;/?:@&=+$.~*'()%,[\]!]*))/y;

/** Reads a tag from its `!` on; undefined if it is malformed. */
export function readTag(text: string, start: number): { readonly tag: TagText; readonly end: number } | undefined {
  TAG.lastIndex = start;
  const match = TAG.exec(text);
  const end = TAG.lastIndex;
  if (match === null || !isSpaceAt(text, end)) return undefined;
  const [, verbatim, name, rest = ""] = match;
  const suffix = decodeEscapes(verbatim ?? rest);
  if (suffix === undefined || (name !== undefined && suffix === "")) return undefined;
  if (verbatim !== undefined) return { tag: { handle: "", suffix }, end };
  return { tag: { handle: name === undefined ? "!" : `!${name}`, suffix }, end };
}

function decodeEscapes(text: string): string | undefined {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const ANCHOR_NAME = /[\w-]+/y;
const BEHIND_ANCHOR = "?:,]}%@`";

/** Reads the name of an anchor or an alias, behind its `&` or `*`; empty if there is none that may stand there. */
export function readAnchorName(text: string, start: number): string {
  ANCHOR_NAME.lastIndex = start;
  const name = ANCHOR_NAME.exec(text)?.[0] ?? "";
  const end = start + name.length;
  return isSpaceAt(text, end) || BEHIND_ANCHOR.includes(text.charAt(end)) ? name : "";
}

/** What the directives of one document say. */
export interface Directives {
  readonly handles: ReadonlyMap<string, string>;
}

/**
 * Reads directive lines: `%YAML 1.1` and `%TAG`.
 *
 * @returns undefined if one is malformed, unknown or there twice, or names another version, as 1.2
 */
export function readDirectives(lines: readonly string[]): Directives | undefined {
  const handles = new Map<string, string>();
  let hasVersion = false;
  for (const line of lines) {
    const [, version] = /^%YAML[ \t]+(\d+\.\d+)[ \t]*$/.exec(line) ?? [];
    const [, handle, prefix] = /^%TAG[ \t]+(!|![\w-]*!)[ \t]+([\w\-;/?:@&=+$.!~*'()%,[\]]+)[ \t]*$/.exec(line) ?? [];
    if (version !== undefined && !hasVersion && Number(version.slice(2)) === 1 && version.startsWith("1.")) {
      hasVersion = true;
    } else if (handle !== undefined && prefix !== undefined && !handles.has(handle)) {
      const decoded = decodeEscapes(prefix);
      if (decoded === undefined) return undefined;
      handles.set(handle, decoded);
    } else return undefined;
  }
  return { handles: new Map([...DEFAULT_HANDLES, ...handles]) };
}

/** The full tag: `tag:yaml.org,2002:int` for `!!int`. Undefined if its handle was never declared. */
export function fullTag({ handle, suffix }: TagText, { handles }: Directives): string | undefined {
  if (handle === "") return suffix;
  const prefix = handles.get(handle);
  return prefix === undefined ? undefined : prefix + suffix;
}
