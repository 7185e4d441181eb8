// Where private folders go, what they are called, and what is done about those that were left behind.
import { chownSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { createCleanup } from "../../../src/storage/cleanup.ts";
import { nodeFileSystem, type FileStatus, type FileSystem } from "../../../src/storage/file-system.ts";
import { ownIdentity } from "../../../src/storage/process-identity.ts";
import { createPrivateFolder, type PrivateFolder, type PrivateFolderOptions } from "../../../src/storage/temporary.ts";
import { expectNoOpenFiles } from "../../support/descriptors.ts";
import { failureOf } from "../../support/failure.ts";
import { faulty, Killed, type Fault } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const [TMPFS, RAMFS, EXT4] = [0x01021994, 0x858458f6, 0xef53];
const SPARE = 1024 * 1024;
const isRoot = process.getuid?.() === 0;
const isPosix = process.platform !== "win32";
const uid = BigInt(process.getuid?.() ?? 0);
const own = ownIdentity(nodeFileSystem);

expectNoOpenFiles();

/** What is said of a folder: mode, owner, and the kind of its file system. */
interface Look {
  readonly mode?: bigint;
  readonly uid?: bigint;
  readonly isFolder?: boolean;
  readonly type?: number;
  readonly free?: number;
  readonly errno?: string;
}

/** Of all folders only `path` is in memory, and looks like this; nothing is really made. */
function filesWith(path: string, look: Look): { files: FileSystem; made: string[] } {
  const made: string[] = [];
  const { mode = 0o1777n, isFolder = true, type = TMPFS, free = 1e12, errno } = look;
  const files: FileSystem = {
    ...nodeFileSystem,
    lstat(name) {
      if (name !== path) throw Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "lstat" });
      if (errno !== undefined) throw Object.assign(new Error(errno), { code: errno, syscall: "lstat" });
      return { mode, uid: look.uid ?? 0n, isDirectory: () => isFolder } as FileStatus;
    },
    volume: (name) => ({ type: name === path ? type : EXT4, free }),
    list: () => [],
    makeFolder: (name) => made.push(name),
    chmodFolder: () => undefined,
    removeFolder: () => undefined,
  };
  return { files, made };
}

/** The folder in which a private one is made. */
function placeOf(path: string, look: Look, options: Partial<PrivateFolderOptions> = {}): string {
  const { files, made } = filesWith(path, look);
  const env = { TMPDIR: "/temporary", ...options.env };
  createPrivateFolder({ cleanup: createCleanup(), ...options, env }, files);
  return dirname(made[0] ?? "");
}

describe.runIf(isPosix)("the place of a private folder", () => {
  it.each<{ name: string; look: Look; isTaken: boolean }>([
    { name: "everybody's, sticky and root's", look: {}, isTaken: true },
    { name: "ramfs", look: { type: RAMFS }, isTaken: true },
    { name: "on a disk", look: { type: EXT4 }, isTaken: false },
    { name: "not sticky", look: { mode: 0o777n }, isTaken: false },
    { name: "somebody's", look: { uid: 1234n }, isTaken: false },
    { name: "no folder", look: { isFolder: false }, isTaken: false },
    { name: "with no byte to spare", look: { free: 3 * 1000 + SPARE }, isTaken: true },
    { name: "with a byte too few", look: { free: 3 * 1000 + SPARE - 1 }, isTaken: false },
    ...["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENOSYS"].map((errno) => ({
      ...{ name: `that answers ${errno}`, look: { errno }, isTaken: false },
    })),
  ])("is /dev/shm $name: $isTaken", ({ look, isTaken }) => {
    expect(placeOf("/dev/shm", look, { expectedBytes: 1000 })).toBe(isTaken ? "/dev/shm" : "/temporary");
  });

  it.each<{ name: string; look: Look; isTaken: boolean }>([
    { name: "its user's alone", look: { mode: 0o700n, uid }, isTaken: true },
    { name: "readable for a group", look: { mode: 0o740n, uid }, isTaken: false },
    { name: "readable for all", look: { mode: 0o704n, uid }, isTaken: false },
    { name: "somebody else's", look: { mode: 0o700n, uid: uid + 1n }, isTaken: false },
  ])("is the runtime folder, $name: $isTaken", ({ look, isTaken }) => {
    const options = { env: { XDG_RUNTIME_DIR: "/run/me" } };
    expect(placeOf("/run/me", look, options)).toBe(isTaken ? "/run/me" : "/temporary");
  });

  it("is no runtime folder with a relative name", () => {
    const look = { mode: 0o700n, uid };
    expect(placeOf("run/me", look, { env: { XDG_RUNTIME_DIR: "run/me" } })).toBe("/temporary");
  });

  it.each([undefined, ""])("is /tmp where TMPDIR is %j", (TMPDIR) => {
    expect(placeOf("/nowhere", {}, { env: { TMPDIR } })).toBe("/tmp");
    expect(placeOf("/nowhere", {}, { env: { TMPDIR, TEMP: "/other", TMP: "/other" } })).toBe("/tmp");
  });

  it("is the temporary folder, whatever memory there is, in the style of sops", () => {
    expect(placeOf("/dev/shm", {}, { style: "reference" })).toBe("/temporary");
    expect(placeOf("/dev/shm", {}, { style: "private" })).toBe("/dev/shm");
  });

  it("is not looked for where that fails in another way", () => {
    expect(() => placeOf("/dev/shm", { errno: "EIO" })).toThrow("EIO");
  });
});

/** A private folder in a scratch one, on a disk. */
function make(box: Scratch, options: Partial<PrivateFolderOptions> = {}, fault: Fault | null = null): PrivateFolder {
  const onDisk = faulty(fault, { ...nodeFileSystem, volume: () => ({ type: EXT4, free: 0 }) }).files;
  return createPrivateFolder({ env: { TMPDIR: box.path }, cleanup: createCleanup(), ...options }, onDisk);
}

describe("the name of a private folder", () => {
  it("tells whose it is", () => {
    const box = scratch();
    const pattern = `^leafcrypt-${String(own.pid)}-${own.start}-${own.scope}-[0-9a-f]{16}$`;
    expect(basename(make(box).path)).toMatch(new RegExp(pattern));
  });

  it.each([
    { prefix: ".sops", name: /^\.sops\d{60}$/ },
    { prefix: undefined, name: /^\d{60}$/ },
  ])("tells it in digits in the style of sops: $prefix", ({ prefix, name }) => {
    const found = basename(make(scratch(), { style: "reference", ...(prefix === undefined ? {} : { prefix }) }).path);
    expect(found).toMatch(name);
    const digits = found.slice(-60);
    expect(Number(digits.slice(0, 10))).toBe(own.pid);
    expect(digits.slice(10, 30).replace(/^0+/, "")).toBe(own.start);
    expect(Number(digits.slice(30, 40))).toBe(parseInt(own.scope, 16));
    expect(Number(digits.slice(40))).toBeGreaterThan(0);
  });
});

const numbered = (pid: number | string, start: string, scope: string, prefix = ".sops"): string =>
  prefix +
  [String(pid).padStart(10, "0"), start.padStart(20, "0"), String(parseInt(scope, 16)).padStart(10, "0")].join("") +
  "9".repeat(20);

describe.runIf(process.platform === "linux")("folders left behind", () => {
  const GONE = 999_999_999;
  const other = own.scope === "00000001" ? "00000002" : "00000001";

  it("are known by their numbers, too, and leave with their process", () => {
    const box = scratch();
    const gone = [
      numbered(GONE, "1", own.scope),
      numbered(GONE, "1", own.scope, ""),
      numbered(own.pid, `${own.start}0`, own.scope),
    ];
    const staying = [
      numbered(own.pid, own.start, own.scope),
      numbered(GONE, "1", other),
      numbered(GONE, "1", own.scope, "x"),
      `${numbered(GONE, "1", own.scope)}1`,
    ];
    for (const name of [...gone, ...staying]) mkdirSync(box.at(name));
    make(box).remove();
    expect(box.names()).toEqual([...staying].sort());
  });

  it("stay where they are no folders, or somebody else's", () => {
    const box = scratch();
    const [file, folder] = [numbered(GONE, "1", own.scope), numbered(GONE, "2", own.scope)];
    writeFileSync(box.at(file), "");
    mkdirSync(box.at(folder));
    if (isRoot) chownSync(box.at(folder), 1234, 1234);
    make(box).remove();
    expect(box.names()).toEqual(isRoot ? [file, folder].sort() : [file]);
  });

  it("are left alone where they cannot be listed or removed", () => {
    const box = scratch();
    mkdirSync(box.at(numbered(GONE, "1", own.scope)));
    for (const name of ["list", "removeFolder"] as const) {
      make(box, {}, { at: 1, with: "EACCES", only: [name] });
    }
    expect(box.names()).toHaveLength(3);
  });
});

describe("what can go wrong with a private folder", () => {
  it("is said: it cannot be made", () => {
    const fault = { at: 1, with: "EACCES", only: ["makeFolder"], forever: true } as const;
    expect(failureOf(() => make(scratch(), {}, fault))).toMatchObject({
      code: "ERR_WRITE",
      message: expect.stringMatching(/^Could not create temporary folder: mkdir .*: permission denied$/) as string,
    });
  });

  it("is said: a file cannot be written, and none stays open", () => {
    const box = scratch();
    const folder = make(box, {}, { at: 1, with: "ENOSPC", only: ["write"] });
    expect(failureOf(() => folder.write("a.yaml", Buffer.from("text")))).toMatchObject({
      code: "ERR_WRITE",
      message: `Could not create temporary file: write ${folder.path}/a.yaml: no space left on device`,
    });
  });

  it("is said: a name is none", () => {
    expect(failureOf(() => make(scratch()).write("../a\u0007", Buffer.from("text")))).toMatchObject({
      code: "ERR_USAGE",
      message: "../a\\u0007 is not a file name without a folder",
    });
  });

  it("is said: it cannot be removed; and it is tried once", () => {
    const box = scratch();
    const folder = make(box, {}, { at: 1, with: "EBUSY", only: ["removeFolder"] });
    expect(
      failureOf(() => {
        folder.remove();
      }),
    ).toMatchObject({
      code: "ERR_WRITE",
      message: `Could not remove temporary folder: rm ${folder.path}: device or resource busy`,
    });
    folder.remove();
    expect(existsSync(folder.path)).toBe(true);
  });

  it("passes through what is no failed call of the system", () => {
    const fault = { at: 1, with: "kill", only: ["makeFolder"] } as const;
    expect(() => make(scratch(), {}, fault)).toThrow(Killed);
  });
});

describe("a folder that is kept", () => {
  it("stays under another name, once, and is not removed any more", () => {
    const box = scratch();
    const folder = make(box);
    folder.write("a.yaml", Buffer.from("text"));
    const kept = folder.keep();
    expect(dirname(kept)).toBe(box.path);
    expect(basename(kept)).toMatch(/^leafcrypt-kept-[0-9a-f]{16}$/);
    expect(folder.keep()).toBe(folder.path);
    folder.remove();
    expect(box.names()).toEqual([basename(kept)]);
  });

  it("stays under its own name where it cannot get another", () => {
    const folder = make(scratch(), {}, { at: 1, with: "EACCES", only: ["rename"] });
    expect(folder.keep()).toBe(folder.path);
    expect(existsSync(folder.path)).toBe(true);
  });

  it("is no folder that was removed", () => {
    const folder = make(scratch());
    folder.remove();
    expect(folder.keep()).toBe(folder.path);
    expect(existsSync(folder.path)).toBe(false);
  });
});
