// Many writers, full disks, missing surroundings (P7, P10, P11, P34, P36; S3, S9 to S22), through the built program.
import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { fixture, programWords, sandbox, type RunOptions, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { AGE1, CANARY } from "../support/workbench.ts";

const isLinux = process.platform === "linux";
const isRoot = process.getuid?.() === 0;
const PLAIN = `a: ${CANARY}\nb: second\n`;

let box: Sandbox | undefined;
afterEach(() => {
  box?.remove();
  box = undefined;
});

/** A box with `a.yaml` encrypted and `plain.yaml` not. */
async function boxWithFile(text = PLAIN): Promise<Sandbox> {
  const place = sandbox(
    {
      ".sops.yaml": `creation_rules:\n  - age: ${AGE1}\n`,
      "plain.yaml": text,
      "a.yaml": text,
      key: fixture("keys/age1.txt"),
    },
    {},
  );
  chmodSync(join(place.dir, "key"), 0o600);
  box = { ...place, env: place.env };
  expect(await run(place, ["encrypt", "-i", "a.yaml"])).toMatchObject({ status: 0 });
  return place;
}

function run(place: Sandbox, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return place.start(["leafcrypt", ...argv], {
    ...options,
    env: { SOPS_AGE_KEY_FILE: join(place.dir, "key"), ...options.env },
  });
}

/** A shell line, in which `$LC` is the program. */
function shell(place: Sandbox, line: string, env: RunOptions["env"] = {}): Promise<RunResult> {
  return place.start(["sh", "-c", line], {
    env: { LC: programWords().join(" "), SOPS_AGE_KEY_FILE: join(place.dir, "key"), ...env },
  });
}

describe("S14 several writers of one file (P7)", () => {
  it("lose nothing: 50 processes set 50 keys", async () => {
    const place = await boxWithFile();
    const keys = Array.from({ length: 50 }, (_, index) => `k${String(index)}`);
    const results = await Promise.all(
      keys.map((key) => run(place, ["set", "a.yaml", `["${key}"]`, `"v-${key}"`], { timeout: 100_000 })),
    );
    const plain = (await run(place, ["decrypt", "a.yaml"])).stdout;
    const acknowledged = keys.filter((_, index) => results[index]?.status === 0);
    for (const key of acknowledged) expect(plain).toContain(`${key}: v-${key}\n`);
    expect(acknowledged).toHaveLength(50);
    expect(readdirSync(place.dir).filter((name) => name.includes("leafcrypt"))).toEqual([]);
  }, 120_000);

  it("S13 refuse to write over what somebody without our lock has changed", async () => {
    const place = await boxWithFile();
    const editor = `sh -c 'echo c: 3 >> "$0"; echo "# theirs" >> ${join(place.dir, "a.yaml")}'`;
    const result = await run(place, ["edit", "a.yaml"], { env: { EDITOR: editor } });
    expect(result.status).toBe(3);
    expect(result.stderr).toContain("changed");
    expect(place.read("a.yaml")).toContain("# theirs");
  });
});

describe("kinds of files", () => {
  const commands = [
    { argv: ["set", "a.yaml", '["a"]', "1"] },
    { argv: ["rotate", "-i", "a.yaml"] },
    { argv: ["decrypt", "-i", "a.yaml"] },
  ];

  it.each(commands)("S9 a link stays one: $argv.0", async ({ argv }) => {
    const place = await boxWithFile();
    mkdirSync(join(place.dir, "real"));
    place.write("real/b.yaml", place.read("a.yaml"));
    spawnSync("rm", [join(place.dir, "a.yaml")]);
    symlinkSync("real/b.yaml", join(place.dir, "a.yaml"));
    const before = place.read("real/b.yaml");
    expect(await run(place, argv)).toMatchObject({ status: 0 });
    expect(lstatSync(join(place.dir, "a.yaml")).isSymbolicLink()).toBe(true);
    expect(place.read("real/b.yaml")).not.toBe(before);
  });

  it("S9 a loop of links is refused", async () => {
    const place = await boxWithFile();
    symlinkSync("loop.yaml", join(place.dir, "loop.yaml"));
    for (const argv of [
      ["set", "loop.yaml", '["a"]', "1"],
      ["rotate", "-i", "loop.yaml"],
    ])
      expect([2, 3]).toContain((await run(place, argv)).status);
  });

  it.each(commands)("S10 both names of a file with two keep showing it: $argv.0", async ({ argv }) => {
    const place = await boxWithFile();
    linkSync(join(place.dir, "a.yaml"), join(place.dir, "b.yaml"));
    const result = await run(place, argv);
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("hard links");
    expect(place.read("b.yaml")).toBe(place.read("a.yaml"));
  });

  it("S8 a file without write permission is refused (P8): 3", async () => {
    const place = await boxWithFile();
    chmodSync(join(place.dir, "a.yaml"), 0o444);
    const before = place.read("a.yaml");
    expect(await run(place, ["set", "a.yaml", '["a"]', "1"])).toMatchObject({ status: 3 });
    expect(place.read("a.yaml")).toBe(before);
  });

  it.each(["mkfifo a.yaml", "mkdir a.yaml", "ln -s /dev/null a.yaml"])("S12 %s: not written over", async (make) => {
    const place = await boxWithFile();
    const line = `mv a.yaml old; ${make}; [ -p a.yaml ] && (cat old > a.yaml &); $LC set a.yaml '["a"]' 1`;
    const result = await shell(place, line);
    expect([1, 2, 3]).toContain(result.status);
    expect(lstatSync(join(place.dir, "a.yaml")).isFile()).toBe(false);
  });

  it("S19 the input named as output is replaced whole", async () => {
    const place = await boxWithFile();
    symlinkSync("a.yaml", join(place.dir, "same.yaml"));
    expect(await run(place, ["decrypt", "--output", "same.yaml", "a.yaml"])).toMatchObject({ status: 0 });
    expect(place.read("a.yaml")).toBe(PLAIN);
  });

  it.each(["with\nbreak.yaml", "\u001b[31mred.yaml", "-dash.yaml", `${"n".repeat(250)}.yaml`, "a [b]* c.yaml"])(
    "S15 a file named %j works, and messages show it escaped",
    async (name) => {
      const place = await boxWithFile();
      place.write(name, PLAIN);
      expect(await run(place, ["encrypt", "-i", "--", name])).toMatchObject({ status: 0 });
      expect(await run(place, ["decrypt", "--", name])).toMatchObject({ status: 0, stdout: PLAIN });
      const result = await run(place, ["encrypt", "--verbose", "--", name]);
      expect(result.status).toBe(203);
      expect(result.stderr).not.toContain("\u001b");
    },
  );
});

describe("what runs out", () => {
  const canMount =
    isRoot && isLinux && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

  it.runIf(canMount)("S3 a disk of 64 kB (needs root): 3, and the old file alone", async () => {
    const place = await boxWithFile(`a: ${"x".repeat(30_000)}\n`);
    const line = `mkdir disk; mount -t tmpfs -o size=64k none disk; cp a.yaml disk; cd disk
      for command in 'set a.yaml ["b"] 1' 'rotate -i a.yaml' 'decrypt -i a.yaml' 'decrypt --output b.yaml a.yaml'; do
        $LC $command 2>>../said; echo $? $(cmp a.yaml ../a.yaml && ls -A)
      done`;
    const result = await place.start(["unshare", "-m", "sh", "-c", line], {
      env: {
        LC: programWords().join(" "),
        SOPS_AGE_KEY_FILE: join(place.dir, "key"),
      },
    });
    expect(result.stdout).toBe("3 a.yaml\n".repeat(4));
    expect(place.read("said").match(/no space left on device/g)).toHaveLength(4);
    expect(place.read("said")).not.toContain("xxxx");
  });

  it("S3 a limit on the size of files (ulimit -f): 3, and the old file", async () => {
    const place = await boxWithFile(`a: ${"x".repeat(30_000)}\n`);
    const before = place.read("a.yaml");
    const result = await shell(place, `ulimit -f 8; $LC rotate -i a.yaml`);
    expect(result).toMatchObject({ status: 3 });
    expect(result.stderr).toContain("file too large");
    expect(place.read("a.yaml")).toBe(before);
    expect(readdirSync(place.dir).filter((name) => name.includes("leafcrypt"))).toEqual([]);
  });

  it.runIf(isLinux)("S21 a full device as standard output: 3, and one line", async () => {
    const place = await boxWithFile();
    const result = await shell(place, "$LC decrypt a.yaml > /dev/full");
    expect(result).toMatchObject({ status: 3 });
    expect(result.stderr).toMatch(/no space left on device\n$/);
    expect(await run(place, ["decrypt", "--output", "/dev/full", "a.yaml"])).toMatchObject({ status: 3 });
  });

  it("S21 a reader who had enough: not 0, and no word", async () => {
    const place = await boxWithFile(`a: ${"x".repeat(300_000)}\n`);
    const result = await shell(place, "($LC decrypt a.yaml; echo $? >&2) | head -c 1");
    expect(result.stdout).toBe("a");
    expect(result.stderr).toBe("1\n");
  });

  it("S21 closed standard output: Node puts /dev/null there, and nothing goes anywhere else", async () => {
    const place = await boxWithFile();
    const before = readdirSync(place.dir);
    expect(await shell(place, "$LC decrypt a.yaml >&-")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(readdirSync(place.dir)).toEqual(before);
  });

  it("P10 a slow reader gets every byte", async () => {
    const place = await boxWithFile(`a: ${"x".repeat(3_000_000)}\n`);
    const result = await shell(place, "$LC decrypt a.yaml | (sleep 0.3; wc -c)");
    expect(result.stdout.trim()).toBe("3000004");
  });

  it("S23 too few file descriptors (ulimit -n): one line, and the old file", async () => {
    const place = await boxWithFile();
    const before = place.read("a.yaml");
    const result = await shell(place, `ulimit -n 22; $LC rotate -i a.yaml`);
    if (result.status !== 0) expect(place.read("a.yaml")).toBe(before);
    expect(result.stderr).not.toMatch(/^ {4}at /m);
  });
});

describe("standard input (S20)", () => {
  it.each([
    { name: "closed", line: "$LC decrypt --input-type yaml <&-" },
    { name: "a folder", line: "$LC decrypt --input-type yaml < ." },
  ])("$name: refused with a sentence", async ({ line }) => {
    const result = await shell(await boxWithFile(), line);
    expect([1, 2]).toContain(result.status);
    expect(result.stderr).not.toMatch(/^ {4}at /m);
  });
});

describe.skipIf(process.platform === "win32")("a signal while input is waited for ends the program at once", () => {
  it.each([
    { name: "standard input", line: "sleep 8 | exec $LC decrypt --input-type yaml" },
    { name: "a pipe in the place of FILE", line: "mkfifo pipe; exec $LC decrypt pipe" },
  ])("$name", async ({ line }) => {
    const place = await boxWithFile();
    const before = performance.now();
    // `timeout` gives 124 when its child ended by the signal in time, and 137 when it had to be killed.
    const result = await shell(place, `timeout -k 6 1 sh -c '${line}'`);
    expect(result.status).toBe(124);
    expect(performance.now() - before).toBeLessThan(5000);
  });
});

describe("surroundings (P36)", () => {
  it.each([
    { name: "no HOME", env: { HOME: undefined } },
    { name: "a HOME that is not there", env: { HOME: "/nonexistent" } },
    { name: "no TMPDIR that is there (S17)", env: { TMPDIR: "/nonexistent" } },
    { name: "another locale", env: { LC_ALL: "tr_TR.UTF-8" } },
    { name: "a time zone far away", env: { TZ: "Pacific/Kiritimati" } },
  ])("work: $name", async ({ env }) => {
    const place = await boxWithFile();
    expect(await run(place, ["decrypt", "a.yaml"], { env })).toMatchObject({ status: 0, stdout: PLAIN, stderr: "" });
    expect(await run(place, ["set", "a.yaml", '["b"]', '"x"'], { env })).toMatchObject({ status: 0 });
    expect(await run(place, ["edit", "a.yaml"], { env: { ...env, EDITOR: "sed -i s/x/y/" } })).toMatchObject({
      status: 0,
    });
  });

  describe.skipIf(process.platform === "win32")("K3 an identity file", () => {
    it.each([
      { mode: 0o604, isWarned: true },
      { mode: 0o640, isWarned: false },
      { mode: 0o600, isWarned: false },
    ])("of mode $mode is told of: $isWarned", async ({ mode, isWarned }) => {
      const place = await boxWithFile();
      chmodSync(join(place.dir, "key"), mode);
      const { status, stdout, stderr } = await run(place, ["decrypt", "a.yaml", "a.yaml"]);
      expect({ status, stdout }).toEqual({ status: 0, stdout: PLAIN + PLAIN });
      const told = stderr.match(/Every user of this machine can read the file of an age key.*chmod 600/g) ?? [];
      expect(told).toHaveLength(isWarned ? 1 : 0);
    });

    it("of any mode brings no line that the reference has not", async () => {
      const place = await boxWithFile();
      chmodSync(join(place.dir, "key"), 0o644);
      const env = { SOPS_AGE_KEY_FILE: join(place.dir, "key") };
      expect(await place.start(["sops", "decrypt", "a.yaml"], { env })).toMatchObject({ status: 0, stderr: "" });
    });
  });

  it.skipIf(process.platform === "win32")("S16 a deleted working directory: works with absolute names", async () => {
    const place = await boxWithFile();
    const result = await shell(place, `mkdir gone; cd gone; rmdir ../gone; $LC decrypt ${join(place.dir, "a.yaml")}`);
    expect(result.stderr).not.toMatch(/^ {4}at /m);
    if (result.status !== 0) expect(result).toMatchObject({ stdout: "" });
    else expect(result.stdout).toBe(PLAIN);
  });

  it.each([
    { umask: "000", mode: 0o600 },
    { umask: "077", mode: 0o600 },
    { umask: "777", mode: 0o600 },
  ])("S22, P11 plaintext is the owner's alone with umask $umask", async ({ umask, mode }) => {
    const place = await boxWithFile();
    expect(await shell(place, `umask ${umask}; $LC decrypt --output out.yaml a.yaml`)).toMatchObject({ status: 0 });
    expect(statSync(join(place.dir, "out.yaml")).mode & 0o777).toBe(mode);
    const look = `sh -c 'ls -l "$0" | cut -c1-10 > ${join(place.dir, "seen")}; ls -ld "$(dirname "$0")" | cut -c1-10 >> ${join(place.dir, "seen")}'`;
    place.write("seen", "", 0o666);
    await shell(place, `umask ${umask}; $LC edit a.yaml`, { EDITOR: look });
    expect(place.read("seen")).toBe("-rw-------\ndrwx------\n");
  });

  const faketime = spawnSync("sh", ["-c", "command -v faketime"]).status === 0;
  it.runIf(faketime).each(["1969-12-31 12:00:00", "2038-01-20 00:00:00", "2106-02-08 00:00:00"])(
    "S18, P34 the clock says %s (faketime, where installed)",
    async (time) => {
      const place = await boxWithFile();
      const result = await shell(place, `faketime '${time}' $LC set a.yaml '["b"]' '"x"' && $LC decrypt a.yaml`);
      expect(result).toMatchObject({ status: 0, stdout: PLAIN.replace("second", "x") });
      expect(place.read("a.yaml")).toContain(`lastmodified: "${time.slice(0, 4)}-`);
    },
  );
});
