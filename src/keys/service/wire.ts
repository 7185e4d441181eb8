/**
 * The little of protocol buffers that the key service needs: fields of length-delimited bytes. Numbers, which its messages
 * do not have, are skipped on reading as the encoding demands of unknown fields.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export type Field = readonly [number: number, bytes: Uint8Array];

const LENGTH_DELIMITED = 2;

/** Writes fields one after the other. */
export function writeFields(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, bytes]) => [varint((number << 3) | LENGTH_DELIMITED), varint(bytes.length), bytes]),
  );
}

/** Reads the length-delimited fields of a message, in their order. @throws {RangeError} if the message is cut or malformed */
export function readFields(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  const reader = new Reader(message);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    if (number === 0) throw new RangeError("a field has the number 0");
    if (tag % 8 === LENGTH_DELIMITED) fields.push([number, reader.bytes(reader.varint())]);
    else reader.skip(tag % 8);
  }
  return fields;
}

class Reader {
  readonly #message: Uint8Array;
  #offset = 0;

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#message.length;
  }

  /** An unsigned number of at most 64 bits; those above 2^53 lose precision, which lengths and tags never reach. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = this.bytes(1)[0] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number has more than 64 bits");
  }

  bytes(length: number): Uint8Array {
    const end = this.#offset + length;
    if (end > this.#message.length) throw new RangeError("the message ends in the middle of a field");
    const bytes = this.#message.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  skip(wireType: number): void {
    if (wireType === 0) this.varint();
    else if (wireType === 1) this.bytes(8);
    else if (wireType === 5) this.bytes(4);
    else throw new RangeError(`there is no wire type ${String(wireType)}`);
  }
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
