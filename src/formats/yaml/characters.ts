/**
 * Characters that need a second look: controls, line breaks other than LF and CR LF, byte order marks. Only the
 * general reader knows which of them YAML 1.1 allows where.
 */
const UNUSUAL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)/;
/** What may not stand in a YAML text at all. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

/** What most texts are made of: printable ASCII, tabs and line feeds. One search, as a loop over the bytes takes ten times as long until it is compiled. */
const NOT_PLAIN = /[^\t\n -~]/;

/** Whether a text has characters that the block reader leaves to the general reader. */
export function hasUnusualCharacters(text: string): boolean {
  return NOT_PLAIN.test(text) && UNUSUAL.test(text);
}

/** The offset of the first character that may not stand in a YAML text, or -1. */
export function findForbiddenCharacter(text: string): number {
  return text.search(FORBIDDEN);
}
