import { KeyError } from "../../errors.ts";
import { asBuffer } from "../../bytes/utf8.ts";

/** Said of keys that are neither Ed25519 nor RSA. */
export const UNSUPPORTED_KEY = "unsupported SSH key type: age takes ssh-ed25519 and ssh-rsa";

/** Reads the data types of the SSH protocol (RFC 4251, 5) one after the other. */
export class SshReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = asBuffer(bytes);
  }

  /** A number of four bytes. @throws {KeyError} at the end of the data, as do the others */
  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  /** Bytes behind their length. The same memory: copy what is to be kept. */
  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString("latin1");
  }

  /** A number that is not negative, big-endian, without the zero bytes in front. */
  mpint(): Buffer {
    const bytes = this.string();
    if (bytes.length > 0 && (bytes[0] ?? 0) >= 0x80) throw new KeyError("ssh: negative number");
    const start = bytes.findIndex((byte) => byte !== 0);
    return start === -1 ? bytes.subarray(0, 0) : bytes.subarray(start);
  }

  take(length: number): Buffer {
    if (length > this.#bytes.length - this.#offset) throw new KeyError("ssh: short read");
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return bytes;
  }

  /** What has not been read yet. */
  rest(): Buffer {
    return this.#bytes.subarray(this.#offset);
  }
}

/** Writes bytes behind their length. */
export function sshString(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** Writes a number that is not negative: a zero byte in front where the first bit would make it negative. */
export function sshMpint(bytes: Uint8Array): Buffer {
  return sshString((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes);
}
