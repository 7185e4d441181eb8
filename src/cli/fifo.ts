import { closeSync, constants, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";

/** A named pipe that gives its content to whoever opens it, once. */
export interface Fifo {
  readonly path: string;
  /** Ends the waiting for a reader that never came. */
  close(): Promise<void>;
}

/** Makes a FIFO (0600) and writes the content into it as soon as it is opened for reading. */
export async function serveFifo(folder: string, name: string, content: Uint8Array, host: Host): Promise<Fifo> {
  const path = join(folder, name);
  const { status } = await host.run("mkfifo", ["-m", "600", path]);
  if (status !== 0)
    throw new SopsError("ERR_WRITE", "the FIFO could not be created", { hint: "pass --no-fifo for a regular file" });
  const writing = write(path, content);
  return {
    path,
    async close() {
      // Opening it for reading lets the writer go on that waits for a reader; what it writes is then nobody's.
      const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        await Promise.race([writing, new Promise((resolve) => setTimeout(resolve, 100))]);
      } finally {
        closeSync(fd);
      }
      await writing;
    },
  };
}

async function write(path: string, content: Uint8Array): Promise<void> {
  try {
    const file = await open(path, "w");
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  } catch {
    // A reader that does not want all of it closes the pipe; that is its business.
  }
}
