import { fstatSync, readSync } from "node:fs";
import { SopsError } from "../errors.ts";
import { nodeFileSystem, writeAll } from "../storage/file-system.ts";
import { writeStdout } from "../storage/output.ts";
import { readStdin } from "../storage/read.ts";
import type { Terminal } from "./session.ts";

/** The standard streams of this process, read and written synchronously: nothing is lost when the process ends. */
export function processTerminal(): Terminal {
  return {
    stdinIsTerminal: isTerminal(0),
    stdoutIsTerminal: isTerminal(1),
    stderrIsTerminal: isTerminal(2),
    readInput: () => readStdin(),
    readLine: () => readLineFrom(0),
    print: (content) => {
      writeStdout(typeof content === "string" ? Buffer.from(content) : content);
    },
    complain: (text) => {
      writeToStderr(text);
    },
  };
}

/** `node:tty` brings the network stack along, so it is asked only about what can be a terminal at all. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    return false; // closed
  }
}

/** Byte by byte, as what follows the line belongs to whoever reads next. */
function readLineFrom(fd: number): string | undefined {
  const bytes: number[] = [];
  const buffer = new Uint8Array(1);
  for (;;) {
    if (readByte(fd, buffer) === 0) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString("utf8");
    const [byte = 0] = buffer;
    if (byte === 0x0a) return Buffer.from(bytes).toString("utf8");
    bytes.push(byte);
  }
}

function readByte(fd: number, buffer: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, buffer, 0, 1, null);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN") throw new SopsError("ERR_READ", "Error reading from stdin", { cause: error });
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10); // a terminal another process made non-blocking
    }
  }
}

function writeToStderr(text: string): void {
  try {
    writeAll(2, Buffer.from(text), nodeFileSystem);
  } catch {
    // Nobody reads what we complain about; the exit status still tells.
  }
}
