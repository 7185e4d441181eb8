import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { SopsError } from "../../../src/errors.ts";
import { replaceFile, type ReplaceOptions, type Verify } from "../../../src/storage/atomic.ts";
import { nodeFileSystem, type FileSystem } from "../../../src/storage/file-system.ts";
import { findRecoveryCopy } from "../../../src/storage/in-place.ts";
import { readInput } from "../../../src/storage/read.ts";
import { failureOf } from "../../support/failure.ts";
import { faulty } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const isRoot = process.getuid?.() === 0;

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Replaces `file.yaml` and returns what was announced. */
function replaceIn(box: Scratch, options: ReplaceOptions = {}, files: FileSystem = nodeFileSystem): string[] {
  const announced: string[] = [];
  const announce = (message: string): void => {
    announced.push(message);
  };
  replaceFile(box.at("file.yaml"), bytes("new"), { announce, ...options }, files);
  return announced;
}

describe("what is kept", () => {
  it.each([0o600, 0o640, 0o644, 0o660, 0o777, 0o4755])("mode %o", (mode) => {
    const box = scratch();
    box.put("file.yaml", "old", mode);
    expect(replaceIn(box)).toEqual([]);
    expect(box.mode("file.yaml")).toBe(mode);
  });

  it.runIf(isRoot)("owner and group, for root", () => {
    const box = scratch();
    chownSync(box.put("file.yaml", "old", 0o640), 1234, 5678);
    replaceIn(box);
    expect(lstatSync(box.at("file.yaml"))).toMatchObject({ uid: 1234, gid: 5678 });
    expect(box.mode("file.yaml")).toBe(0o640);
  });

  it.runIf(isRoot)("the group alone, where the owner cannot be", () => {
    const box = scratch();
    chownSync(box.put("file.yaml", "old", 0o640), 1234, 5678);
    const { files } = faulty({ at: 1, with: "EPERM", only: ["chown"] });
    expect(replaceIn(box, {}, files)).toEqual([]);
    expect(lstatSync(box.at("file.yaml"))).toMatchObject({ uid: 0, gid: 5678 });
    expect(box.mode("file.yaml")).toBe(0o640);
  });

  it.runIf(isRoot).each([
    { old: 0o640, mode: 0o600 },
    { old: 0o644, mode: 0o644 },
    { old: 0o775, mode: 0o755 },
    { old: 0o6755, mode: 0o755 },
  ])("no more rights for a new group than everybody has: $old", ({ old, mode }) => {
    const box = scratch();
    chownSync(box.put("file.yaml", "old", old), 1234, 5678);
    box.put("file.yaml", "old", old);
    const { files } = faulty({ at: 1, with: "EPERM", forever: true, only: ["chown"] });
    replaceIn(box, {}, files);
    expect(lstatSync(box.at("file.yaml")).gid).not.toBe(5678);
    expect(box.mode("file.yaml")).toBe(mode);
  });

  it.each([
    { name: "relative", link: "target.yaml" },
    { name: "through a folder and back", link: "sub/../target.yaml" },
    { name: "a chain", link: "second.yaml" },
  ])("a symbolic link: $name", ({ link }) => {
    const box = scratch();
    mkdirSync(box.at("sub"));
    box.put("target.yaml", "old", 0o640);
    symlinkSync(box.at("target.yaml"), box.at("second.yaml"));
    symlinkSync(link, box.at("file.yaml"));
    replaceIn(box);
    expect(readlinkSync(box.at("file.yaml"))).toBe(link);
    expect(box.text("target.yaml")).toBe("new");
    expect(box.mode("target.yaml")).toBe(0o640);
  });

  it("what `..` means behind a link to a folder", () => {
    const box = scratch();
    mkdirSync(box.at("a"));
    mkdirSync(box.at("a/deep"));
    symlinkSync("a/deep", box.at("short"));
    box.put("a/target.yaml", "old");
    symlinkSync("short/../target.yaml", box.at("file.yaml"));
    replaceIn(box);
    expect(box.text("a/target.yaml")).toBe("new");
    expect(box.names()).toEqual(["a", "file.yaml", "short"]);
  });

  it("a dangling link, whose target is made", () => {
    const box = scratch();
    symlinkSync("target.yaml", box.at("file.yaml"));
    replaceIn(box);
    expect(box.names()).toEqual(["file.yaml", "target.yaml"]);
    expect(box.text("target.yaml")).toBe("new");
  });

  it("a file name as long as the file system takes", () => {
    const box = scratch();
    const name = "é".repeat(125) + ".yaml";
    box.put(name, "old");
    replaceFile(box.at(name), bytes("new"));
    expect(box.text(name)).toBe("new");
    expect(box.names()).toEqual([name]);
  });
});

describe("order", () => {
  it("flushes the file before the rename and the folder after it", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const { files, calls } = faulty(null);
    replaceIn(box, {}, files);
    const steps = calls.filter((call) => ["write", "fsync", "rename"].includes(call));
    expect(steps).toEqual(["write", "fsync", "rename", "fsync"]);
  });

  it("flushes the copy of the old content and its name before it writes in place", () => {
    const box = scratch();
    linkSync(box.put("file.yaml", "old"), box.at("other"));
    const { files, calls } = faulty(null);
    replaceIn(box, {}, files);
    const steps = calls.filter((call) => ["write", "fsync", "rename", "unlink"].includes(call));
    expect(steps).toEqual(["write", "fsync", "rename", "fsync", "write", "fsync", "unlink"]);
  });

  it("writes all, however small the pieces", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const text = "x".repeat(1000);
    const files: FileSystem = {
      ...nodeFileSystem,
      write: (fd, all, offset, position) =>
        nodeFileSystem.write(fd, all.subarray(0, Math.min(all.length, offset + 7)), offset, position),
    };
    replaceFile(box.at("file.yaml"), bytes(text), {}, files);
    expect(box.text("file.yaml")).toBe(text);
  });

  it("tells `verify` what is on the disk, and obeys it", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const seen: boolean[] = [];
    const refusal = new SopsError("ERR_EMIT", "not what was meant");
    const verify: Verify = (holds) => {
      seen.push(...["new", "ne", "newer", "new\0", "old"].map((text) => holds(bytes(text))));
      throw refusal;
    };
    expect(failureOf(() => replaceIn(box, { verify }))).toBe(refusal);
    expect(seen).toEqual([true, false, false, false, false]);
    expect(box.text("file.yaml")).toBe("old");
    expect(box.names()).toEqual(["file.yaml"]);
  });
});

describe("a file that changed since it was read", () => {
  const changes: readonly { name: string; change: (box: Scratch) => void }[] = [
    { name: "grew", change: (box) => box.put("file.yaml", "old and more") },
    { name: "shrank", change: (box) => box.put("file.yaml", "ol") },
    { name: "was emptied", change: (box) => box.put("file.yaml", "") },
    {
      name: "got other bytes of the same length, and its time set back",
      change(box) {
        box.put("file.yaml", "odd");
        utimesSync(box.at("file.yaml"), 1000, 1000);
      },
    },
    {
      name: "was replaced by a copy",
      change(box) {
        box.put("copy", "old");
        renameSync(box.at("copy"), box.at("file.yaml"));
      },
    },
    {
      name: "was touched",
      change: (box) => {
        utimesSync(box.at("file.yaml"), 1, 1);
      },
    },
    {
      name: "was deleted",
      change: (box) => {
        rmSync(box.at("file.yaml"));
      },
    },
    {
      name: "got a second name and other bytes",
      change(box) {
        linkSync(box.at("file.yaml"), box.at("other"));
        box.put("file.yaml", "odd");
      },
    },
  ];

  it.each(changes)("is refused when it $name", ({ change }) => {
    const box = scratch();
    box.put("file.yaml", "old");
    utimesSync(box.at("file.yaml"), 1000, 1000); // A time that can be set again to the nanosecond.
    const { identity } = readInput(box.at("file.yaml"));
    change(box);
    const before = box.names();
    const failure = failureOf(() => replaceIn(box, { identity }));
    expect(failure.code).toBe("ERR_CHANGED_MEANWHILE");
    expect(failure.message).toBe(`${box.at("file.yaml")} changed while it was being worked on`);
    expect(box.names()).toEqual(before);
  });

  it("is noticed up to the rename", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const { identity } = readInput(box.at("file.yaml"));
    const verify = (): void => {
      box.put("file.yaml", "their work");
    };
    expect(failureOf(() => replaceIn(box, { identity, verify })).code).toBe("ERR_CHANGED_MEANWHILE");
    expect(box.text("file.yaml")).toBe("their work");
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it.each(["from the start", "at the last moment"])("is refused when there was none before: made %s", (when) => {
    const box = scratch();
    const make = (): void => {
      box.put("file.yaml", "their work");
    };
    if (when === "from the start") make();
    const verify = when === "from the start" ? (): void => undefined : make;
    expect(failureOf(() => replaceIn(box, { identity: null, verify })).code).toBe("ERR_CHANGED_MEANWHILE");
    expect(box.text("file.yaml")).toBe("their work");
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it("makes a new file where links between files are not possible", () => {
    const box = scratch();
    const { files } = faulty({ at: 1, with: "ENOTSUP", only: ["link"] });
    replaceIn(box, { identity: null }, files);
    expect(box.text("file.yaml")).toBe("new");
    expect(box.names()).toEqual(["file.yaml"]);
  });
});

describe("what cannot be written", () => {
  it.each([
    {
      name: "a folder",
      prepare: (box: Scratch) => {
        mkdirSync(box.at("file.yaml"));
      },
      reason: "is a directory",
    },
    {
      name: "a loop of links",
      prepare: (box: Scratch) => {
        symlinkSync("file.yaml", box.at("file.yaml"));
      },
      reason: "too many levels of symbolic links",
    },
    {
      name: "a read-only file",
      prepare: (box: Scratch) => box.put("file.yaml", "old", 0o444),
      reason: "permission denied",
    },
  ])("$name", ({ prepare, reason }) => {
    const box = scratch();
    prepare(box);
    const path = box.at("file.yaml");
    const failure = failureOf(() => replaceIn(box));
    expect(failure.code).toBe("ERR_WRITE");
    expect(failure.message).toBe(`Could not open in-place file for writing: open ${path}: ${reason}`);
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it("a file in a folder that is not there", () => {
    const box = scratch();
    const failure = failureOf(() => replaceFile(box.at("no/file.yaml"), bytes("new")));
    expect(failure.message).toBe(
      `Could not open in-place file for writing: open ${box.at("no/file.yaml")}: no such file or directory`,
    );
  });

  it("shows control characters of a name escaped", () => {
    const box = scratch();
    mkdirSync(box.at("a\u001b[31m\nb"));
    const { message } = failureOf(() => replaceFile(box.at("a\u001b[31m\nb"), bytes("new")));
    expect(message).toContain("a\\u001b[31m\\nb");
  });

  it.each(isRoot ? (["force", "kernel"] as const) : (["force"] as const))(
    "but a read-only file can: %s",
    (readOnly) => {
      const box = scratch();
      box.put("file.yaml", "old", 0o444);
      replaceIn(box, { readOnly });
      expect(box.text("file.yaml")).toBe("new");
      expect(box.mode("file.yaml")).toBe(0o444);
    },
  );
});

describe("in place", () => {
  it("writes both names of a file that has two, and says so", () => {
    const box = scratch();
    linkSync(box.put("file.yaml", "a longer old text", 0o640), box.at("other"));
    expect(replaceIn(box)).toEqual([
      "The file is written in place, as it has 2 hard links. Until that is done, its old content is kept.",
    ]);
    expect([box.text("file.yaml"), box.text("other")]).toEqual(["new", "new"]);
    expect(box.mode("file.yaml")).toBe(0o640);
    expect(box.names()).toEqual(["file.yaml", "other"]);
  });

  it.each([
    { name: "a folder we may not write to", fault: { at: 3, with: "EACCES", only: ["open"] } },
    { name: "a mount point", fault: { at: 1, with: "EBUSY", only: ["rename"] } },
    { name: "another device", fault: { at: 1, with: "EXDEV", only: ["rename"] } },
  ] as const)("writes where a rename fails: $name", ({ fault }) => {
    const box = scratch();
    box.put("file.yaml", "old");
    const { ino } = lstatSync(box.at("file.yaml"));
    expect(replaceIn(box, {}, faulty(fault).files)).toHaveLength(1);
    expect(box.text("file.yaml")).toBe("new");
    expect(lstatSync(box.at("file.yaml")).ino).toBe(ino);
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it("refuses with atomic: require", () => {
    const box = scratch();
    linkSync(box.put("file.yaml", "old"), box.at("other"));
    expect(failureOf(() => replaceIn(box, { atomic: "require" })).message).toMatch(/cannot be replaced by renaming/);
    expect(box.text("other")).toBe("old");
  });

  it("restores the old content when the new one cannot be written", () => {
    const box = scratch();
    linkSync(box.put("file.yaml", "a longer old text"), box.at("other"));
    const { files } = faulty({ at: 2, with: "ENOSPC", only: ["write"] });
    const failure = failureOf(() => replaceIn(box, {}, files));
    expect(failure.message).toBe(
      `Could not write in-place file: write ${box.at("file.yaml")}: no space left on device`,
    );
    expect(box.text("other")).toBe("a longer old text");
    expect(box.names()).toEqual(["file.yaml", "other"]);
  });

  it("does not overwrite the copy that an interrupted run left", () => {
    const box = scratch();
    linkSync(box.put("file.yaml", "torn"), box.at("other"));
    box.put(".file.yaml.leafcrypt-recovery", "the only whole one", 0o600);
    const failure = failureOf(() => replaceIn(box));
    expect(failure.code).toBe("ERR_WRITE");
    expect(failure.hint).toContain(box.at(".file.yaml.leafcrypt-recovery"));
    expect(box.text(".file.yaml.leafcrypt-recovery")).toBe("the only whole one");
    expect(box.text("file.yaml")).toBe("torn");
    expect(findRecoveryCopy(box.at("file.yaml"), undefined, nodeFileSystem)).toBe(
      box.at(".file.yaml.leafcrypt-recovery"),
    );
  });

  it("keeps its copy elsewhere where the folder takes none, and nowhere without another place", () => {
    const box = scratch();
    const elsewhere = scratch();
    linkSync(box.put("file.yaml", "old"), box.at("other"));
    const refused = (path: string, flags: number, mode?: number): number => {
      if (path.startsWith(box.path) && mode !== undefined) {
        throw Object.assign(new Error("EROFS"), { code: "EROFS", syscall: "open" });
      }
      return nodeFileSystem.open(path, flags, mode);
    };
    const files: FileSystem = { ...nodeFileSystem, open: refused };
    expect(failureOf(() => replaceIn(box, {}, files)).message).toMatch(/read-only file system$/);
    expect(box.text("other")).toBe("old");
    replaceIn(box, { recoveryFolder: elsewhere.path }, files);
    expect(box.text("other")).toBe("new");
    expect(elsewhere.names()).toEqual([]);
  });
});
