import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";
import { KeyError } from "../../errors.ts";
import { systemCode } from "../call.ts";
import { printable } from "../fields.ts";

/** A place for a socket that nobody else can open. */
export interface PrivateSocket {
  /** Where to listen first: inside a new folder of ours, mode 0700. */
  readonly bindPath: string;
  /** Moves the socket to the path that was asked for, mode 0600, in place of one that is no longer used. */
  publish(): void;
  /** Removes the socket and whatever is left. */
  remove(): void;
}

/**
 * Prepares a socket that is never open to others, not even for the moment between its making and a change of its mode:
 * it is made in a private folder beside its path, and moved.
 *
 * @throws {KeyError} if somebody listens at the path already, or a file that is no socket stands there
 */
export async function privateSocket(path: string): Promise<PrivateSocket> {
  const target = resolve(path);
  await requireUnused(target);
  const folder = makeFolder(dirname(target), path);
  const bindPath = join(folder, "s");
  let isPublished = false;
  return {
    bindPath,
    publish: () => {
      chmodSync(bindPath, 0o600);
      renameSync(bindPath, target);
      isPublished = true;
      rmSync(folder, { recursive: true, force: true });
    },
    remove: () => {
      if (isPublished) rmSync(target, { force: true });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function makeFolder(parent: string, path: string): string {
  try {
    return mkdtempSync(join(parent, ".ks-"));
  } catch (error) {
    const reason = REASONS[systemCode(error) ?? ""] ?? "cannot be made";
    throw new KeyError(`listen unix ${printable(path)}: bind: ${reason}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EACCES: "permission denied",
  EROFS: "read-only file system",
};

async function requireUnused(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new KeyError(`listen unix ${printable(path)}: bind: there is a file that is no socket`);
  if (await isAnswered(path)) throw new KeyError(`listen unix ${printable(path)}: bind: address already in use`);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      done(true);
    });
    // Only a refusal says that nobody listens; a socket that we may not open is somebody's.
    socket.once("error", (error: NodeJS.ErrnoException) => {
      done(error.code !== "ECONNREFUSED" && error.code !== "ENOENT");
    });
  });
}
