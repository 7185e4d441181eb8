import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { describe, expect, it } from "vitest";
import type { SopsError } from "../../../src/errors.ts";
import { createCleanup } from "../../../src/storage/cleanup.ts";
import { nodeFileSystem, type FileSystem } from "../../../src/storage/file-system.ts";
import { createPrivateFolder, withPrivateFolder, type PrivateFolder } from "../../../src/storage/temporary.ts";
import { faulty } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const TMPFS = 0x01021994;
const EXT4 = 0xef53;

/** A file system on which only `memory` is held in memory, with `free` bytes left. */
const withMemoryAt = (memory: string | null, free = 1e9): FileSystem => ({
  ...nodeFileSystem,
  volume: (path) => ({ type: path === memory ? TMPFS : EXT4, free }),
});

function make(box: Scratch, env: Record<string, string> = {}, files: FileSystem = withMemoryAt(null)): PrivateFolder {
  return createPrivateFolder({ env: { TMPDIR: box.path, ...env }, cleanup: createCleanup() }, files);
}

describe("the place", () => {
  const runtime = (mode = 0o700): Scratch => {
    const box = scratch();
    mkdirSync(box.at("run"));
    nodeFileSystem.chmodFolder(box.at("run"), mode);
    return box;
  };

  it("is the runtime folder, held in memory", () => {
    const box = runtime();
    const folder = make(box, { XDG_RUNTIME_DIR: box.at("run") }, withMemoryAt(box.at("run")));
    expect(dirname(folder.path)).toBe(box.at("run"));
  });

  it.each([
    { name: "on a disk", mode: 0o700, memory: false },
    { name: "open to others", mode: 0o755, memory: true },
    { name: "writable by others", mode: 0o1777, memory: true },
  ])("is not a runtime folder $name", ({ mode, memory }) => {
    const box = runtime(mode);
    const folder = make(box, { XDG_RUNTIME_DIR: box.at("run") }, withMemoryAt(memory ? box.at("run") : null));
    expect(dirname(folder.path)).toBe(box.path);
  });

  it("is not a link in the runtime folder's place", () => {
    const box = runtime();
    symlinkSync("run", box.at("link"));
    const folder = make(box, { XDG_RUNTIME_DIR: box.at("link") }, withMemoryAt(box.at("link")));
    expect(dirname(folder.path)).toBe(box.path);
  });

  it("is not a memory too small for what it shall hold", () => {
    const box = runtime();
    const env = { TMPDIR: box.path, XDG_RUNTIME_DIR: box.at("run") };
    const options = { env, cleanup: createCleanup(), expectedBytes: 1_000_000 };
    const place = (free: number): string =>
      dirname(createPrivateFolder(options, withMemoryAt(box.at("run"), free)).path);
    expect(place(3_900_000)).toBe(box.path);
    expect(place(4_100_000)).toBe(box.at("run"));
  });

  it.runIf(existsSync("/dev/shm") && process.platform === "linux")("is /dev/shm, where there is nothing better", () => {
    const folder = make(scratch(), {}, withMemoryAt("/dev/shm"));
    expect(dirname(folder.path)).toBe("/dev/shm");
    folder.remove();
  });

  it("is the next one where no folder can be made", () => {
    const box = runtime();
    const { files } = faulty({ at: 1, with: "ENOSPC", only: ["makeFolder"] }, withMemoryAt(box.at("run")));
    expect(dirname(make(box, { XDG_RUNTIME_DIR: box.at("run") }, files).path)).toBe(box.path);
  });

  it("is named when there is none at all", () => {
    const box = scratch();
    expect(() => make(box, { TMPDIR: box.at("none") })).toThrow(
      /^Could not create temporary folder: mkdir .*\/none\/leafcrypt-\d+-\d*-[0-9a-f]+-[0-9a-f]+: no such file or directory$/,
    );
  });
});

describe("a private folder", () => {
  it("is its owner's alone, and so are its files", () => {
    const folder = make(scratch());
    const path = folder.write("a.yaml", Buffer.from("text"));
    expect(path).toBe(`${folder.path}/a.yaml`);
    expect(lstatSync(folder.path).mode & 0o7777).toBe(0o700);
    expect(lstatSync(path).mode & 0o7777).toBe(0o600);
  });

  it.each(["../x", "/x", "a/b", "a\\b", "", ".", "..", "a\0"])("takes no file named %j", (name) => {
    const folder = make(scratch());
    expect(() => folder.write(name, new Uint8Array())).toThrow(
      expect.objectContaining({ code: "ERR_USAGE" }) as SopsError,
    );
  });

  it("does not write through what stands in a file's place", () => {
    const box = scratch();
    const folder = make(box);
    box.put("elsewhere", "old");
    symlinkSync(box.at("elsewhere"), `${folder.path}/a.yaml`);
    expect(() => folder.write("a.yaml", Buffer.from("secret"))).toThrow(
      /^Could not create temporary file: open .*: file exists$/,
    );
    expect(box.text("elsewhere")).toBe("old");
  });

  it("goes with what editors leave in it, once", () => {
    const box = scratch();
    const folder = make(box);
    folder.write("a.yaml", new Uint8Array());
    mkdirSync(`${folder.path}/.swap`);
    writeFileSync(`${folder.path}/.swap/a.yaml.swp`, "");
    folder.remove();
    folder.remove();
    expect(box.names()).toEqual([]);
  });

  it.each(["settles", "fails"])("is gone when its user %s", async (end) => {
    const box = scratch();
    const options = { env: { TMPDIR: box.path }, cleanup: createCleanup() };
    const use = (folder: PrivateFolder): Promise<string> => {
      folder.write("a.yaml", new Uint8Array());
      return end === "fails" ? Promise.reject(new Error("no")) : Promise.resolve("done");
    };
    const result = withPrivateFolder(options, use, withMemoryAt(null));
    await (end === "fails" ? expect(result).rejects.toThrow("no") : expect(result).resolves.toBe("done"));
    expect(box.names()).toEqual([]);
  });

  it("is removed by the cleanup, unless it was kept", () => {
    const box = scratch();
    const cleanup = createCleanup();
    const options = { env: { TMPDIR: box.path }, cleanup };
    createPrivateFolder(options, withMemoryAt(null));
    const kept = createPrivateFolder(options, withMemoryAt(null)).keep();
    cleanup.run();
    expect(box.names()).toEqual([basename(kept)]);
  });
});

describe("leftovers", () => {
  const own = (box: Scratch): readonly [string, string, string] => {
    const folder = make(box);
    const [, pid = "", start = "", scope = ""] = basename(folder.path).split("-");
    folder.remove();
    return [pid, start, scope];
  };

  it.runIf(process.platform === "linux")("are removed when their process is gone, and only then", () => {
    const box = scratch();
    const [pid, start, scope] = own(box);
    const random = "0123456789abcdef";
    const gone = [`leafcrypt-999999999-1-${scope}-${random}`, `leafcrypt-${pid}-1-${scope}-${random}`];
    const staying = [
      `leafcrypt-${pid}-${start}-${scope}-${random}`,
      `leafcrypt-999999999-1-00000000-${random}`,
      `leafcrypt-kept-${random}`,
      `leafcrypt-999999999-1-${scope}-${random}.txt`,
      "leafcrypt-",
    ];
    for (const name of [...gone, ...staying]) mkdirSync(box.at(name));
    symlinkSync("leafcrypt-", box.at(`leafcrypt-999999998-1-${scope}-${random}`));
    const folder = make(box);
    folder.remove();
    expect(box.names()).toEqual([...staying, `leafcrypt-999999998-1-${scope}-${random}`].sort());
  });

  it("do not include a folder that was kept", () => {
    const box = scratch();
    const folder = make(box);
    folder.write("a.yaml", Buffer.from("text"));
    const kept = folder.keep();
    folder.remove();
    make(box).remove();
    expect(box.names()).toEqual([basename(kept)]);
    expect(box.text(`${basename(kept)}/a.yaml`)).toBe("text");
  });
});
