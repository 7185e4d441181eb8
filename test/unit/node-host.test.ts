import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { nodeHost, resolveProgram } from "../../src/node-host.ts";

const folder = mkdtempSync(join(tmpdir(), "lc-host-"));
const host = nodeHost({ PATH: process.env["PATH"] }, () => undefined);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("random bytes", () => {
  it("are as many as asked for, and never the same twice", () => {
    const drawn = Array.from({ length: 3000 }, () => Buffer.from(host.randomBytes(32)).toString("hex"));
    expect(new Set(drawn).size).toBe(drawn.length);
    expect(host.randomBytes(20_000)).toHaveLength(20_000);
    expect(Buffer.from(host.randomBytes(8192)).equals(Buffer.alloc(8192))).toBe(false);
  });

  it("belong to whoever got them", () => {
    const first = host.randomBytes(32);
    const copy = Uint8Array.from(first);
    host.randomBytes(32).fill(0);
    expect(Uint8Array.from(first)).toEqual(copy);
  });
});

describe("finding programs", () => {
  const bin = join(folder, "bin");
  mkdirSync(join(bin, "folder"), { recursive: true });
  writeFileSync(join(bin, "tool"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(bin, "data"), "", { mode: 0o644 });

  it("takes them from PATH", () => {
    expect(resolveProgram("tool", { PATH: `/nope:${bin}` })).toBe(join(bin, "tool"));
  });

  it.each(["", ".", "relative", ":", ".:/nope"])("does not look in the working directory for PATH %j", (path) => {
    const before = process.cwd();
    process.chdir(bin);
    try {
      expect(() => resolveProgram("tool", { PATH: path })).toThrow(expect.objectContaining({ code: "ERR_PROCESS" }));
    } finally {
      process.chdir(before);
    }
  });

  it.each(["data", "folder", "nothing"])("passes over %s", (name) => {
    expect(() => resolveProgram(name, { PATH: bin })).toThrow(/executable file not found in \$PATH/);
  });
});

describe("running programs", () => {
  function script(name: string, text: string): string {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  it("gives status, output and messages, and passes input and arguments as they are", async () => {
    const echo = script("echo", 'cat; printf "%s" "$1"; echo oops >&2; exit 3');
    const result = await host.run(echo, ["a b; $HOME"], { input: Buffer.from("in ") });
    expect(result).toMatchObject({ status: 3, stderr: "oops\n" });
    expect(Buffer.from(result.stdout).toString()).toBe("in a b; $HOME");
  });

  it("ends those that write too much or take too long", async () => {
    const loud = script("loud", "exec yes");
    await expect(host.run(loud, [], { maxOutput: 1000 })).rejects.toThrow(/more than 1000 bytes/);
    const slow = script("slow", "exec sleep 30");
    expect(await host.run(slow, [], { timeout: 200 })).toMatchObject({ status: 137 });
  });

  it("does not mind a program that does not read its input", async () => {
    const deaf = script("deaf", "exit 0");
    expect(await host.run(deaf, [], { input: Buffer.alloc(1_000_000) })).toMatchObject({ status: 0 });
  });

  it("gives only the environment it is told to", async () => {
    const env = script("env", '/usr/bin/env | grep -c "" ; printf "%s" "$ONLY"');
    const { stdout } = await host.run(env, [], { env: { ONLY: "this" } });
    expect(Buffer.from(stdout).toString()).toContain("this");
  });

  it("says what could not be started", async () => {
    await expect(host.run("/nope/nothing", [])).rejects.toThrow("/nope/nothing could not be started");
  });
});

it("reads files that are there, and says null of those that are not", () => {
  writeFileSync(join(folder, "file"), "x");
  expect(Buffer.from(host.readFile(join(folder, "file")) ?? []).toString()).toBe("x");
  expect(host.readFile(join(folder, "none"))).toBeNull();
  expect(() => host.readFile(folder)).toThrow(expect.objectContaining({ code: "ERR_READ" }));
});
