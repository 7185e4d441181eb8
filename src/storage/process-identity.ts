import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { isErrno, openFlags, readAll, succeeds, type FileSystem } from "./file-system.ts";

/** A process as files name it: so that a later one with the same number is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the system's own ticks since boot; empty where the system does not tell. */
  readonly start: string;
  /** The machine, boot and pid namespace in which the number means something, as 8 hexadecimal digits. */
  readonly scope: string;
}

/** Whether the process that left something behind still runs; `unknown` for one of another machine or container. */
export type Liveness = "running" | "gone" | "unknown";

/** This process. */
export function ownIdentity(files: FileSystem): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid, files), scope: ownScope(files) };
}

/** Looks whether another process still runs. */
export function livenessOf({ pid, start, scope }: ProcessIdentity, files: FileSystem): Liveness {
  if (scope !== ownScope(files)) return "unknown";
  if (!isAlive(pid)) return "gone";
  const now = startOf(pid, files);
  return now === start || now === "" || start === "" ? "running" : "gone";
}

/** Host names repeat and survive a reboot; the boot id of Linux does neither. */
function ownScope(files: FileSystem): string {
  const parts = [hostname(), textOf("/proc/sys/kernel/random/boot_id", files), linkText("/proc/self/ns/pid", files)];
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isErrno(error, "ESRCH"); // EPERM: it runs, and is somebody else's.
  }
}

/** Field 22 of proc(5)'s `stat`. The second field is the program's name in parentheses, and may hold anything. */
function startOf(pid: number, files: FileSystem): string {
  const stat = textOf(`/proc/${String(pid)}/stat`, files);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** The text of a small file; empty where there is none. */
function textOf(path: string, files: FileSystem): string {
  let text = "";
  succeeds(() => {
    const fd = files.open(path, openFlags.read);
    try {
      text = Buffer.from(readAll(fd, 1024, 4096, files))
        .toString("latin1")
        .trim();
    } finally {
      files.close(fd);
    }
  });
  return text;
}

function linkText(path: string, files: FileSystem): string {
  let text = "";
  succeeds(() => {
    text = files.readlink(path);
  });
  return text;
}
