import { fstatSync, read } from "node:fs";
import { SopsError } from "../errors.ts";
import { nodeFileSystem, writeAll } from "../storage/file-system.ts";
import { writeStdout } from "../storage/output.ts";
import { readStdin } from "../storage/read.ts";
import type { Terminal } from "./session.ts";
import type { SignalDesk } from "./signals.ts";

/** The standard streams of this process, read and written synchronously: nothing is lost when the process ends. */
export function processTerminal(signals: SignalDesk): Terminal {
  return {
    get stdinIsTerminal() {
      return isTerminal(0);
    },
    get stdoutIsTerminal() {
      return isTerminal(1);
    },
    get stderrIsTerminal() {
      return isTerminal(2);
    },
    readInput: () => signals.standAside(() => readStdin()),
    readLine: () => readLineFrom(0),
    print: (content) => {
      writeStdout(typeof content === "string" ? Buffer.from(content) : content);
    },
    complain: (text) => {
      writeToStderr(text);
    },
  };
}

/** `node:tty` brings the network stack along, 1 ms or more, so it is asked when needed, and about what can be a terminal at all. */
function isTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice() && process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    return false; // closed
  }
}

/**
 * Byte by byte, as what follows the line belongs to whoever reads next; and not synchronously, as a signal that comes
 * while the user thinks is to be obeyed.
 */
async function readLineFrom(fd: number): Promise<string | undefined> {
  const bytes: number[] = [];
  for (;;) {
    const byte = await readByte(fd);
    if (byte === undefined) return bytes.length === 0 ? undefined : Buffer.from(bytes).toString("utf8");
    if (byte === 0x0a) return Buffer.from(bytes).toString("utf8");
    bytes.push(byte);
  }
}

async function readByte(fd: number): Promise<number | undefined> {
  const buffer = new Uint8Array(1);
  for (;;) {
    try {
      const count = await new Promise<number>((resolve, reject) => {
        read(fd, buffer, 0, 1, null, (error, size) => {
          if (error === null) resolve(size);
          else reject(error);
        });
      });
      return count === 0 ? undefined : buffer[0];
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EOF") return undefined;
      if (code !== "EAGAIN") throw new SopsError("ERR_READ", "Error reading from stdin", { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 10)); // a terminal another process made non-blocking
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
