import { mkdirSync, symlinkSync, utimesSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SopsError } from "../../../src/errors.ts";
import { createCleanup } from "../../../src/storage/cleanup.ts";
import { nodeFileSystem, type FileSystem } from "../../../src/storage/file-system.ts";
import { withFileLock, type LockOptions } from "../../../src/storage/locks.ts";
import { ownIdentity } from "../../../src/storage/process-identity.ts";
import { faulty } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const LOCK = ".file.leafcrypt-lock";
const own = ownIdentity(nodeFileSystem);
const GONE = 999_999_999;

const lock = (box: Scratch, options: Partial<LockOptions> = {}, files?: FileSystem): Promise<string[]> =>
  withFileLock(
    box.at("file"),
    { cleanup: createCleanup(), timeout: 50, ...options },
    () => Promise.resolve(box.names()),
    files,
  );

const age = (box: Scratch, name: string, seconds: number): void => {
  const then = Date.now() / 1000 - seconds;
  utimesSync(box.at(name), then, then);
};

describe("a lock", () => {
  it("stands beside the file while it is held, and no longer", async () => {
    const box = scratch();
    box.put("file", "");
    expect(await lock(box)).toEqual([LOCK, "file"]);
    expect(box.names()).toEqual(["file"]);
  });

  it("is given back when its user fails", async () => {
    const box = scratch();
    box.put("file", "");
    const failing = withFileLock(box.at("file"), { cleanup: createCleanup() }, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(box.names()).toEqual(["file"]);
  });

  it("is given back by the cleanup", async () => {
    const box = scratch();
    const cleanup = createCleanup();
    await withFileLock(box.at("file"), { cleanup }, () => {
      cleanup.run();
      expect(box.names()).toEqual([]);
      return Promise.resolve();
    });
  });

  it("is that of the file a link leads to", async () => {
    const box = scratch();
    box.put("target", "");
    symlinkSync("target", box.at("file"));
    expect(await lock(box)).toContain(".target.leafcrypt-lock");
  });

  it("is held by one at a time, within a process too", async () => {
    const box = scratch();
    const log: string[] = [];
    const use = (name: string): Promise<void> =>
      withFileLock(box.at("file"), { cleanup: createCleanup() }, async () => {
        log.push(`${name} in`);
        await new Promise((resolve) => setTimeout(resolve, 10));
        log.push(`${name} out`);
      });
    await Promise.all([use("a"), use("b"), use("c")]);
    expect(log).toHaveLength(6);
    for (let i = 0; i < 6; i += 2) expect(log[i + 1]).toBe(log[i]?.replace("in", "out"));
  });

  it("is not waited for without end", async () => {
    const box = scratch();
    box.put(LOCK, JSON.stringify(own));
    const failure: unknown = await lock(box).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SopsError);
    expect(failure).toMatchObject({
      code: "ERR_LOCKED",
      message: `${box.at("file")} is being changed by another process (process ${String(own.pid)})`,
      hint: `if there is none, delete ${box.at(LOCK)}`,
    });
    expect(box.names()).toEqual([LOCK]);
  });

  it("that was taken over meanwhile is left to its new owner", async () => {
    const box = scratch();
    await withFileLock(box.at("file"), { cleanup: createCleanup() }, () => {
      box.put(LOCK, "another");
      return Promise.resolve();
    });
    expect(box.text(LOCK)).toBe("another");
  });
});

describe("a lock left behind", () => {
  const isLinux = process.platform === "linux";

  it.each([
    { name: "of a process that is gone", content: { ...own, pid: GONE }, seconds: 0, void: true },
    { name: "of a number used again", content: { ...own, start: "1" }, seconds: 0, void: isLinux },
    { name: "of another machine, new", content: { ...own, pid: GONE, scope: "00000000" }, seconds: 500, void: false },
    { name: "of another machine, old", content: { ...own, pid: GONE, scope: "00000000" }, seconds: 700, void: true },
    { name: "of a process that runs, old", content: own, seconds: 100_000, void: false },
    { name: "without an owner, new", content: null, seconds: 5, void: false },
    { name: "without an owner, old", content: null, seconds: 20, void: true },
  ])("$name", async ({ content, seconds, void: isVoid }) => {
    const box = scratch();
    box.put(LOCK, content === null ? "" : JSON.stringify(content));
    age(box, LOCK, seconds);
    if (isVoid) {
      expect(await lock(box)).toEqual([LOCK]);
      expect(box.names()).toEqual([]);
    } else {
      await expect(lock(box)).rejects.toMatchObject({ code: "ERR_LOCKED" });
      expect(box.names()).toEqual([LOCK]);
    }
  });

  it("takes the temporary files of its process with it, and no others", async () => {
    const box = scratch();
    box.put(LOCK, JSON.stringify({ ...own, pid: GONE }));
    const random = "0123456789ab";
    const others = [
      `.file.${String(own.pid)}.${random}.leafcrypt-tmp`,
      `.other.${String(GONE)}.${random}.leafcrypt-tmp`,
      `.file.${String(GONE)}.${random}.txt`,
      ".file.leafcrypt-recovery",
    ];
    for (const name of [`.file.${String(GONE)}.${random}.leafcrypt-tmp`, ...others]) box.put(name, "");
    await lock(box);
    expect(box.names()).toEqual([...others].sort());
  });

  it("is not removed when another process has just put its own in its place", async () => {
    const box = scratch();
    box.put(LOCK, JSON.stringify({ ...own, pid: GONE }));
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, flags, mode) {
        if (path.endsWith("-void")) box.put(LOCK, JSON.stringify(own));
        return nodeFileSystem.open(path, flags, mode);
      },
    };
    await expect(lock(box, {}, files)).rejects.toMatchObject({ code: "ERR_LOCKED" });
    expect(box.text(LOCK)).toBe(JSON.stringify(own));
    expect(box.names()).toEqual([LOCK]);
  });

  it("is not removed while another process is about to, unless that one is gone", async () => {
    const box = scratch();
    const guard = ".file.leafcrypt-void";
    box.put(LOCK, JSON.stringify({ ...own, pid: GONE }));
    box.put(guard, "");
    await Promise.race([lock(box, { timeout: 60_000 }), new Promise((resolve) => setTimeout(resolve, 150))]);
    expect(box.names()).toEqual([LOCK, guard]);
    age(box, guard, 20);
    await expect.poll(() => box.names(), { timeout: 5_000 }).toEqual([]);
  });
});

describe("where no lock can be made", () => {
  const refusing = (errno: string): FileSystem => faulty({ at: 1, with: errno, only: ["open"] }).files;
  const readOnly = (box: Scratch): FileSystem => ({
    ...nodeFileSystem,
    open: (path, flags, mode) =>
      mode !== undefined && path.startsWith(`${box.path}/.`)
        ? refusing("EROFS").open(path, flags)
        : nodeFileSystem.open(path, flags, mode),
  });

  it("another folder takes it", async () => {
    const box = scratch();
    mkdirSync(box.at("locks"));
    const seen = await withFileLock(
      box.at("file"),
      { cleanup: createCleanup(), lockFolder: box.at("locks") },
      () => Promise.resolve(nodeFileSystem.list(box.at("locks"))),
      readOnly(box),
    );
    expect(seen).toEqual([expect.stringMatching(/^[0-9a-f]{32}\.leafcrypt-lock$/)]);
    expect(nodeFileSystem.list(box.at("locks"))).toEqual([]);
  });

  it("the work is done without, in a read-only folder and in one that is not there", async () => {
    const box = scratch();
    expect(await lock(box, {}, readOnly(box))).toEqual([]);
    const nowhere = withFileLock(box.at("none/file"), { cleanup: createCleanup() }, () => Promise.resolve("done"));
    expect(await nowhere).toBe("done");
  });

  it("other failures are reported, and leave no half lock", async () => {
    const box = scratch();
    const { files } = faulty({ at: 1, with: "ENOSPC", only: ["write"] });
    await expect(lock(box, {}, files)).rejects.toMatchObject({
      code: "ERR_WRITE",
      message: `Could not lock file: write ${box.at("file")}: no space left on device`,
    });
    expect(box.names()).toEqual([]);
  });
});
