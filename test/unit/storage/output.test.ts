import { spawnSync } from "node:child_process";
import { closeSync, lstatSync, mkdirSync, openSync, readSync, constants, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createOutput, isClosedPipe, writeStdout } from "../../../src/storage/output.ts";
import { failureOf } from "../../support/failure.ts";
import { faulty } from "../../support/file-faults.ts";
import { scratch } from "../../support/scratch.ts";

const isPosix = process.platform !== "win32";
const secret = { secret: true };

describe("an output file", () => {
  it("is made, with plaintext for its owner only", () => {
    const box = scratch();
    createOutput(box.at("secret"), Buffer.from("text"), secret);
    createOutput(box.at("clear"), Buffer.from("text"), { secret: false });
    writeFileSync(box.at("usual"), "");
    expect([box.mode("secret"), box.mode("clear")]).toEqual([0o600, box.mode("usual")]);
    expect(box.names()).toEqual(["clear", "secret", "usual"]);
  });

  it("is replaced by a new one with the old mode", () => {
    const box = scratch();
    box.put("file", "old", 0o644);
    const { ino } = lstatSync(box.at("file"));
    createOutput(box.at("file"), Buffer.from("text"), secret);
    expect([box.text("file"), box.mode("file")]).toEqual(["text", 0o644]);
    expect(lstatSync(box.at("file")).ino).not.toBe(ino);
  });

  it("is named in messages the way the user named it", () => {
    expect(
      failureOf(() => {
        createOutput("no/such/file", Buffer.from("text"), secret);
      }).message,
    ).toBe("Could not open output file for writing: open no/such/file: no such file or directory");
    const box = scratch();
    mkdirSync(box.at("folder"));
    expect(
      failureOf(() => {
        createOutput(box.at("folder"), Buffer.from("text"), secret);
      }).message,
    ).toBe(`Could not open output file for writing: open ${box.at("folder")}: is a directory`);
  });
});

describe.runIf(isPosix)("what cannot be replaced is written to", () => {
  it("/dev/null, which stays a device", () => {
    createOutput("/dev/null", Buffer.from("text"), secret);
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it.runIf(process.platform === "linux")("/dev/full, which takes nothing", () => {
    const failure = failureOf(() => {
      createOutput("/dev/full", Buffer.from("text"), secret);
    });
    expect(failure.code).toBe("ERR_WRITE");
    expect(failure.message).toBe("Could not write output file: write /dev/full: no space left on device");
  });

  it("a named pipe", () => {
    const box = scratch();
    spawnSync("mkfifo", [box.at("pipe")]);
    const fd = openSync(box.at("pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
    createOutput(box.at("pipe"), Buffer.from("text"), secret);
    const buffer = Buffer.alloc(10);
    expect(buffer.subarray(0, readSync(fd, buffer)).toString()).toBe("text");
    closeSync(fd);
    expect(lstatSync(box.at("pipe")).isFIFO()).toBe(true);
  });

  it.each(["/dev/fd/", "/proc/self/fd/"])("a descriptor, where it stands: %sN", (folder) => {
    const box = scratch();
    const fd = openSync(box.put("log", "before "), "a");
    createOutput(folder + String(fd), Buffer.from("text"), secret);
    closeSync(fd);
    expect(box.text("log")).toBe("before text");
  });

  it.each(["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])("standard output under the name %s", (name) => {
    const { files, calls } = faulty({ at: 1, with: "EPIPE", only: ["write"] });
    expect(
      failureOf(() => {
        createOutput(name, Buffer.from("text"), secret, files);
      }).message,
    ).toBe(`Could not write output file: write ${name}: broken pipe`);
    expect(calls).toEqual(["write"]);
  });
});

describe("standard output", () => {
  it.each(["EAGAIN", "EWOULDBLOCK", "EINTR"])("is waited for: %s", (errno) => {
    const { files, calls } = faulty({ at: 1, with: errno, only: ["write"] });
    writeStdout(new Uint8Array(), files);
    expect(calls).toEqual([]);
    writeStdout(Buffer.from("\n"), files);
    expect(calls).toEqual(["write", "write"]);
  });

  it.each([
    { errno: "EPIPE", closed: true },
    { errno: "ENOSPC", closed: false },
    { errno: "EIO", closed: false },
  ])("fails with $errno", ({ errno, closed }) => {
    const { files } = faulty({ at: 1, with: errno, only: ["write"] });
    const failure = failureOf(() => {
      writeStdout(Buffer.from("text"), files);
    });
    expect(failure.code).toBe("ERR_WRITE");
    expect(isClosedPipe(failure)).toBe(closed);
  });
});
