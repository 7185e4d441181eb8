/**
 * Characters that need a second look: controls, line breaks other than LF and CR LF, byte order marks. Only the
 * general reader knows which of them YAML 1.1 allows where.
 */
const UNUSUAL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)/;
/** What may not stand in a YAML text at all. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]/;

const IS_USUAL = new Uint8Array(256);
for (let code = 0x20; code < 0x7f; code += 1) IS_USUAL[code] = 1;
for (const code of [0x09, 0x0a]) IS_USUAL[code] = 1;

/** Whether a text has characters that the block reader leaves to the general reader. */
export function hasUnusualCharacters(bytes: Uint8Array, text: string): boolean {
  return !isPlainAscii(bytes) && UNUSUAL.test(text);
}

/** The offset of the first character that may not stand in a YAML text, or -1. */
export function findForbiddenCharacter(text: string): number {
  return text.search(FORBIDDEN);
}

/** Whether all bytes are printable ASCII, tabs or line feeds. Looks at four at a time, as a search per character costs more than the reader. */
function isPlainAscii(bytes: Uint8Array): boolean {
  const head = Math.min((4 - (bytes.byteOffset % 4)) % 4, bytes.length);
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + head, (bytes.length - head) >>> 2);
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? 0;
    const isHigh = word & 0x80808080;
    const isControl = (word - 0x20202020) & ~word & 0x80808080;
    const isDelete = ((word ^ 0x7f7f7f7f) - 0x01010101) & 0x80808080;
    const isOdd = isHigh | isControl | isDelete;
    if (isOdd !== 0 && !areUsual(bytes, head + index * 4, head + index * 4 + 4)) return false;
  }
  return areUsual(bytes, 0, head) && areUsual(bytes, head + words.length * 4, bytes.length);
}

function areUsual(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index += 1) if (IS_USUAL[bytes[index] ?? 0] !== 1) return false;
  return true;
}
