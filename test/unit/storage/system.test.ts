import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { childScript, runProcess, type ChildScript } from "../../support/child-script.ts";
import { scratch } from "../../support/scratch.ts";

const isRoot = process.getuid?.() === 0;
const isLinux = process.platform === "linux";
const succeedsWith = (command: string, ...parameters: string[]): boolean =>
  spawnSync(command, parameters, { stdio: "ignore" }).status === 0;
const canMount = isRoot && isLinux && succeedsWith("unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt");
const NOBODY = { uid: 65534, gid: 65534 };

let worker: ChildScript;
beforeAll(async () => {
  worker = await childScript(join(import.meta.dirname, "../../support/scripts/storage-worker.ts"));
  spawnSync("chmod", ["-R", "a+rX", dirname(worker.path)]);
});
afterAll(() => {
  worker.remove();
});

/** A worker that stays until it is told to end; resolves with its first line. */
async function startWorker(
  parameters: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ child: ChildProcess; line: string; ended: Promise<NodeJS.Signals | null> }> {
  const child = spawn(process.execPath, [worker.path, ...parameters], { stdio: ["pipe", "pipe", "inherit"], env });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  child.stdin.end("CANARY");
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on("exit", (_status, signal) => {
      resolve(signal);
    });
  });
  const line = await new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      resolve(chunk.toString().trim());
    });
  });
  return { child, line, ended };
}

describe("several writers", () => {
  it("lose nothing: 50 processes add one to a number", async () => {
    const box = scratch();
    const path = box.put("number", "0");
    const results = await Promise.all(Array.from({ length: 50 }, () => worker.run(["increment", path])));
    expect(results.map(({ stderr }) => stderr).filter((text) => text !== "")).toEqual([]);
    expect(box.text("number")).toBe("50");
    expect(box.names()).toEqual(["number"]);
  });

  it.runIf(isLinux)("go on after the kill of one that held the lock, and remove what it left", async () => {
    const box = scratch();
    const path = box.put("number", "1");
    const { child, line, ended } = await startWorker(["hold", path]);
    expect(line).toBe("held");
    expect(box.names()).toHaveLength(3);
    child.kill("SIGKILL");
    await ended;
    expect(await worker.run(["increment", path])).toMatchObject({ status: 0, stderr: "" });
    expect(box.text("number")).toBe("2");
    expect(box.names()).toEqual(["number"]);
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const)("give the lock back on %s", async (signal) => {
    const box = scratch();
    const { child, ended } = await startWorker(["hold", box.put("number", "1")]);
    expect(box.names()).toContain(".number.leafcrypt-lock");
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(box.names()).not.toContain(".number.leafcrypt-lock");
  });
});

describe("a private folder of a process", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const)("is removed on %s", async (signal) => {
    const { child, line, ended } = await startWorker(["private"]);
    expect(readFileSync(line, "utf8")).toBe("CANARY");
    child.kill(signal);
    expect(await ended).toBe(signal);
    expect(existsSync(dirname(line))).toBe(false);
  });

  it.runIf(isLinux)("is removed by the next run after SIGKILL, and not while the process lives", async () => {
    const [killed, alive] = await Promise.all([startWorker(["private"]), startWorker(["private"])]);
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(existsSync(killed.line)).toBe(true);
    await startWorker(["private"]);
    expect(existsSync(dirname(killed.line))).toBe(false);
    expect(existsSync(alive.line)).toBe(true);
  });

  it.each(["000", "022", "777"])("is the owner's alone with umask %s", async (umask) => {
    const { line } = await startWorker(["private", umask]);
    expect(statSync(dirname(line)).mode & 0o7777).toBe(0o700);
    expect(statSync(line).mode & 0o7777).toBe(0o600);
  });
});

describe("modes", () => {
  it.each([
    { umask: "000", secret: 0o600, clear: 0o666 },
    { umask: "022", secret: 0o600, clear: 0o644 },
    { umask: "077", secret: 0o600, clear: 0o600 },
    { umask: "777", secret: 0o600, clear: 0o000 },
  ])("of new output files with umask $umask", async ({ umask, secret, clear }) => {
    const box = scratch();
    await worker.run(["output", box.at("secret"), "secret", umask]);
    await worker.run(["output", box.at("clear"), "clear", umask]);
    expect([box.mode("secret"), box.mode("clear")]).toEqual([secret, clear]);
  });

  it.each(["000", "777"])("of old output files are kept with umask %s", async (umask) => {
    const box = scratch();
    box.put("file", "old", 0o640);
    await worker.run(["output", box.at("file"), "secret", umask]);
    expect([box.text("file"), box.mode("file")]).toEqual(["new", 0o640]);
  });
});

describe("limits of the system", () => {
  it.runIf(canMount)("a full disk of 64 kB (needs root): the old content stays, and nothing else", async () => {
    const box = scratch();
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "none", box.path]);
    onTestFinished(() => {
      spawnSync("umount", [box.path]);
    });
    const old = "o".repeat(40_000);
    const path = box.put("file", old);
    const { status, stderr } = await worker.run(["replace", path, "40000"]);
    expect(status).toBe(3);
    expect(stderr).toBe(`ERR_WRITE: Could not write in-place file: write ${path}: no space left on device\n`);
    expect(box.text("file")).toBe(old);
    expect(box.names()).toEqual(["file"]);
  });

  it.skipIf(process.platform === "win32")("a limit on the size of files (ulimit -f)", async () => {
    const box = scratch();
    const path = box.put("file", "old");
    const line = `ulimit -f 8; exec "$0" "$@"`;
    const { status, stderr } = await runProcess("sh", [
      "-c",
      line,
      process.execPath,
      worker.path,
      "replace",
      path,
      "90000",
    ]);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: `ERR_WRITE: Could not write in-place file: write ${path}: file too large\n`,
    });
    expect(box.text("file")).toBe("old");
    expect(box.names()).toEqual(["file"]);
  });

  it.runIf(canMount)("a file that is a mount point (needs root) is written in place", async () => {
    const box = scratch();
    box.put("original", "a longer old text");
    box.put("file", "");
    spawnSync("mount", ["--bind", box.at("original"), box.at("file")]);
    onTestFinished(() => {
      spawnSync("umount", [box.at("file")]);
    });
    const { status, stderr } = await worker.run(["replace", box.at("file"), "3"]);
    expect(status).toBe(0);
    expect(stderr).toContain("its folder does not let it be replaced: device or resource busy");
    expect([box.text("file"), box.text("original")]).toEqual(["nnn", "nnn"]);
    expect(box.names()).toEqual(["file", "original"]);
  });

  it.runIf(isRoot && isLinux)("an immutable file (needs root and chattr)", async ({ skip }) => {
    const box = scratch();
    const path = box.put("file", "old");
    if (!succeedsWith("chattr", "+i", path)) skip("this file system has no immutable files");
    onTestFinished(() => {
      spawnSync("chattr", ["-i", path]);
    });
    const { stderr } = await worker.run(["replace", path, "3"]);
    expect(stderr).toBe(`ERR_WRITE: Could not open in-place file for writing: open ${path}: operation not permitted\n`);
    expect(box.names()).toEqual(["file"]);
    spawnSync("chattr", ["-i", path]);
  });
});

describe.runIf(isRoot && isLinux)("another user than root (needs root)", () => {
  it("writes in place where only the file is his, with its copy in the folder given", async () => {
    const box = scratch();
    spawnSync("chmod", ["755", box.path]);
    chownSync(box.put("file", "old"), NOBODY.uid, NOBODY.gid);
    mkdirSync(box.at("recovery"));
    chownSync(box.at("recovery"), NOBODY.uid, NOBODY.gid);
    const { status } = await worker.run(["replace", box.at("file"), "3", "refuse", box.at("recovery")], NOBODY);
    expect(status).toBe(0);
    expect(box.text("file")).toBe("nnn");
    expect(readdirSync(box.at("recovery"))).toEqual([]);
  });

  it("is refused there without such a folder", async () => {
    const box = scratch();
    spawnSync("chmod", ["755", box.path]);
    chownSync(box.put("file", "old"), NOBODY.uid, NOBODY.gid);
    expect((await worker.run(["replace", box.at("file"), "3"], NOBODY)).status).toBe(3);
    expect(box.text("file")).toBe("old");
  });

  it.each(["refuse", "kernel"])("is refused a file that he may not write, with readOnly: %s", async (readOnly) => {
    const box = scratch();
    chownSync(box.path, NOBODY.uid, NOBODY.gid);
    const path = box.put("file", "old", 0o444);
    chownSync(path, NOBODY.uid, NOBODY.gid);
    const { status, stderr } = await worker.run(["replace", path, "3", readOnly], NOBODY);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: `ERR_WRITE: Could not open in-place file for writing: open ${path}: permission denied\n`,
    });
    expect(box.names()).toEqual(["file"]);
  });

  it("keeps the group of a file that is not his, where it is one of his own, and the mode", async () => {
    const box = scratch();
    spawnSync("chmod", ["777", box.path]);
    chownSync(box.put("file", "old", 0o660), 1234, NOBODY.gid);
    expect((await worker.run(["replace", box.at("file"), "3"], NOBODY)).status).toBe(0);
    expect(lstatSync(box.at("file"))).toMatchObject(NOBODY);
    expect(box.mode("file")).toBe(0o660);
  });
});

describe.skipIf(process.platform === "win32")("standard streams", () => {
  const shell = (line: string): ReturnType<typeof runProcess> =>
    runProcess("sh", ["-c", line, process.execPath, worker.path]);

  it("get every byte through a slow pipe", async () => {
    const { stdout } = await shell(`"$0" "$1" stdout 20000000 | (sleep 0.3; wc -c)`);
    expect(Number(stdout)).toBe(20_000_000);
  });

  it("report a full device", async () => {
    const { status, stderr } = await shell(`"$0" "$1" stdout 10 > /dev/full`);
    expect({ status, stderr }).toEqual({
      status: 3,
      stderr: "ERR_WRITE: Could not write to standard output: write /dev/stdout: no space left on device\n",
    });
  });

  it("tell a reader who left from a failure", async () => {
    const { stderr } = await shell(
      `("$0" "$1" stdout 9000000 2>/dev/null; echo "status $?" >&2) | head -c 1 >/dev/null`,
    );
    expect(stderr).toContain("status 141");
  });

  it("are read to their end", async () => {
    const { stdout } = await shell(`(head -c 100000 /dev/zero; sleep 0.1; printf x) | "$0" "$1" stdin`);
    expect(stdout).toBe("100001\n");
  });

  it("refuse a folder as standard input", async () => {
    const { stderr } = await shell(`"$0" "$1" stdin < /`);
    expect(stderr).toBe("ERR_READ: Error reading from stdin: read /dev/stdin: is a directory\n");
  });
});
