// What replacing a file says, returns and leaves open, call by call.
import { chownSync, linkSync, lstatSync, rmSync, symlinkSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { relative } from "node:path";
import { describe, expect, it } from "vitest";
import { replaceFile, type ReplaceOptions } from "../../../src/storage/atomic.ts";
import { nodeFileSystem, openFlags, type FileSystem } from "../../../src/storage/file-system.ts";
import { closeFolder, flushFolder, openFolder } from "../../../src/storage/folder.ts";
import { applyPermissions } from "../../../src/storage/permissions.ts";
import { readInput } from "../../../src/storage/read.ts";
import { createTemporary, removeSibling, siblingOf } from "../../../src/storage/siblings.ts";
import { expectNoOpenFiles } from "../../support/descriptors.ts";
import { failureOf } from "../../support/failure.ts";
import { failing, faulty, type Fault } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const isRoot = process.getuid?.() === 0;
const NEW = Buffer.from("new");

expectNoOpenFiles();

type Said = [string, Readonly<Record<string, string>> | undefined];

/** Replaces `file.yaml`; gives what was said and the result. */
function replaceIn(box: Scratch, options: ReplaceOptions = {}, files: FileSystem = nodeFileSystem) {
  const said: Said[] = [];
  const announce = (message: string, fields?: Readonly<Record<string, string>>): void => {
    said.push([message, fields]);
  };
  return { result: replaceFile(box.at("file.yaml"), NEW, { announce, ...options }, files), said };
}

describe("the result of a replacement", () => {
  it("says where the file is and that its name led to nothing else in between", () => {
    const box = scratch();
    const path = box.at("file.yaml");
    expect(replaceIn(box)).toEqual({ result: { path, atomic: true }, said: [] });
    expect(replaceIn(box)).toEqual({ result: { path, atomic: true }, said: [] });
    linkSync(path, box.at("other"));
    expect(replaceIn(box).result).toEqual({ path, atomic: false });
  });

  it("names an in-place file by its absolute path, and an output file as it was given", () => {
    const path = relative(process.cwd(), scratch().at("none/file.yaml"));
    const inPlace = failureOf(() => replaceFile(path, NEW));
    expect(inPlace.message).toMatch(/^Could not open in-place file for writing: open \/.*\/none\/file\.yaml: no such/);
    const output = failureOf(() => replaceFile(path, NEW, { role: "output file" }));
    expect(output.message).toBe(`Could not open output file for writing: open ${path}: no such file or directory`);
  });
});

describe("what a replacement refuses", () => {
  it.skipIf(process.platform === "win32")("a pipe", () => {
    const box = scratch();
    spawnSync("mkfifo", [box.at("file.yaml")]);
    expect(failureOf(() => replaceIn(box))).toMatchObject({
      code: "ERR_WRITE",
      message: `Could not open in-place file for writing: open ${box.at("file.yaml")}: not a regular file`,
    });
  });

  it("a read-only file, with a way out", () => {
    const box = scratch();
    box.put("file.yaml", "old", 0o444);
    expect(failureOf(() => replaceIn(box)).hint).toBe("the file is read-only: make it writable, or force it");
  });

  it.each([
    { readOnly: "force", isAsked: false },
    { readOnly: "kernel", isAsked: true },
    { readOnly: "refuse", isAsked: true },
  ] as const)("what the kernel would, which is asked: $readOnly, $isAsked", ({ readOnly, isAsked }) => {
    const box = scratch();
    box.put("file.yaml", "old");
    const flags: number[] = [];
    const files: FileSystem = {
      ...nodeFileSystem,
      open(path, how, mode) {
        if (path === box.at("file.yaml")) flags.push(how);
        return nodeFileSystem.open(path, how, mode);
      },
    };
    replaceIn(box, { readOnly }, files);
    expect(flags).toEqual(isAsked ? [openFlags.updateResolved] : []);
  });

  it("to write in place what was forced, or is to be replaced by a rename alone", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const forced = failing("rename", "EACCES");
    expect(failureOf(() => replaceIn(box, { readOnly: "force" }, forced)).message).toMatch(/permission denied$/);
    const required = failing("rename", "EBUSY");
    expect(failureOf(() => replaceIn(box, { atomic: "require" }, required))).toMatchObject({
      code: "ERR_WRITE",
      message: `${box.at("file.yaml")} cannot be replaced by renaming: its folder does not let it be replaced: device or resource busy`,
    });
    expect(box.text("file.yaml")).toBe("old");
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it.each(["EACCES", "EPERM", "EROFS", "EBUSY", "EXDEV"])("nothing where a rename fails with %s", (errno) => {
    const box = scratch();
    box.put("file.yaml", "old");
    const { result, said } = replaceIn(box, {}, failing("rename", errno));
    expect(result.atomic).toBe(false);
    expect(said).toEqual([
      [
        expect.stringContaining("as its folder does not let it be replaced: "),
        { file: box.at("file.yaml"), copy: box.at(".file.yaml.leafcrypt-recovery") },
      ],
    ]);
    expect(box.text("file.yaml")).toBe("new");
  });

  it("what is not a refusal of the rename", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const files = failing("rename", "EIO");
    expect(failureOf(() => replaceIn(box, {}, files)).message).toMatch(/: rename .*: input\/output error$/);
    expect(box.names()).toEqual(["file.yaml"]);
  });
});

describe("the last look before the rename", () => {
  const changes: readonly { name: string; change: (box: Scratch) => void }[] = [
    {
      name: "gone",
      change: (box) => {
        rmSync(box.at("file.yaml"));
      },
    },
    {
      name: "a link",
      change(box) {
        rmSync(box.at("file.yaml"));
        symlinkSync(box.put("other", "old"), box.at("file.yaml"));
      },
    },
  ];

  it.each(changes)("finds the file $name", ({ change }) => {
    const box = scratch();
    const { identity } = readInput(box.put("file.yaml", "old"));
    const verify = (): void => {
      change(box);
    };
    expect(failureOf(() => replaceIn(box, { identity, verify }))).toMatchObject({
      code: "ERR_CHANGED_MEANWHILE",
      hint: "nothing was written: run the command again",
    });
  });

  it.each(["ENOENT", "ELOOP", "ENXIO", "EIO"])("fails with %s", (errno) => {
    const box = scratch();
    const { identity } = readInput(box.put("file.yaml", "old"));
    const files = failing("open", errno, 4);
    const { code } = failureOf(() => replaceIn(box, { identity }, files));
    expect(code).toBe(errno === "EIO" ? "ERR_WRITE" : "ERR_CHANGED_MEANWHILE");
    expect(box.names()).toEqual(["file.yaml"]);
  });
});

describe("a new file", () => {
  it("is published by a link where none may have been made meanwhile, else by a rename", () => {
    const box = scratch();
    const [careful, usual] = [faulty(null), faulty(null)];
    replaceIn(box, { identity: null }, careful.files);
    rmSync(box.at("file.yaml"));
    replaceIn(box, {}, usual.files);
    const steps = (calls: readonly string[]): string[] => calls.filter((call) => /^(link|rename)$/.test(call));
    expect([steps(careful.calls), steps(usual.calls)]).toEqual([["link"], ["rename"]]);
    expect(box.names()).toEqual(["file.yaml"]);
  });

  it.each(["EPERM", "EACCES", "EMLINK", "ENOSYS", "ENOTSUP", "EOPNOTSUPP"])(
    "is renamed where the file system answers a link with %s, unless there is one by now",
    (errno) => {
      const box = scratch();
      const files = failing("link", errno, 1, true);
      replaceIn(box, { identity: null }, files);
      expect(box.text("file.yaml")).toBe("new");
      rmSync(box.at("file.yaml"));
      const verify = (): void => {
        box.put("file.yaml", "theirs");
      };
      expect(failureOf(() => replaceIn(box, { identity: null, verify }, files)).code).toBe("ERR_CHANGED_MEANWHILE");
      expect(box.text("file.yaml")).toBe("theirs");
      expect(box.names()).toEqual(["file.yaml"]);
    },
  );

  it("is not there where the link fails for another reason", () => {
    const box = scratch();
    const files = failing("link", "EIO");
    expect(failureOf(() => replaceIn(box, { identity: null }, files)).code).toBe("ERR_WRITE");
    expect(box.names()).toEqual([]);
  });
});

describe("the folder", () => {
  it.each(["EACCES", "EPERM", "EISDIR"])("need not be opened: %s", (errno) => {
    expect(openFolder("/", failing("open", errno))).toBeNull();
  });

  it("is not done without for other reasons", () => {
    expect(() => openFolder("/", failing("open", "EMFILE"))).toThrow("EMFILE");
  });

  it.each(["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"])("need not be flushed: %s", (errno) => {
    const { files, calls } = faulty({ at: 1, with: errno, only: ["fsync"] });
    flushFolder(1, files);
    expect(calls).toEqual(["fsync"]);
  });

  it("that is not open is neither flushed nor closed", () => {
    const { files, calls } = faulty(null);
    flushFolder(null, files);
    closeFolder(null, files);
    expect(calls).toEqual([]);
  });

  it("that fails to be flushed is told of, and no error: the new content is in force", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const { said } = replaceIn(box, {}, failing("fsync", "EIO", 2));
    expect(said).toEqual([["The folder could not be flushed to the disk.", { file: box.at("file.yaml") }]]);
    expect(box.text("file.yaml")).toBe("new");
    replaceFile(box.at("file.yaml"), NEW, {}, failing("fsync", "EIO", 2));
  });
});

describe("a file beside another", () => {
  it("has a name of at most 255 bytes, cut only where it must be", () => {
    const length = (name: string): number =>
      Buffer.byteLength(siblingOf(`/folder/${name}`, ".suffix")) - "/folder/".length;
    expect(siblingOf(`/folder/${"a".repeat(247)}`, ".suffix")).toBe(`/folder/.${"a".repeat(247)}.suffix`);
    expect(siblingOf(`/folder/${"a".repeat(300)}`, ".suffix")).toBe(`/folder/.${"a".repeat(247)}.suffix`);
    expect(length("é".repeat(200))).toBe(254);
  });

  it("gets another name where one is taken, and none for another reason", () => {
    const box = scratch();
    const { files, calls } = faulty({ at: 1, with: "EEXIST", only: ["open"] });
    const { fd, path } = createTemporary(box.at("file.yaml"), 0o600, files);
    nodeFileSystem.close(fd);
    expect(calls).toEqual(["open", "open"]);
    expect(box.names().map((name) => box.at(name))).toEqual([path]);
    expect(() => createTemporary(box.at("file.yaml"), 0o600, failing("open", "EACCES", 1, true))).toThrow("EACCES");
  });

  it("that stays is told of, to those who listen", () => {
    const said: Said[] = [];
    const announce = (message: string, fields?: Readonly<Record<string, string>>): void => {
      said.push([message, fields]);
    };
    const files = failing("unlink", "EACCES", 1, true);
    removeSibling("/folder/x", files, announce);
    removeSibling("/folder/x", files);
    expect(said).toEqual([["A temporary file could not be removed.", { file: "/folder/x" }]]);
  });
});

describe("permissions", () => {
  const NARROWER = "The permissions of the file could not be kept; the new ones are narrower.";

  /** Applies those of a file with these ids to a new one; gives what was said, and the calls. */
  function apply(ids: { uid: bigint; gid: bigint }, mode: number, fault: Fault | null = null, isHeard = true) {
    const box = scratch();
    const fd = nodeFileSystem.open(box.at("file"), openFlags.create, 0o600);
    const said: string[] = [];
    const { files, calls } = faulty(fault);
    try {
      const old = Object.assign(nodeFileSystem.fstat(fd), ids);
      applyPermissions(fd, old, mode, files, isHeard ? (message) => said.push(message) : undefined);
    } finally {
      nodeFileSystem.close(fd);
    }
    return { said, chowns: calls.filter((call) => call === "chown").length, mode: box.mode("file") };
  }

  const own = { uid: BigInt(process.getuid?.() ?? 0), gid: BigInt(process.getgid?.() ?? 0) };

  it("of our own files need no change of owner", () => {
    expect(apply(own, 0o640)).toEqual({ said: [], chowns: 0, mode: 0o640 });
  });

  it.runIf(isRoot)("of somebody else's, by user or by group, do", () => {
    expect(apply({ ...own, uid: 1234n }, 0o640)).toEqual({ said: [], chowns: 1, mode: 0o640 });
    expect(apply({ ...own, gid: 1234n }, 0o640)).toEqual({ said: [], chowns: 1, mode: 0o640 });
  });

  it.each(["EPERM", "EACCES", "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EOVERFLOW"])(
    "are cut down where they cannot be kept, and that is said: %s",
    (errno) => {
      const fault = { at: 1, with: errno, only: ["chown"], forever: true } as const;
      expect(apply({ ...own, gid: 1234n }, 0o640, fault)).toEqual({ said: [NARROWER], chowns: 2, mode: 0o600 });
      expect(apply({ ...own, gid: 1234n }, 0o604, fault)).toEqual({ said: [], chowns: 2, mode: 0o604 });
      expect(apply({ ...own, gid: 1234n }, 0o640, fault, false).mode).toBe(0o600);
      expect(apply(own, 0o640, { at: 1, with: errno, only: ["chmod"] })).toEqual({
        said: [NARROWER],
        chowns: 0,
        mode: 0o600,
      });
    },
  );

  it("that fail for another reason are an error", () => {
    expect(() => apply({ ...own, gid: 1234n }, 0o640, { at: 1, with: "EIO", only: ["chown"] })).toThrow("EIO");
  });

  it.runIf(isRoot)("are not those of a new file", () => {
    const box = scratch();
    chownSync(box.path, 1234, 1234);
    replaceIn(box, { newMode: 0o600 });
    expect(lstatSync(box.at("file.yaml"))).toMatchObject({ uid: 0 });
    expect(box.mode("file.yaml")).toBe(0o600);
  });
});
