// What a lock holds, and what the finder of one does with it.
import { rmSync, symlinkSync, utimesSync } from "node:fs";
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { createCleanup } from "../../../src/storage/cleanup.ts";
import { nodeFileSystem, type FileSystem } from "../../../src/storage/file-system.ts";
import { withFileLock, type LockOptions } from "../../../src/storage/locks.ts";
import { livenessOf, ownIdentity } from "../../../src/storage/process-identity.ts";
import { expectNoOpenFiles } from "../../support/descriptors.ts";
import { failing } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const LOCK = ".file.leafcrypt-lock";
const GUARD = ".file.leafcrypt-void";
const GONE = 999_999_999;
const own = ownIdentity(nodeFileSystem);
const isLinux = process.platform === "linux";

expectNoOpenFiles();

/** Takes the lock of `file`, and gives what stands in it, or null where there is none. */
function lock(box: Scratch, options: Partial<LockOptions> = {}, files?: FileSystem): Promise<string | null> {
  const look = (): Promise<string | null> => Promise.resolve(box.names().includes(LOCK) ? box.text(LOCK) : null);
  return withFileLock(box.at("file"), { cleanup: createCleanup(), timeout: 50, ...options }, look, files);
}

function leave(box: Scratch, content: object | null, seconds = 0): void {
  box.put(LOCK, content === null ? "" : JSON.stringify(content));
  const then = Date.now() / 1000 - seconds;
  utimesSync(box.at(LOCK), then, then);
}

describe("a lock of ours", () => {
  it("holds whose it is, and something that no other has", async () => {
    const [first, second] = [await lock(scratch()), await lock(scratch())];
    for (const content of [first, second]) {
      const { token, ...identity } = JSON.parse(content ?? "") as { token: string };
      expect(identity).toEqual(own);
      expect(token).toMatch(/^[0-9a-f]{16}$/);
    }
    expect(first).not.toBe(second);
  });

  it("is an error with its name where links lead nowhere", async () => {
    const box = scratch();
    symlinkSync("file", box.at("file"));
    await expect(lock(box)).rejects.toMatchObject({
      code: "ERR_WRITE",
      message: `Could not lock file: open ${box.at("file")}: too many levels of symbolic links`,
    });
  });

  it("is left where it cannot be looked at when the work is done", async () => {
    const box = scratch();
    const files: FileSystem = {
      ...nodeFileSystem,
      open: (path, flags, mode) =>
        mode === undefined && path === box.at(LOCK)
          ? failing("open", "EACCES").open(path, flags)
          : nodeFileSystem.open(path, flags, mode),
    };
    await lock(box, {}, files);
    expect(box.names()).toEqual([LOCK]);
  });
});

describe("where a folder takes no lock", () => {
  it.each(["EACCES", "EPERM", "EROFS", "ENOENT", "ENOTDIR"])("the work is done without: %s", async (errno) => {
    const opened: string[] = [];
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, flags, mode) {
        if (mode !== undefined) opened.push(path);
        return mode === undefined ? nodeFileSystem.open(path, flags) : failing("open", errno).open(path, flags);
      },
    };
    const box = scratch();
    expect(await lock(box, {}, files)).toBeNull();
    expect(opened).toEqual([box.at(LOCK)]);
  });

  it("another reason is an error", async () => {
    const box = scratch();
    await expect(lock(box, {}, failing("open", "EMFILE", 1, true))).rejects.toThrow("too many open files");
    expect(box.names()).toEqual([]);
  });
});

describe("a lock that is found", () => {
  it("void, costs no waiting", async () => {
    const box = scratch();
    leave(box, { ...own, pid: GONE });
    expect(await lock(box, { timeout: 0 })).toContain(`"pid":${String(own.pid)}`);
    expect(box.names()).toEqual([]);
  });

  it.each(["EACCES", "ELOOP"])("and cannot be read (%s) is somebody's, of whom nothing is known", async (errno) => {
    const box = scratch();
    leave(box, own);
    const files: FileSystem = {
      ...nodeFileSystem,
      open: (path, flags, mode) =>
        mode === undefined && path === box.at(LOCK)
          ? failing("open", errno).open(path, flags)
          : nodeFileSystem.open(path, flags, mode),
    };
    await expect(lock(box, {}, files)).rejects.toMatchObject({
      code: "ERR_LOCKED",
      message: `${box.at("file")} is being changed by another process`,
    });
  });

  it("and is gone when it is looked at, was somebody's", async () => {
    const box = scratch();
    leave(box, own);
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, flags, mode) {
        if (mode === undefined && path === box.at(LOCK)) rmSync(path, { force: true });
        return nodeFileSystem.open(path, flags, mode);
      },
    };
    const content = await withFileLock(
      box.at("file"),
      { cleanup: createCleanup(), timeout: 5_000 },
      () => Promise.resolve(box.text(LOCK)),
      files,
    );
    expect(content).toContain(`"pid":${String(own.pid)}`);
  });

  it("and is never free, is not waited for beyond the time, by whatever is seen", async () => {
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, flags, mode) {
        const errno = mode === undefined ? "ENOENT" : "EEXIST";
        return path.endsWith("-lock")
          ? failing("open", errno).open(path, flags)
          : nodeFileSystem.open(path, flags, mode);
      },
    };
    const box = scratch();
    await expect(lock(box, { timeout: 0 }, files)).rejects.toMatchObject({
      code: "ERR_LOCKED",
      message: `${box.at("file")} is being changed by another process`,
    });
  });

  it("and cannot be read through is an error", async () => {
    const box = scratch();
    leave(box, own);
    let isLock = false;
    const under: FileSystem = {
      ...nodeFileSystem,
      fstat(fd) {
        isLock = true;
        return nodeFileSystem.fstat(fd);
      },
      read: (fd, buffer, offset, position) =>
        (isLock ? failing("read", "EIO") : nodeFileSystem).read(fd, buffer, offset, position),
    };
    await expect(lock(box, {}, under)).rejects.toMatchObject({
      code: "ERR_WRITE",
      message: `Could not lock file: read ${box.at("file")}: input/output error`,
    });
  });

  it("of another machine leaves what is beside the file, when it is void by its age", async () => {
    const box = scratch();
    const temporary = `.file.${String(GONE)}.0123456789ab.leafcrypt-tmp`;
    leave(box, { ...own, pid: GONE, scope: "00000000" }, 700);
    box.put(temporary, "");
    await lock(box);
    expect(box.names()).toEqual([temporary]);
  });

  it.each([
    { name: "no object", text: "text" },
    { name: "no number", text: `{"pid":"1","start":"1","scope":"00000000"}` },
    { name: "no scope", text: `{"pid":1,"start":"1"}` },
    { name: "a scope of another length", text: `{"pid":1,"start":"1","scope":"0"}` },
  ])("and names nobody is void after ten seconds: $name", async ({ text }) => {
    const box = scratch();
    box.put(LOCK, text);
    await expect(lock(box)).rejects.toMatchObject({ code: "ERR_LOCKED" });
    utimesSync(box.at(LOCK), Date.now() / 1000 - 11, Date.now() / 1000 - 11);
    expect(await lock(box)).toContain(`"pid":${String(own.pid)}`);
  });

  it("void, which another one has removed in the meantime, is nothing to remove", async () => {
    const box = scratch();
    leave(box, { ...own, pid: GONE });
    let isRemoved = false;
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, flags, mode) {
        if (path.endsWith(GUARD) && !isRemoved) {
          isRemoved = true;
          rmSync(box.at(LOCK));
        }
        return nodeFileSystem.open(path, flags, mode);
      },
    };
    expect(await lock(box, { timeout: 5_000 }, files)).toContain(`"pid":${String(own.pid)}`);
    expect(box.names()).toEqual([]);
  });

  it("void, with a guard that goes while it is looked at", async () => {
    const box = scratch();
    leave(box, { ...own, pid: GONE });
    box.put(GUARD, "");
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, flags, mode) {
        if (path.endsWith(GUARD) && mode === undefined) rmSync(path);
        return nodeFileSystem.open(path, flags, mode);
      },
    };
    expect(await lock(box, { timeout: 5_000 }, files)).toContain(`"pid":${String(own.pid)}`);
    expect(box.names()).toEqual([]);
  });
});

describe.runIf(isLinux)("a process", () => {
  const blind = failing("open", "EACCES", 1, true);

  it("is known by when it started, and where its number means something", () => {
    const boot = nodeFileSystem.open("/proc/sys/kernel/random/boot_id", 0);
    const id = Buffer.alloc(100);
    const length = nodeFileSystem.read(boot, id, 0, null);
    nodeFileSystem.close(boot);
    const parts = [hostname(), id.toString("latin1", 0, length).trim(), nodeFileSystem.readlink("/proc/self/ns/pid")];
    const scope = createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 8);
    expect(own).toEqual({ pid: process.pid, start: expect.stringMatching(/^\d+$/) as string, scope });
    expect(livenessOf(own, nodeFileSystem)).toBe("running");
  });

  it("is known by less where the system does not tell", () => {
    const files: FileSystem = { ...blind, readlink: (path) => failing("readlink", "EACCES").readlink(path) };
    const scope = createHash("sha256").update([hostname(), "", ""].join("\n")).digest("hex").slice(0, 8);
    expect(ownIdentity(files)).toEqual({ pid: process.pid, start: "", scope });
  });

  it("runs if its number does and its start is not known to be another", () => {
    const seen = ownIdentity(blind);
    expect(livenessOf(seen, blind)).toBe("running");
    expect(livenessOf({ ...seen, start: "1" }, blind)).toBe("running");
    expect(livenessOf({ ...own, start: "" }, nodeFileSystem)).toBe("running");
    expect(livenessOf({ ...own, start: "1" }, nodeFileSystem)).toBe("gone");
    expect(livenessOf({ ...own, pid: GONE }, nodeFileSystem)).toBe("gone");
    expect(livenessOf({ ...own, scope: "0" }, nodeFileSystem)).toBe("unknown");
    expect(livenessOf({ ...own, pid: 1, start: "" }, nodeFileSystem)).toBe("running");
  });
});
