// eslint-disable-next-line no-restricted-syntax -- into a pipe, of which there are no halves
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";
import { isErrno } from "../storage/file-system.ts";

/** A named pipe that gives its content to whoever opens it, once. */
export interface Fifo {
  readonly path: string;
  /** Ends the waiting for a reader, and the writing. */
  close(): void;
}

/** Milliseconds between two looks for a reader: soon after the command has started, later seldom. */
const PAUSES = { first: 1, longest: 20 } as const;

/**
 * Makes a FIFO (0600) and writes the content into it as soon as it is opened for reading.
 *
 * It is opened without blocking, time and again until there is a reader: a blocking open would hold one of Node's threads,
 * and with it the end of this process, for as long as nobody reads.
 */
export async function serveFifo(folder: string, name: string, content: Uint8Array, host: Host): Promise<Fifo> {
  const path = join(folder, name);
  if (!(await makeFifo(path, host)))
    throw new SopsError("ERR_WRITE", "the FIFO could not be created", { hint: "pass --no-fifo for a regular file" });
  return { path, close: serve(path, content) };
}

/** Node has no call for it, and small images have no mkfifo(1). */
async function makeFifo(path: string, host: Host): Promise<boolean> {
  try {
    const { status } = await host.run("mkfifo", ["-m", "600", path]);
    return status === 0;
  } catch (error) {
    if (error instanceof SopsError && error.code === "ERR_PROCESS") return false;
    throw error;
  }
}

function serve(path: string, content: Uint8Array): () => void {
  let timer: NodeJS.Timeout | undefined;
  let fd: number | undefined;
  let written = 0;
  let pause: number = PAUSES.first;
  const close = (): void => {
    clearTimeout(timer);
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  const step = (): void => {
    try {
      fd ??= openForReader(path);
      if (fd === undefined) pause = Math.min(pause * 1.1, PAUSES.longest);
      else pause = PAUSES.first;
      while (fd !== undefined && written < content.length) written += writeSync(fd, content, written);
      if (fd === undefined) timer = setTimeout(step, pause);
      else close();
    } catch (error) {
      // Full: the reader is slow. Anything else, and the reader has gone, or the FIFO has.
      if (isErrno(error, "EAGAIN")) timer = setTimeout(step, pause);
      else close();
    }
  };
  step();
  return close;
}

/** Undefined as long as nobody has opened the other end. */
function openForReader(path: string): number | undefined {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isErrno(error, "ENXIO")) return undefined;
    throw error;
  }
}
