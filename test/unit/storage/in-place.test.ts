// The write into a file that cannot be replaced: the copy of the old content, and what is said of it.
import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Announce } from "../../../src/storage/failures.ts";
import { nodeFileSystem, type FileStatus, type FileSystem } from "../../../src/storage/file-system.ts";
import { findRecoveryCopy, writeInPlace } from "../../../src/storage/in-place.ts";
import { expectNoOpenFiles } from "../../support/descriptors.ts";
import { failureOf } from "../../support/failure.ts";
import { failing, faulty } from "../../support/file-faults.ts";
import { scratch } from "../../support/scratch.ts";

const NEW = Buffer.from("new");

type Said = Parameters<Announce>;

expectNoOpenFiles();

describe("writing in place", () => {
  /** A file with two names, and the write of `NEW` into it. */
  function prepare(options: Partial<Parameters<typeof writeInPlace>[0]> = {}) {
    const box = scratch();
    const target = box.put("file.yaml", "a longer old text");
    const status = nodeFileSystem.lstat(target);
    const write = { target, shown: "shown.yaml", bytes: NEW, status, why: "so", ...options };
    return {
      box,
      status,
      run: (files: FileSystem) => {
        writeInPlace({ ...write }, files);
      },
      write,
    };
  }

  it.each(["dev", "ino"] as const)("is refused for another file under its name: other %s", (field) => {
    const { box, status, write } = prepare();
    const other = Object.assign(nodeFileSystem.lstat(box.at("file.yaml")), {
      [field]: status[field] + 1n,
    }) as FileStatus;
    expect(
      failureOf(() => {
        writeInPlace({ ...write, status: other }, nodeFileSystem);
      }),
    ).toMatchObject({
      code: "ERR_CHANGED_MEANWHILE",
      message: "shown.yaml was replaced by another file meanwhile",
    });
    expect(box.text("file.yaml")).toBe("a longer old text");
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it("needs nobody who listens", () => {
    const { box, run } = prepare();
    run(nodeFileSystem);
    expect([box.text("file.yaml"), box.names()]).toEqual(["new", ["file.yaml"]]);
  });

  it.each(["write", "fsync", "rename"] as const)("leaves no half copy where its %s fails", (name) => {
    const { box, run } = prepare();
    expect(() => {
      run(failing(name, "EIO"));
    }).toThrow("EIO");
    expect([box.text("file.yaml"), box.names()]).toEqual(["a longer old text", ["file.yaml"]]);
  });

  it("leaves no copy whose name is not on the disk", () => {
    const { box, run } = prepare();
    expect(() => {
      run(failing("fsync", "EIO", 2));
    }).toThrow("EIO");
    expect([box.text("file.yaml"), box.names()]).toEqual(["a longer old text", ["file.yaml"]]);
  });

  it("says where the old content is when it can be neither written nor restored", () => {
    const { box, run } = prepare();
    const failure = failureOf(() => {
      run(failing("write", "EIO", 2, true));
    });
    expect(failure).toMatchObject({
      code: "ERR_WRITE",
      message: "Could not write in-place file: write shown.yaml: input/output error",
      hint: `the file is damaged; its content from before is in ${box.at(".file.yaml.leafcrypt-recovery")}`,
    });
    expect(box.text(".file.yaml.leafcrypt-recovery")).toBe("a longer old text");
  });

  it("restores nothing when the process is at its end", () => {
    const { box, run } = prepare();
    expect(() => {
      run(faulty({ at: 2, with: "kill-within", only: ["write"] }).files);
    }).toThrow("killed at write");
    expect(box.text(".file.yaml.leafcrypt-recovery")).toBe("a longer old text");
  });

  it.each(["EACCES", "EPERM", "EROFS"])("keeps its copy elsewhere where the folder answers %s", (errno) => {
    const elsewhere = scratch();
    const said: Said[] = [];
    const { box, run } = prepare({
      recoveryFolder: elsewhere.path,
      announce: (message, fields) => said.push([message, fields]),
    });
    run(failing("open", errno, 3));
    expect(box.text("file.yaml")).toBe("new");
    expect(said[0]?.[1]?.["copy"]).toMatch(
      new RegExp(`^${elsewhere.path}/\\.file\\.yaml\\.[0-9a-f]{16}\\.leafcrypt-recovery$`),
    );
    expect(elsewhere.names()).toEqual([]);
  });

  it("keeps it nowhere else for another reason", () => {
    const elsewhere = scratch();
    const { box, run } = prepare({ recoveryFolder: elsewhere.path });
    expect(() => {
      run(failing("open", "ENOSPC", 3));
    }).toThrow("ENOSPC");
    expect(box.text("file.yaml")).toBe("a longer old text");
  });

  it("is refused over the copy of an earlier one, wherever that is", () => {
    const elsewhere = scratch();
    const { box, run } = prepare({ recoveryFolder: elsewhere.path });
    let copy = "";
    expect(() => {
      run({
        ...failing("open", "EROFS", 3),
        rename(from, to) {
          copy = to;
          nodeFileSystem.rename(from, to);
          throw new Error("the end");
        },
        unlink: () => undefined,
      });
    }).toThrow("the end");
    expect(
      failureOf(() => {
        run(nodeFileSystem);
      }),
    ).toMatchObject({
      code: "ERR_WRITE",
      message: "an earlier write of shown.yaml was interrupted",
      hint: `its content from before is in ${copy}: put it back or delete it`,
    });
    expect(findRecoveryCopy(box.at("file.yaml"), elsewhere.path, nodeFileSystem)).toBe(copy);
    expect(findRecoveryCopy(box.at("file.yaml"), undefined, nodeFileSystem)).toBeNull();
    mkdirSync(box.at("sub"));
    expect(findRecoveryCopy(box.at("sub/file.yaml"), elsewhere.path, nodeFileSystem)).toBeNull();
  });

  it.each(["ENOENT", "ENOTDIR", "EACCES"])("takes a place that answers %s for empty", (errno) => {
    expect(findRecoveryCopy("/x/y", "/z", failing("lstat", errno, 1, true))).toBeNull();
  });

  it("takes no place for empty that cannot be looked at", () => {
    expect(() => findRecoveryCopy("/x/y", "/z", failing("lstat", "EIO"))).toThrow("EIO");
  });
});
