// Reading and writing through descriptors, and what is said when that fails.
import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { SopsError } from "../../../src/errors.ts";
import { installCleanup, createCleanup } from "../../../src/storage/cleanup.ts";
import { describeFailure, isLookup, reasonOf } from "../../../src/storage/failures.ts";
import {
  closeQuietly,
  errnoOf,
  holds,
  isErrno,
  nodeFileSystem,
  openFlags,
  readAll,
  succeeds,
  writeAll,
  type FileStatus,
  type FileSystem,
} from "../../../src/storage/file-system.ts";
import { resolveLinks } from "../../../src/storage/links.ts";
import { createOutput, isClosedPipe, writeStdout } from "../../../src/storage/output.ts";
import { fileExists, fileSize, isSameFile, MAX_INPUT_BYTES, readInput, readStdin } from "../../../src/storage/read.ts";
import { expectNoOpenFiles } from "../../support/descriptors.ts";
import { failureOf } from "../../support/failure.ts";
import { failing } from "../../support/file-faults.ts";
import { scratch } from "../../support/scratch.ts";

expectNoOpenFiles();

const callError = (code: unknown, syscall: unknown): Error => Object.assign(new Error("x"), { code, syscall });

/** A file system whose one descriptor gives these pieces; remembers the positions that were asked for. */
function giving(pieces: readonly string[]): { files: FileSystem; positions: (number | null)[]; rooms: number[] } {
  const rest = pieces.map((text) => Buffer.from(text));
  const positions: (number | null)[] = [];
  const rooms: number[] = [];
  const files: FileSystem = {
    ...nodeFileSystem,
    read(_fd, buffer, offset, position) {
      positions.push(position);
      rooms.push(buffer.length - offset);
      return rest.shift()?.copy(buffer, offset) ?? 0;
    },
  };
  return { files, positions, rooms };
}

describe("reading to the end", () => {
  it("goes on where the descriptor stands, or counts from the start", () => {
    const [standing, counted] = [giving(["ab", "c"]), giving(["ab", "c"])];
    expect(Buffer.from(readAll(0, 10, 100, standing.files)).toString()).toBe("abc");
    expect(Buffer.from(readAll(0, 10, 100, counted.files, 0)).toString()).toBe("abc");
    expect(standing.positions).toEqual([null, null, null]);
    expect(counted.positions).toEqual([0, 2, 3]);
  });

  it("needs one buffer for a file that is as long as it should be, and stops beyond the limit", () => {
    const exact = giving(["abc"]);
    readAll(0, 3, 100, exact.files);
    expect(exact.rooms).toEqual([4, 1]);
    const more = giving(["abc", "d", "e"]);
    expect(readAll(0, 3, 3, more.files)).toHaveLength(4);
    expect(more.rooms).toEqual([4, 1]);
  });

  it.each([1, 10, 3000])("compares all of what a file holds, in pieces of at most 1 MiB: %d bytes more", (more) => {
    const size = 2 ** 20 + more;
    const box = scratch();
    writeFileSync(box.at("file"), Buffer.alloc(size, 7));
    const fd = nodeFileSystem.open(box.at("file"), openFlags.read);
    const rooms: number[] = [];
    const files: FileSystem = {
      ...nodeFileSystem,
      read(...parameters) {
        rooms.push(parameters[1].length);
        return nodeFileSystem.read(...parameters);
      },
    };
    try {
      expect(holds(fd, Buffer.alloc(size, 7), files)).toBe(true);
      expect(Math.max(...rooms)).toBe(2 ** 20);
      for (const other of [size - 1, size + 1]) expect(holds(fd, Buffer.alloc(other, 7), files)).toBe(false);
    } finally {
      nodeFileSystem.close(fd);
    }
  });

  it("compares an empty file in two bytes or less", () => {
    const { files, rooms } = giving([]);
    expect(holds(0, new Uint8Array(), files)).toBe(true);
    expect(rooms).toEqual([1]);
  });
});

describe("writing", () => {
  it("goes on where the descriptor stands, or counts", () => {
    for (const [position, expected] of [
      [null, [null, null]],
      [5, [5, 7]],
    ] as const) {
      const positions: (number | null)[] = [];
      const write: FileSystem["write"] = (_fd, bytes, offset, at) => {
        positions.push(at);
        return Math.min(2, bytes.length - offset);
      };
      writeAll(0, Buffer.from("abcd"), { ...nodeFileSystem, write }, position);
      expect(positions).toEqual(expected);
    }
  });

  it("waits longer and longer for what is not ready, and never more than 50 ms", () => {
    const pauses: number[] = [];
    const wait = vi.spyOn(Atomics, "wait").mockImplementation((...parameters: unknown[]) => {
      pauses.push(Number(parameters[3]));
      return "timed-out";
    });
    let tries = 0;
    const write = (): number => {
      tries += 1;
      if (tries <= 8) throw callError("EAGAIN", "write");
      return 1;
    };
    try {
      writeAll(0, Buffer.from("a"), { ...nodeFileSystem, write });
    } finally {
      wait.mockRestore();
    }
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 50, 50]);
  });
});

describe("the real file system", () => {
  it("knows its files by exact numbers, and its volumes by their kind and room", () => {
    const box = scratch();
    const path = box.put("file", "text");
    for (const status of [nodeFileSystem.stat(path), nodeFileSystem.lstat(path)]) expect(status.size).toBe(4n);
    const { type, free } = nodeFileSystem.volume(box.path);
    expect(type).toBeGreaterThan(0);
    expect(free).toBeGreaterThan(2 ** 20);
    expect(Number.isInteger(free)).toBe(true);
  });

  it("makes folders of a mode, and removes them with all in them, or not at all", () => {
    const box = scratch();
    nodeFileSystem.makeFolder(box.at("folder"), 0o700);
    expect(box.mode("folder")).toBe(0o700);
    mkdirSync(box.at("folder/sub"));
    nodeFileSystem.removeFolder(box.at("folder"));
    nodeFileSystem.removeFolder(box.at("folder"));
    expect(box.names()).toEqual([]);
  });
});

describe("failed calls", () => {
  it("are errors with a code and the name of a call", () => {
    expect(errnoOf(callError("EIO", "read"))).toBe("EIO");
    for (const other of [callError("EIO", undefined), callError(5, "read"), { code: "EIO", syscall: "read" }, null])
      expect(errnoOf(other)).toBeUndefined();
    expect(isErrno(callError("EIO", "read"), "EACCES", "EIO")).toBe(true);
    expect(isErrno(callError("EIO", "read"), "EACCES")).toBe(false);
    expect(isErrno(new Error("EIO"), "EIO")).toBe(false);
    expect(isErrno(new Error("x"))).toBe(false);
  });

  it("may be without harm, all or some", () => {
    const failingWith = (error: Error) => (): never => {
      throw error;
    };
    expect(succeeds(() => undefined)).toBe(true);
    expect(succeeds(failingWith(callError("EIO", "read")))).toBe(false);
    expect(succeeds(failingWith(callError("EIO", "read")), "EIO")).toBe(false);
    expect(() => succeeds(failingWith(callError("EIO", "read")), "EACCES")).toThrow();
    for (const names of [[], ["EIO"]]) expect(() => succeeds(failingWith(new Error("y")), ...names)).toThrow("y");
    closeQuietly(1, failing("close", "EIO"));
    expect(() => {
      closeQuietly(1, { ...nodeFileSystem, close: failingWith(new Error("z")) });
    }).toThrow("z");
  });

  it("are told with the call, the file and the reason", () => {
    expect(describeFailure(callError("ENOENT", "lstat"), "/a\nb")).toBe("open /a\\nb: no such file or directory");
    expect(describeFailure(callError("EIO", "write"), "/a")).toBe("write /a: input/output error");
    expect(describeFailure(new Error("x"), "/a")).toBe("use /a: unknown");
    expect(reasonOf(callError("EWHATEVER", "read"))).toBe("EWHATEVER");
    expect(isLookup(new Error("x"))).toBe(false);
  });
});

describe("links", () => {
  it("are followed as far as the system follows them", () => {
    const numberOf = (path: string): number => Number(/\d+$/.exec(path)?.[0]);
    const chain = (length: number): FileSystem => ({
      ...nodeFileSystem,
      lstat: (path) => ({ isSymbolicLink: () => numberOf(path) < length }) as FileStatus,
      readlink: (path) => `l${String(numberOf(path) + 1)}`,
      stat: () => {
        throw callError("ELOOP", "stat");
      },
    });
    expect(resolveLinks("/x/l0", chain(39))).toBe("/x/l39");
    expect(() => resolveLinks("/x/l0", chain(40))).toThrow(expect.objectContaining({ code: "ELOOP" }));
  });

  it("that cannot be looked at are an error", () => {
    expect(() => resolveLinks("/x", failing("lstat", "EACCES"))).toThrow("EACCES");
    expect(resolveLinks("/x", failing("lstat", "ENOENT"))).toBe("/x");
  });
});

describe("standard streams", () => {
  it("are read to the end", () => {
    expect(Buffer.from(readStdin(giving(["he", "llo"]).files)).toString()).toBe("hello");
  });

  it("say when they cannot be read, or have no end", () => {
    expect(failureOf(() => readStdin(failing("read", "EISDIR")))).toMatchObject({
      code: "ERR_READ",
      message: "Error reading from stdin: read /dev/stdin: is a directory",
    });
    const endless = {
      ...nodeFileSystem,
      read: ((_fd, buffer, offset) => buffer.length - offset) as FileSystem["read"],
    };
    expect(failureOf(() => readStdin(endless))).toMatchObject({
      code: "ERR_LIMIT",
      message: `standard input is larger than ${String(MAX_INPUT_BYTES)} bytes`,
    });
  });

  it("say when they cannot be written", () => {
    expect(
      failureOf(() => {
        writeStdout(Buffer.from("x"), failing("write", "ENOSPC"));
      }),
    ).toMatchObject({
      code: "ERR_WRITE",
      message: "Could not write to standard output: write /dev/stdout: no space left on device",
    });
  });

  it("are closed pipes by the reason alone", () => {
    const cause = callError("EPIPE", "write");
    expect(isClosedPipe(new SopsError("ERR_WRITE", "x", { cause }))).toBe(true);
    expect(isClosedPipe(new SopsError("ERR_READ", "x", { cause }))).toBe(false);
    expect(isClosedPipe(new SopsError("ERR_WRITE", "x", { cause: callError("EIO", "write") }))).toBe(false);
    expect(isClosedPipe({ code: "ERR_WRITE", cause })).toBe(false);
    expect(isClosedPipe(null)).toBe(false);
  });
});

describe("files", () => {
  it.each(["ENOENT", "ENOTDIR"])("are not there: %s", (errno) => {
    expect(fileExists("/x", failing("stat", errno))).toBe(false);
  });

  it("are there if nobody can say otherwise", () => {
    expect(fileExists("/x", failing("stat", "EACCES"))).toBe(true);
  });

  it("have a size, or none that is known", () => {
    const box = scratch();
    expect(fileSize(box.put("file", "text"))).toBe(4);
    expect(fileSize(box.at("none"))).toBe(0);
  });

  it.each(["dev", "ino", "size", "mtimeNs"] as const)("are others by another %s", (field) => {
    const { identity } = readInput(scratch().put("file", "text"));
    if (identity === null) throw new Error("no identity");
    const look = (change: bigint): boolean => {
      const fstat = (): FileStatus => ({ ...identity, [field]: identity[field] + change }) as unknown as FileStatus;
      return isSameFile(identity, 0, { ...giving(["text"]).files, fstat });
    };
    expect([look(0n), look(1n)]).toEqual([true, false]);
  });

  it("beyond the limit are not read at all, and those at it are", () => {
    const path = scratch().put("file", "text");
    const sized = (size: bigint): { files: FileSystem; reads: () => number } => {
      let reads = 0;
      const read = (): number => {
        reads += 1;
        return 0;
      };
      const fstat = (fd: number): FileStatus => Object.assign(nodeFileSystem.fstat(fd), { size });
      return { files: { ...nodeFileSystem, read, fstat }, reads: () => reads };
    };
    const [at, beyond] = [sized(BigInt(MAX_INPUT_BYTES)), sized(BigInt(MAX_INPUT_BYTES) + 1n)];
    expect(readInput(path, at.files).bytes).toHaveLength(0);
    expect(failureOf(() => readInput(path, beyond.files)).code).toBe("ERR_LIMIT");
    expect([at.reads(), beyond.reads()]).toEqual([1, 0]);
  });

  it.runIf(process.platform !== "win32")("that are devices say when they cannot be opened", () => {
    const open = (): void => {
      createOutput("/dev/null", Buffer.from("x"), { secret: true }, failing("open", "EACCES"));
    };
    expect(failureOf(open)).toMatchObject({
      code: "ERR_WRITE",
      message: "Could not open output file for writing: open /dev/null: permission denied",
    });
    const write = (): void => {
      createOutput("/dev/null", Buffer.from("x"), { secret: true }, failing("write", "EIO"));
    };
    expect(failureOf(write)).toMatchObject({
      code: "ERR_WRITE",
      message: "Could not write output file: write /dev/null: input/output error",
    });
  });
});

describe("the end of the process", () => {
  it("is for every signal, unless somebody wants it", () => {
    const listeners = new Map<string, () => void>();
    const killed: string[] = [];
    const source = {
      pid: 7,
      on: (event: string, listener: () => void) => listeners.set(event, listener),
      off: (event: string) => listeners.delete(event),
      kill: (pid: number, signal: string) => killed.push(`${String(pid)} ${signal}`),
    };
    const cleanup = createCleanup();
    const done: string[] = [];
    cleanup.add(() => done.push("cleaned"));
    installCleanup(source, cleanup);
    listeners.get("SIGTERM")?.();
    expect([killed, done, listeners.size]).toEqual([["7 SIGTERM"], ["cleaned"], 0]);
  });
});
