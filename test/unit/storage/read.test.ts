import { closeSync, openSync, mkdirSync, symlinkSync } from "node:fs";
import { relative } from "node:path";
import { expect, it } from "vitest";
import { nodeFileSystem, type FileSystem } from "../../../src/storage/file-system.ts";
import { fileExists, isSameFile, MAX_INPUT_BYTES, readIfPresent, readInput } from "../../../src/storage/read.ts";
import { failureOf } from "../../support/failure.ts";
import { faulty } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

it.each([
  { name: "empty", size: 0 },
  { name: "one byte", size: 1 },
  { name: "more than one buffer", size: 200_003 },
])("reads a file: $name", ({ size }) => {
  const box = scratch();
  const text = "\u0000ÿ\n".repeat(size).slice(0, size);
  const { bytes, identity } = readInput(box.put("file", text));
  expect(Buffer.from(bytes).toString()).toBe(text);
  expect(identity?.content).toBe(bytes);
});

it("reads in pieces, and what grows while it is read", () => {
  const box = scratch();
  const path = box.put("file", "x".repeat(1000));
  const files: FileSystem = {
    ...nodeFileSystem,
    fstat: (fd) => Object.assign(nodeFileSystem.fstat(fd), { size: 10n }),
    read: (fd, buffer, offset, position) =>
      nodeFileSystem.read(fd, buffer.subarray(0, Math.min(buffer.length, offset + 7)), offset, position),
  };
  expect(readInput(path, files).bytes).toHaveLength(1000);
});

it.each(["EINTR", "EAGAIN"])("reads on after %s", (errno) => {
  const path = scratch().put("file", "text");
  const { files } = faulty({ at: 1, with: errno, only: ["read"] });
  expect(Buffer.from(readInput(path, files).bytes).toString()).toBe("text");
});

it.each([
  { name: "missing", prepare: () => undefined, call: "open", reason: "no such file or directory" },
  {
    name: "a folder",
    prepare: (box: Scratch) => {
      mkdirSync(box.at("file"));
    },
    call: "read",
    reason: "is a directory",
  },
  {
    name: "a loop of links",
    prepare: (box: Scratch) => {
      symlinkSync("file", box.at("file"));
    },
    call: "open",
    reason: "too many levels of symbolic links",
  },
])("names the absolute path of a file that cannot be read: $name", ({ prepare, call, reason }) => {
  const box = scratch();
  prepare(box);
  const failure = failureOf(() => readInput(relative(process.cwd(), box.at("file"))));
  expect(failure.code).toBe("ERR_READ");
  expect(failure.message).toBe(`Error reading file: ${call} ${box.at("file")}: ${reason}`);
});

it.skipIf(process.platform === "win32")("gives no identity to what cannot be replaced", () => {
  expect(readInput("/dev/null")).toEqual({ bytes: new Uint8Array(), identity: null });
});

it.each([
  { name: "by its size", declared: BigInt(MAX_INPUT_BYTES) + 1n },
  { name: "as it grows", declared: 0n },
])("stops at the limit: $name", ({ declared }) => {
  const path = scratch().put("file", "text");
  const files: FileSystem = {
    ...nodeFileSystem,
    fstat: (fd) => Object.assign(nodeFileSystem.fstat(fd), { size: declared }),
    read: (_fd, buffer, offset) => buffer.length - offset, // without end
  };
  const failure = failureOf(() => readInput(path, files));
  expect(failure.code).toBe("ERR_LIMIT");
  expect(failure.message).toBe(`${path} is larger than ${String(MAX_INPUT_BYTES)} bytes`);
});

it("tells an absent file from one that cannot be read", () => {
  const box = scratch();
  mkdirSync(box.at("folder"));
  expect(readIfPresent(box.at("none"))).toBeNull();
  expect(readIfPresent(`${box.put("file", "text")}/below`)).toBeNull();
  expect(Buffer.from(readIfPresent(box.at("file")) ?? []).toString()).toBe("text");
  expect(failureOf(() => readIfPresent(box.at("folder"))).code).toBe("ERR_READ");
});

it("asks whether a file is there the way the reference does: a dangling link is not", () => {
  const box = scratch();
  symlinkSync("none", box.at("link"));
  expect([fileExists(box.put("file", "")), fileExists(box.at("link")), fileExists(box.at("none"))]).toEqual([
    true,
    false,
    false,
  ]);
});

it("knows a file from a copy of it", () => {
  const box = scratch();
  const isFileA = (name: string): boolean => {
    const { identity } = readInput(box.at("a"));
    const fd = openSync(box.at(name), "r");
    try {
      return identity !== null && isSameFile(identity, fd, nodeFileSystem);
    } finally {
      closeSync(fd);
    }
  };
  box.put("a", "text");
  box.put("b", "text");
  expect(isFileA("a")).toBe(true);
  expect(isFileA("b")).toBe(false);
});
