import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";

import { KeyError } from "../../errors.ts";
import { decodeBase64 } from "../../bytes/base64.ts";
import { asBuffer } from "../../bytes/utf8.ts";

/** One recipient's part of a header: its type and arguments, and the wrapped file key. */
export interface Stanza {
  /** The type first; at least one, each of printable ASCII without blanks. */
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** The parsed header of an age file. */
export interface Header {
  readonly stanzas: readonly Stanza[];
  readonly mac: Uint8Array;
  /** The header as it stands, MAC line included; the payload follows it. */
  readonly bytes: Uint8Array;
}

/** What every age file (version 1, binary) starts with. */
const INTRO = "age-encryption.org/v1";

/** Length of a file key in bytes. */
export const FILE_KEY_LENGTH = 16;

const COLUMNS = 64;
const MAC_MARK = "---";
const STANZA_LINE = /^-> ([!-~]+(?: [!-~]+)*)$/;
const BODY_LINE = /^[A-Za-z0-9+/]{0,64}$/;
const MAC_LINE = /^--- ([A-Za-z0-9+/]{43})$/;

/**
 * Reads the header of an age file.
 *
 * @throws {KeyError} on anything that is not exactly the format; the message repeats nothing of the file
 * @see https://github.com/C2SP/C2SP/blob/main/age.md
 */
export function parseHeader(file: Uint8Array): Header {
  const lines = new LineReader(file);
  if (lines.next() !== INTRO) throw malformed("unexpected intro");
  const stanzas: Stanza[] = [];
  for (;;) {
    const line = lines.next();
    if (line === undefined) throw malformed("the header has no end");
    if (line.startsWith(MAC_MARK)) {
      const mac = decodeUnpadded(MAC_LINE.exec(line)?.[1]);
      if (mac === undefined) throw malformed("malformed closing line");
      return { stanzas, mac, bytes: file.subarray(0, lines.offset) };
    }
    const args = stanzaArgs(line);
    if (args === undefined) throw malformed("malformed stanza");
    stanzas.push({ args, body: readBody(lines) });
  }
}

/** Writes a header for `fileKey`, sealed with its MAC. */
export function writeHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Buffer {
  const lines = stanzas.flatMap(({ args, body }) => [`-> ${args.join(" ")}`, ...bodyLines(body)]);
  const unsealed = Buffer.from(`${[INTRO, ...lines].join("\n")}\n${MAC_MARK}`, "latin1");
  return Buffer.concat([unsealed, Buffer.from(` ${encodeUnpadded(headerMac(unsealed, fileKey))}\n`, "latin1")]);
}

/** Whether the MAC of a header was made with this file key. */
export function isHeaderAuthentic(header: Header, fileKey: Uint8Array): boolean {
  const macLineRest = 1 + 43 + 1; // blank, MAC, newline
  return timingSafeEqual(headerMac(header.bytes.subarray(0, -macLineRest), fileKey), header.mac);
}

/** The arguments of a stanza's first line; undefined if it is none. */
export function stanzaArgs(line: string): string[] | undefined {
  return STANZA_LINE.exec(line)?.[1]?.split(" ");
}

/** Whether a line may stand in a stanza's body. */
export function isBodyLine(line: string): boolean {
  return BODY_LINE.test(line);
}

/** A body ends with the first line that is not full, which may be empty. */
export function isLastBodyLine(line: string): boolean {
  return line.length < COLUMNS;
}

/** Writes a stanza's body as lines of 64 columns, the last one shorter, empty if need be. */
export function bodyLines(body: Uint8Array): string[] {
  const text = encodeUnpadded(body);
  const count = Math.floor(text.length / COLUMNS) + 1;
  return Array.from({ length: count }, (_, index) => text.slice(index * COLUMNS, (index + 1) * COLUMNS));
}

/** Encodes as standard base64 without padding, which headers use. */
export function encodeUnpadded(bytes: Uint8Array): string {
  return asBuffer(bytes).toString("base64").replace(/=+$/, "");
}

/** Decodes canonical standard base64 without padding; undefined if it is not. */
export function decodeUnpadded(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined;
  const bytes = decodeBase64(text.padEnd(Math.ceil(text.length / 4) * 4, "="));
  return bytes !== undefined && encodeUnpadded(bytes) === text ? bytes : undefined;
}

function headerMac(unsealed: Uint8Array, fileKey: Uint8Array): Buffer {
  const key = new Uint8Array(hkdfSync("sha256", fileKey, "", "header", 32));
  const mac = createHmac("sha256", key).update(unsealed).digest();
  key.fill(0);
  return mac;
}

function readBody(lines: LineReader): Buffer {
  let text = "";
  for (;;) {
    const line = lines.next();
    if (line === undefined || !isBodyLine(line)) throw malformed("malformed body line");
    text += line;
    if (isLastBodyLine(line)) break;
  }
  const body = decodeUnpadded(text);
  if (body === undefined) throw malformed("a body that is not canonical base64");
  return body;
}

function malformed(reason: string): KeyError {
  return new KeyError(`failed to read header: parsing age header: ${reason}`);
}

/** Hands out the lines of a header, which end in LF, one by one: what follows the header is no text. */
class LineReader {
  readonly #bytes: Buffer;
  offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes);
  }

  next(): string | undefined {
    const end = this.#bytes.indexOf(0x0a, this.offset);
    if (end === -1) return undefined;
    const line = this.#bytes.toString("latin1", this.offset, end);
    this.offset = end + 1;
    return line;
  }
}
