import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

const recipient = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const SECRET = "correct-horse-battery";
const isRoot = process.getuid?.() === 0;

let box: Sandbox;

beforeEach(() => {
  box = sandbox({ id: fixture("keys/age1.txt") }, { SOPS_AGE_KEY_FILE: "id", SOPS_AGE_RECIPIENTS: recipient });
});

afterEach(() => {
  box.remove();
});

async function encrypted(path: string, content: string, ...options: readonly string[]): Promise<void> {
  box.write(path, content);
  expect(await box.run("encrypt", "-i", ...options, path)).toMatchObject({ status: 0 });
}

/** Folders of ours for plaintext, in memory and on the disk. */
function privateFolders(): string[] {
  const shared = existsSync("/dev/shm") ? readdirSync("/dev/shm").map((name) => `/dev/shm/${name}`) : [];
  return [...shared, ...readdirSync(box.tmp).map((name) => join(box.tmp, name))].filter((path) => {
    return path.startsWith(box.tmp) || path.includes("/leafcrypt-");
  });
}

describe("exec-env", () => {
  beforeEach(() => encrypted("e.env", `A=1\nTOKEN=${SECRET}\n`));

  it("E7 tells of names that no shell can use, and not as sops", async () => {
    await encrypted("odd.env", `export A=${SECRET}\nB=2\n`);
    const result = await box.run("exec-env", "odd.env", "--", "printenv", "export A");
    expect(result).toMatchObject({ status: 0, stdout: `${SECRET}\n` });
    expect(result.stderr).toMatch(/a blank in its name: "export A"\n$/);
    expect(await box.sops("exec-env", "odd.env", "true")).toMatchObject({ status: 0, stderr: "" });
  });

  it("I-09 runs a program with its arguments after two dashes, without a shell", async () => {
    expect(await box.run("exec-env", "e.env", "--", "printf", "%s|", "$TOKEN", "a b", "*")).toMatchObject({
      status: 0,
      stdout: "$TOKEN|a b|*|",
      stderr: "",
    });
    expect(await box.run("exec-env", "e.env", "--", "sh", "-c", 'printf %s "$TOKEN"')).toMatchObject({
      stdout: SECRET,
    });
  });

  it.each([
    { name: "dashes before FILE", program: "leafcrypt", args: ["--", "e.env", "echo $A"], status: 0, stdout: "1\n" },
    { name: "the same as sops", program: "sops", args: ["--", "e.env", "echo $A"], status: 0, stdout: "1\n" },
    {
      name: "one text as sops: for the shell",
      program: "sops",
      args: ["e.env", "--", "echo $A"],
      status: 0,
      stdout: "1\n",
    },
    { name: "several words as sops", program: "sops", args: ["e.env", "--", "echo", "$A"], status: 0, stdout: "$A\n" },
    {
      name: "one text: the program's name",
      program: "leafcrypt",
      args: ["e.env", "--", "echo $A"],
      status: 127,
      stdout: "",
    },
  ])("I-09 two dashes: $name", async ({ program, args, status, stdout }) => {
    expect(await box.start([program, "exec-env", ...args])).toMatchObject({ status, stdout });
  });

  it.each([
    { name: "nothing", args: [], says: "missing file to decrypt" },
    { name: "no command", args: ["e.env"], says: "missing file to decrypt or command" },
    { name: "three words", args: ["e.env", "echo", "a"], says: "after two dashes, FILE -- program argument" },
  ])("I-09 says what is missing with $name", async ({ args, says }) => {
    const result = await box.run("exec-env", ...args);
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(says);
  });

  it.each([
    { name: "passes on a status, silently", command: ["sh", "-c", "exit 7"], status: 7, stderr: "" },
    { name: "has the status of shells for a signal", command: ["sh", "-c", "kill -TERM $$"], status: 143, stderr: "" },
    {
      name: "has the status of shells for a program that is not there",
      command: ["no-such-program"],
      status: 127,
      stderr: "leafcrypt: no-such-program: executable file not found in $PATH\n",
    },
    {
      name: "has the status of shells for a file that is no program",
      command: ["./id"],
      status: 126,
      stderr: "leafcrypt: ./id: permission denied\n",
    },
  ])("Z4 $name", async ({ command, status, stderr }) => {
    expect(await box.run("exec-env", "e.env", "--", ...command)).toMatchObject({ status, stderr });
  });

  it("Z5 says how large an environment is that the system does not take", async () => {
    await encrypted("big.yaml", `BIG: ${"x".repeat(200_000)}\n`);
    const result = await box.run("exec-env", "big.yaml", "true");
    expect(result.status).toBe(1);
    expect(result.stderr).toMatch(/2\d{5} bytes of arguments and environment are more than the system takes/);
  });

  it.each([
    { name: "a key with =", content: "a=b: 1\n", says: "cannot use keys with '=' in environment; offending key a=b" },
    { name: "an empty key", content: '"": 1\n', says: "cannot use an empty key" },
    { name: "a list", content: "a: [1]\n", says: "cannot use complex value in environment; offending key a" },
    { name: "a NUL", content: 'a: "x\\0y"\n', says: "an environment cannot hold a NUL; offending key a" },
  ])("Z1 Z3 starts nothing for $name", async ({ content, says }) => {
    await encrypted("bad.yaml", content);
    const result = await box.run("exec-env", "bad.yaml", "touch ran");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(says);
    expect(box.exists("ran")).toBe(false);
  });

  it("I-48 makes an empty variable of null", async () => {
    await encrypted("n.yaml", "a: null\nb: x\n");
    expect(await box.run("exec-env", "n.yaml", 'echo "[$a][$b]"')).toMatchObject({ status: 0, stdout: "[][x]\n" });
  });

  it.each(["env", "/usr/bin/env"])("passes on nothing but the file's values with --pristine to %s", async (program) => {
    const result = await box.start(["leafcrypt", "exec-env", "--pristine", "e.env", "--", program], {
      env: { OTHER: "1" },
    });
    expect(result.stdout).toBe(`A=1\nTOKEN=${SECRET}\n`);
  });

  it("refuses a value that is no text, which Node would pass on as other bytes", async () => {
    box.write("bytes.env", Buffer.from("B=\xff\xfe\n", "latin1"));
    expect(await box.run("encrypt", "-i", "bytes.env")).toMatchObject({ status: 0 });
    const result = await box.run("exec-env", "bytes.env", "touch ran");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("no UTF-8 text in environment; offending key B");
    expect(box.exists("ran")).toBe(false);
    expect((await box.start(["leafcrypt", "exec-file", "bytes.env", "cat {}"])).stdoutBytes.toString("latin1")).toBe(
      "B=\xff\xfe\n",
    );
  });

  it("starts and leaves with --background", async () => {
    const result = await box.run("exec-env", "--background", "e.env", 'sleep 0.3; printf %s "$TOKEN" > out');
    expect(result).toMatchObject({ status: 0, stdout: "" });
    expect(result.stderr).toContain("deprecated");
    await expect.poll(() => box.exists("out") && box.read("out"), { timeout: 5000 }).toBe(SECRET);
  });

  it("ends as the command does with --same-process, by the same signal", async () => {
    const killed = await box.run("exec-env", "--same-process", "e.env", "kill -TERM $$");
    expect(killed).toMatchObject({ status: null, signal: "SIGTERM", stderr: "" });
    expect(await box.run("exec-env", "--same-process", "e.env", "exit 9")).toMatchObject({ status: 9, stderr: "" });
  });
});

describe("Z2 exec-env refuses what somebody without the data key may have put there", () => {
  it.each([
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "NODE_OPTIONS",
    "BASH_ENV",
    "PYTHONPATH",
    "DYLD_INSERT_LIBRARIES",
    "GIT_CONFIG_COUNT",
    "LUA_INIT_5_4",
    "COR_PROFILER",
    "CORECLR_PROFILER_PATH",
  ])("%s, unless it is named", async (name) => {
    await encrypted("e.env", `${name}=/tmp/x\n`);
    const refused = await box.run("exec-env", "e.env", "touch ran");
    expect(refused).toMatchObject({ status: 8, stdout: "" });
    expect(refused.stderr).toContain(`${name} decides which code programs load: the command was not started`);
    expect(refused.stderr).toContain(`--allow ${name}`);
    expect(box.exists("ran")).toBe(false);
    const allowed = await box.run("exec-env", "--allow", `X,${name}`, "e.env", "--", "/usr/bin/env");
    // A loader that gets such a path may complain, or fail.
    if (name !== "NODE_OPTIONS") expect(allowed.stdout + allowed.stderr).toContain("/tmp/x");
  });

  it("a clear value under mac_only_encrypted, which the MAC leaves out", async () => {
    await encrypted("e.yaml", "MODE_unencrypted: fast\nTOKEN: x\n", "--mac-only-encrypted");
    box.write("e.yaml", box.read("e.yaml").replace("MODE_unencrypted: fast", "MODE_unencrypted: evil"));
    const refused = await box.run("exec-env", "e.yaml", "touch ran");
    expect(refused).toMatchObject({ status: 8, stdout: "" });
    expect(refused.stderr).toContain("MODE_unencrypted is in clear and not covered by the file's MAC");
    expect(refused.stderr).not.toContain("evil");
    const allowed = await box.run("exec-env", "--allow", "MODE_unencrypted", "e.yaml", 'echo "$MODE_unencrypted"');
    expect(allowed).toMatchObject({ status: 0, stdout: "evil\n" });
  });

  it("but not a clear value that the MAC covers", async () => {
    await encrypted("e.yaml", "MODE_unencrypted: fast\nTOKEN: x\n");
    expect(await box.run("exec-env", "e.yaml", 'echo "$MODE_unencrypted"')).toMatchObject({ stdout: "fast\n" });
  });

  it("and under the name sops nothing, as its callers rely on", async () => {
    await encrypted("e.env", "PYTHONPATH=/tmp/x\n");
    expect(await box.sops("exec-env", "e.env", 'echo "$PYTHONPATH"')).toMatchObject({ status: 0, stdout: "/tmp/x\n" });
  });
});

describe("exec-file", () => {
  beforeEach(() => encrypted("e.yaml", `a: ${SECRET}\n`));

  it.each([
    { name: "by a FIFO", options: [] },
    { name: "by a file", options: ["--no-fifo"] },
  ])("I-09 puts the path into arguments, $name", async ({ options }) => {
    const result = await box.run("exec-file", ...options, "e.yaml", "--", "cat", "{}");
    expect(result).toMatchObject({ status: 0, stdout: `a: ${SECRET}\n`, stderr: "" });
  });

  it.each([
    { name: "in memory or the temporary folder", program: "leafcrypt" as const },
    { name: "in the temporary folder as sops", program: "sops" as const },
  ])("keeps the file private, and removes it: $name", async ({ program }) => {
    const command = 'stat -c "%a %F" {} "$(dirname {})"; echo {}';
    const { stdout } = await box.start([program, "exec-file", "--no-fifo", "e.yaml", command]);
    const [file, folder, path = ""] = stdout.split("\n");
    expect([file, folder]).toEqual(["600 regular file", "700 directory"]);
    if (program === "sops") expect(path).toMatch(new RegExp(`^${box.tmp}/\\.sops\\d+/tmp-file\\d+$`));
    expect(existsSync(dirname(path))).toBe(false);
  });

  it("Z6 lets a FIFO be large, read in part, and not at all", async () => {
    const value = "x".repeat(1_000_000);
    await encrypted("large.yaml", `a: ${value}\n`);
    expect((await box.run("exec-file", "large.yaml", "cat {} | wc -c")).stdout.trim()).toBe("1000004");
    expect(await box.run("exec-file", "large.yaml", "head -c 3 {}")).toMatchObject({ status: 0, stdout: "a: " });
    expect(await box.run("exec-file", "large.yaml", "exit 3")).toMatchObject({ status: 3 });
    expect(await box.run("exec-file", "large.yaml", "rm {}")).toMatchObject({ status: 0, isTimedOut: false });
    expect((await box.run("exec-file", "large.yaml", "sleep 0.3; cat {} | wc -c")).stdout.trim()).toBe("1000004");
  });

  it("says what to do where no FIFO can be made, and leaves nothing", async () => {
    const result = await box.start(["leafcrypt", "exec-file", "e.yaml", "--", "/bin/cat", "{}"], {
      env: { PATH: box.home },
    });
    expect(result).toMatchObject({ status: 3, stdout: "" });
    expect(result.stderr).toContain("the FIFO could not be created");
    expect(result.stderr).toContain("pass --no-fifo for a regular file");
    expect(readdirSync(box.tmp)).toEqual([]);
  });

  it("puts nothing in clear on the disk with a FIFO", async () => {
    const { stdout } = await box.run("exec-file", "e.yaml", 'ls -A "$(dirname {})"; test -p {} && echo fifo');
    expect(stdout).toBe("tmp-file\nfifo\n");
  });

  it.each(["../x", "/x", "a/b", ".", ".."])("Z7 refuses the name %s", async (name) => {
    const result = await box.run("exec-file", "--no-fifo", "--filename", name, "e.yaml", "touch ran");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("The provided filename is not a local path.");
    expect(box.exists("ran")).toBe(false);
  });

  it("refuses --background, with which the file would be gone at once", async () => {
    const result = await box.run("exec-file", "--background", "e.yaml", "cat {} > ran");
    expect(result).toMatchObject({ status: 8, stdout: "" });
    expect(result.stderr).toContain("exec-file … &");
  });
});

describe("I-25 a signal goes to the command, which is waited for, and nothing in clear stays", () => {
  beforeEach(async () => {
    await encrypted("e.yaml", `a: ${SECRET}\n`);
  });

  const command = (mark: string): string =>
    `trap 'echo ended > ended; exit 4' TERM INT HUP QUIT; echo ${mark} > path; : > started; while :; do sleep 0.05; done`;

  it.each(
    (["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const).flatMap((signal) => [
      { signal, args: ["exec-env"] },
      { signal, args: ["exec-file"] },
      { signal, args: ["exec-file", "--no-fifo"] },
    ]),
  )("$signal $args", async ({ signal, args }) => {
    const mark = args[0] === "exec-env" ? "none" : "{}";
    const run = box.start(["leafcrypt", ...args, "e.yaml", command(mark)], {
      signal: { name: signal, whenExists: "started" },
    });
    expect(await run).toMatchObject({ status: 4, signal: null, isTimedOut: false });
    expect(box.read("ended")).toBe("ended\n");
    expect(existsSync(dirname(box.read("path").trim()))).toBe(mark === "none");
    expect(privateFolders().filter((path) => path.startsWith(box.tmp))).toEqual([]);
  });

  it.skipIf(!existsSync("/usr/bin/script"))(
    "Ctrl-C at a terminal reaches the command once (needs script)",
    async () => {
      // No shell: it would take two signals in a row for one.
      const counting = [
        'const { writeFileSync } = require("node:fs"); let count = 0;',
        'process.on("SIGINT", () => { if (++count === 1) setTimeout(end, 300); });',
        'const end = () => { writeFileSync("ended", ""); process.exit(count + 3); };',
        'setTimeout(() => undefined, 20_000); writeFileSync("started", "");',
      ];
      box.write("count.cjs", counting.join("\n"));
      const keys = "until [ -e started ]; do sleep 0.05; done; printf '\\003'; until [ -e ended ]; do sleep 0.05; done";
      const line = `(${keys}) | script -qec 'exec leafcrypt exec-env e.yaml -- ${process.execPath} count.cjs' /dev/null`;
      expect(await box.start(["sh", "-c", line])).toMatchObject({ status: 4, isTimedOut: false });
    },
  );

  it("H-29 a command that does not care dies, and so do we, with its status", async () => {
    const waiting = "echo {} > path; : > started; exec sleep 60";
    const result = await box.start(["leafcrypt", "exec-file", "--no-fifo", "e.yaml", waiting], {
      signal: { name: "SIGTERM", whenExists: "started" },
    });
    expect(result).toMatchObject({ status: 143, isTimedOut: false });
    expect(existsSync(dirname(box.read("path").trim()))).toBe(false);
  });

  it.each(["leafcrypt", "sops"] as const)("P13 what a killed %s left is removed by the next run", async (program) => {
    // What is left may be gone before we look: any run on this machine removes it.
    const waiting = "cat {} > seen; echo {} > path; : > started; sleep 1";
    const killed = await box.start([program, "exec-file", "--no-fifo", "e.yaml", waiting], {
      signal: { name: "SIGKILL", whenExists: "started" },
    });
    expect(killed.signal).toBe("SIGKILL");
    const left = dirname(box.read("path").trim());
    expect(box.read("seen")).toContain(SECRET);
    expect(await box.start([program, "exec-file", "--no-fifo", "e.yaml", "true"])).toMatchObject({ status: 0 });
    expect(existsSync(left)).toBe(false);
  });
});

describe("--user", () => {
  beforeEach(async () => {
    await encrypted("e.yaml", `a: ${SECRET}\n`);
  });

  const asNobody = (...args: readonly string[]): Promise<RunResult> =>
    box.start(["leafcrypt", ...args], { cwd: "/", env: { SOPS_AGE_KEY_FILE: join(box.dir, "id") } });

  it.skipIf(!isRoot)("Z8 drops our groups, the supplementary ones too (needs root)", async () => {
    const script = "id -u; id -G; echo $HOME $USER $LOGNAME";
    const result = await box.start(
      ["setpriv", "--groups", "0,4,27", "leafcrypt", "exec-env", "--user", "nobody", join(box.dir, "e.yaml"), script],
      { cwd: "/", env: { SOPS_AGE_KEY_FILE: join(box.dir, "id") } },
    );
    const nobody = statSync("/proc/self").uid === 0 ? "65534" : "";
    expect(result).toMatchObject({ status: 0, stdout: `${nobody}\n65534\n/nonexistent nobody nobody\n` });
  });

  it.skipIf(!isRoot).each(["", "--no-fifo"])("gives the file to the user %s (needs root)", async (option) => {
    const args = ["exec-file", ...(option === "" ? [] : [option]), "--user", "nobody", join(box.dir, "e.yaml")];
    const result = await asNobody(...args, 'stat -c "%U %a" {} "$(dirname {})"; cat {}');
    expect(result).toMatchObject({ status: 0, stdout: `nobody 600\nnobody 700\na: ${SECRET}\n` });
  });

  it.each([
    { name: "nosuchuser", says: "user: unknown user nosuchuser" },
    { name: "a b;c", says: "user: unknown user a b;c" },
  ])("refuses $name", async ({ name, says }) => {
    const result = await box.run("exec-env", "--user", name, "e.yaml", "touch ran");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain(says);
    expect(box.exists("ran")).toBe(false);
  });

  it.skipIf(!isRoot)("refuses without the right to (needs root, to give it up)", async () => {
    const file = join(box.dir, "e.yaml");
    const result = await box.start(
      ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "leafcrypt", "exec-env", "--user", "nobody", file, "true"],
      {},
    );
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("cannot become the user nobody: operation not permitted");
  });
});
