import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunOptions, type RunResult, type Sandbox } from "../support/sandbox.ts";

const recipient = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const second = "age16aqrer9e53tnj7wf96tmf0faxq528uerwt0ad5g64w96gyd3kanq68v690";
const plain = "a: 1 # one\nb: text\n\nlist: [x, 'y']\n";
const KEPT = ".e.yaml.leafcrypt-edit";
/** What an editor types that must be on no disk in clear afterwards. */
const TYPED = "typed-by-the-editor";

let box: Sandbox;

beforeEach(async () => {
  box = sandbox({ id: fixture("keys/age1.txt"), "e.yaml": plain }, { SOPS_AGE_KEY_FILE: "id" });
  box.write(".sops.yaml", `creation_rules:\n  - age: ${recipient}\n`);
  expect(await box.run("encrypt", "-i", "e.yaml")).toMatchObject({ status: 0 });
});

afterEach(() => {
  box.remove();
});

/** Edits with a shell script as the editor; `$1` is the file. */
function edit(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  box.write("ed", `#!/bin/sh\n${script}\n`, 0o755);
  return box.start(["leafcrypt", "edit", ...args, "e.yaml"], { ...options, env: { EDITOR: "./ed", ...options.env } });
}

async function decrypted(path = "e.yaml"): Promise<string> {
  return (await box.run("decrypt", path)).stdout;
}

/** Files in which a text stands in clear, of everything the sandbox holds. */
function filesWith(text: string): string[] {
  const root = dirname(box.dir);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !["ed", "stdin"].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

const type = `printf 'b: ${TYPED}\\n' > "$1"`;

describe("a changed text", () => {
  it("E-03 changes the line of its value, the date and the MAC, and leaves nothing behind", async () => {
    const before = box.read("e.yaml").split("\n");
    expect(await edit(`echo "$1" > path; sed -i s/text/new/ "$1"`)).toMatchObject({
      status: 0,
      stdout: "",
      stderr: "",
    });
    const after = box.read("e.yaml").split("\n");
    const changed = before.filter((line, index) => line !== after[index]).map((line) => line.trim().split(":")[0]);
    expect(changed.filter((name) => name !== "lastmodified")).toEqual(["b", "mac"]);
    expect(await decrypted()).toBe(plain.replace("text", "new"));
    expect(existsSync(dirname(box.read("path").trim()))).toBe(false);
    expect(readdirSync(box.tmp)).toEqual([]); // E-11
  });

  it("P17 that is changed back is no change: not a byte is written", async () => {
    const before = statSync(join(box.dir, "e.yaml"));
    const result = await edit(`sed -i s/text/new/ "$1"; sed -i s/new/text/ "$1"`);
    expect(result).toMatchObject({ status: 200, stdout: "" });
    const { ino, mtimeMs } = statSync(join(box.dir, "e.yaml"));
    expect([ino, mtimeMs]).toEqual([before.ino, before.mtimeMs]);
  });

  it("X4 of an editor that returns at once is a hint to let it wait", async () => {
    expect((await edit("true")).stderr).toContain("EDITOR='code --wait'");
  });

  it.each([
    { name: "replaced by renaming", script: `sed s/text/new/ "$1" > "$1.tmp" && mv "$1.tmp" "$1"` },
    {
      name: "with backups and swap files beside it",
      script: `cp "$1" "$1~"; : > "$(dirname "$1")/4913"; sed -i s/text/new/ "$1"`,
    },
  ])("X3 X7 $name", async ({ script }) => {
    expect(await edit(`dirname "$1" > path; ${script}`)).toMatchObject({ status: 0 });
    expect(await decrypted()).toBe(plain.replace("text", "new"));
    expect(existsSync(box.read("path").trim())).toBe(false);
  });

  it.each(['rm "$1"', 'rm "$1"; mkdir "$1"', 'rm "$1"; mkfifo "$1"'])(
    "X3 %s is an error, and the file stays",
    async (script) => {
      const before = box.read("e.yaml");
      const result = await edit(script);
      expect(result).toMatchObject({ status: 201, isTimedOut: false });
      expect(result.stderr).toContain("it left no file behind");
      expect(box.read("e.yaml")).toBe(before);
    },
  );
});

describe("P15 a text that cannot be saved is kept encrypted, and edit --recover goes on with it", () => {
  it.each([
    { name: "the editor fails", script: `${type}; exit 3`, status: 201 },
    { name: "the editor crashes", script: `${type}; kill -SEGV $$`, status: 201 },
    { name: "I-23 the text does not read and nobody answers", script: `${type}; echo '{' >> "$1"`, status: 2 },
    { name: "it has the metadata's name", script: `${type}; echo 'sops: 1' >> "$1"`, status: 203 },
    { name: "P18 the file changed meanwhile", script: `${type}; echo '# by hand' >> e.yaml`, status: 3 },
    { name: "E-30 the file became read-only", script: `${type}; chmod 444 e.yaml`, status: 3 },
    { name: "I-24 the file was removed", script: `${type}; rm e.yaml`, status: 3 },
  ])("$name", async ({ script, status }) => {
    const started = box.read("e.yaml");
    const result = await edit(script);
    expect(result).toMatchObject({ status, stdout: "" });
    expect(result.stderr).toContain(`${KEPT}: edit --recover e.yaml goes on with it`);
    expect(result.stderr).not.toContain(TYPED);
    expect(filesWith(TYPED)).toEqual([]);
    expect(statSync(join(box.dir, KEPT)).mode & 0o777).toBe(0o600);
    box.write("e.yaml", started, 0o644);
    expect(await edit(`sed -i -e '/^{/d' -e '/^sops/d' "$1"; cp "$1" seen`, ["--recover"])).toMatchObject({
      status: 0,
    });
    expect(box.read("seen")).toBe(`b: ${TYPED}\n`);
    expect(await decrypted()).toBe(`b: ${TYPED}\n`);
    expect(box.exists(KEPT)).toBe(false);
  });

  it.each(["SIGTERM", "SIGHUP"] as const)("P13 the program gets %s", async (signal) => {
    const result = await edit(`${type}; dirname "$1" > path; : > started; exec sleep 60`, [], {
      signal: { name: signal, whenExists: "started" },
    });
    expect(result).toMatchObject({ status: null, signal, isTimedOut: false });
    expect(result.stderr).toContain(`edit --recover e.yaml goes on with it`);
    expect(existsSync(box.read("path").trim())).toBe(false);
    expect(filesWith(TYPED)).toEqual([]);
    expect(await edit("true", ["--recover"])).toMatchObject({ status: 0 });
    expect(await decrypted()).toBe(`b: ${TYPED}\n`);
  });

  it.each([
    { editor: "nano", file: "$file.save" },
    { editor: "Emacs", file: '$(dirname "$file")/#e.yaml#' },
  ])("X1 $editor is ended, and has put the text into another file", async ({ file }) => {
    const onEnd = `printf 'b: ${TYPED}\\n' > "${file}"; exit 1`;
    const script = `file=$1; save() { ${onEnd}; }; trap save HUP; : > started; while :; do sleep 0.05; done`;
    const result = await edit(script, [], { signal: { name: "SIGHUP", whenExists: "started" } });
    expect(result).toMatchObject({ status: null, signal: "SIGHUP" });
    expect(await edit("true", ["--recover"])).toMatchObject({ status: 0 });
    expect(await decrypted()).toBe(`b: ${TYPED}\n`);
  });

  it("X1 an editor that does not end with us is not waited for", async () => {
    const script = `${type}; trap '' TERM; : > started; i=0; while [ $i -lt 60 ]; do sleep 0.05; i=$((i+1)); done`;
    const result = await edit(script, [], { signal: { name: "SIGTERM", whenExists: "started" } });
    expect(result).toMatchObject({ status: null, signal: "SIGTERM", isTimedOut: false });
    expect(box.exists(KEPT)).toBe(true);
  });

  it.each(["SIGINT", "SIGTERM"] as const)("P16 %s while we ask whether to go back to the editor", async (signal) => {
    box.write("ed", `#!/bin/sh\n${type}; echo '{' >> "$1"; (sleep 0.7; : > asked) > /dev/null 2>&1 &\n`, 0o755);
    const line = "mkfifo input; exec leafcrypt edit e.yaml <> input";
    const result = await box.start(["sh", "-c", line], {
      env: { EDITOR: "./ed" },
      signal: { name: signal, whenExists: "asked" },
    });
    expect(result).toMatchObject({ status: null, signal });
    expect(result.stderr).toContain("Press enter to return to the editor");
    expect(result.stderr).toContain("edit --recover e.yaml goes on with it");
    expect(filesWith(TYPED)).toEqual([]);
  });

  it("E-12 the program is sops and gets SIGTERM", async () => {
    box.write("ed", `#!/bin/sh\n${type}\n: > started\nexec sleep 60\n`, 0o755);
    const result = await box.start(["sops", "edit", "e.yaml"], {
      env: { EDITOR: "./ed" },
      signal: { name: "SIGTERM", whenExists: "started" },
    });
    expect(result).toMatchObject({ status: 1 });
    expect(result.stderr).toContain("User canceled operation");
    expect(readdirSync(box.tmp)).toEqual([]);
    expect(box.exists(KEPT)).toBe(true);
  });

  it("a kept text of a new file is recovered too", async () => {
    box.write("ed", `#!/bin/sh\n${type}\nexit 1\n`, 0o755);
    const run = (...args: readonly string[]): Promise<RunResult> =>
      box.start(["leafcrypt", "edit", ...args], { env: { EDITOR: "./ed" } });
    expect(await run("new.yaml")).toMatchObject({ status: 201 });
    expect(box.exists("new.yaml")).toBe(false);
    box.write("ed", "#!/bin/sh\ntrue\n", 0o755);
    expect(await run("--recover", "new.yaml")).toMatchObject({ status: 0 });
    expect(await decrypted("new.yaml")).toBe(`b: ${TYPED}\n`);
  });

  it("a second one is kept beside the first, and the last is recovered first", async () => {
    expect(await edit(`printf 'b: first\\n' > "$1"; exit 1`)).toMatchObject({ status: 201 });
    const result = await edit(`printf 'b: second\\n' > "$1"; exit 1`);
    expect(result.stderr).toContain("There are edits of the file that were not saved");
    expect(await edit("true", ["--recover"])).toMatchObject({ status: 0 });
    expect(await decrypted()).toBe("b: second\n");
    expect(box.exists(KEPT)).toBe(true);
  });

  it("recovering says when the file was changed since", async () => {
    expect(await edit(`${type}; exit 1`)).toMatchObject({ status: 201 });
    await new Promise((resolve) => setTimeout(resolve, 1100)); // times have whole seconds
    expect(await box.run("set", "e.yaml", '["a"]', "2")).toMatchObject({ status: 0 });
    const result = await edit("true", ["--recover"]);
    expect(result.stderr).toContain("The file was changed after these edits were made");
  });

  it("without one there is nothing to recover", async () => {
    const result = await edit("true", ["--recover"]);
    expect(result).toMatchObject({ status: 100, stdout: "" });
    expect(result.stderr).toContain("there are no edits");
  });

  it("what an editor leaves unchanged is not kept", async () => {
    expect(await edit("exit 1")).toMatchObject({ status: 201 });
    expect(box.exists(KEPT)).toBe(false);
  });
});

describe("P15 where nothing can be written beside the file", () => {
  const canMount =
    process.getuid?.() === 0 && spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

  /** Edits a file on a disk without room, and says where it is kept. */
  async function editOnFullDisk(home: string | undefined): Promise<string> {
    box.write(
      "ed",
      `#!/bin/sh\nprintf 'b: ${TYPED}%05000d\\n' 0 > "$1"; cat /dev/zero > filler 2> /dev/null || true\n`,
      0o755,
    );
    box.write("disk/x", "");
    const line = `mount -t tmpfs -o size=16k none disk; cp e.yaml disk; cd disk
      leafcrypt edit e.yaml; echo $?; ls -A; cmp e.yaml ../e.yaml`;
    const env = { EDITOR: "../ed", SOPS_AGE_KEY_FILE: join(box.dir, "id"), HOME: home };
    const result = await box.start(["unshare", "-m", "sh", "-c", line], { env });
    expect(result.stdout).toBe("3\ne.yaml\nfiller\n");
    expect(result.stderr).toContain("no space left on device");
    expect(filesWith(TYPED)).toEqual([]);
    return /is kept, encrypted, in (\S+): /.exec(result.stderr)?.[1] ?? "";
  }

  it.runIf(canMount)("X6 the text is kept in the user's own folder, and found there (needs root)", async () => {
    const path = await editOnFullDisk(box.home);
    expect(dirname(path)).toBe(join(box.home, ".local/state/leafcrypt"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    box.write("disk/e.yaml", box.read("e.yaml"));
    const env = { EDITOR: "true", SOPS_AGE_KEY_FILE: join(box.dir, "id") };
    const recovered = await box.start(["leafcrypt", "edit", "--recover", "e.yaml"], { env, cwd: "disk" });
    expect(recovered).toMatchObject({ status: 0 });
    expect(await decrypted("disk/e.yaml")).toContain(TYPED);
    expect(existsSync(path)).toBe(false);
  });

  it.runIf(canMount)("X6 without one it is kept, encrypted, where it was edited (needs root)", async () => {
    const path = await editOnFullDisk(undefined);
    try {
      expect(readdirSync(dirname(path))).toEqual([KEPT]);
      expect(readFileSync(path, "utf8")).not.toContain(TYPED);
      const shown = await box.run("decrypt", "--input-type", "binary", "--output-type", "binary", path);
      expect(shown.stdout).toContain(TYPED);
    } finally {
      rmSync(dirname(path), { recursive: true });
    }
  });

  it("a text that is too large to be encrypted is kept as it is, and the message says so", async () => {
    const result = await edit('truncate -s 600M "$1"');
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("is larger than 536870888 bytes");
    const folder = /is kept in clear: take it from (\S+), and remove that/.exec(result.stderr)?.[1] ?? "";
    try {
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder, "e.yaml")).size).toBe(600 * 1024 * 1024);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(["leafcrypt", "sops"] as const)("I-24 %s starts no editor for what cannot be written", async (program) => {
    box.write("ed", "#!/bin/sh\n: > ran\n", 0o755);
    const line = `cat e.yaml | ${program} edit --input-type yaml --output-type yaml /dev/stdin`;
    expect(await box.start(["sh", "-c", line], { env: { EDITOR: "./ed" } })).toMatchObject({ status: 3 });
    if (program === "leafcrypt") {
      box.write("read-only.yaml", box.read("e.yaml"), 0o444);
      const result = await box.start([program, "edit", "read-only.yaml"], { env: { EDITOR: "./ed" } });
      expect(result).toMatchObject({ status: 3 });
      expect(result.stderr).toContain("the editor was not started");
    }
    expect(box.exists("ran")).toBe(false);
  });
});

it("P16 Ctrl-C belongs to the editor", async () => {
  const script = `trap 'sed -i s/text/new/ "$1"; exit 0' TERM; : > started; i=0; while [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done; sed -i s/text/new/ "$1"`;
  const result = await edit(script, [], { signal: { name: "SIGINT", whenExists: "started" } });
  expect(result).toMatchObject({ status: 0, stderr: "" });
  expect(await decrypted()).toBe(plain.replace("text", "new"));
});

describe("P19 the editor's name", () => {
  it.each([
    { name: "has arguments", editor: "sed -i s/text/new/", status: 0, says: "" },
    { name: "has quotes and blanks", editor: `'./my ed' "-i" s/text/new/`, status: 0, says: "" },
    { name: "is no shell command", editor: "./ed; touch ran", status: 201, says: "ed; could not be started" },
    { name: "has an open quote", editor: `"./ed`, status: 201, says: "invalid $EDITOR" },
    { name: "is blank", editor: " ", status: 201, says: "invalid $EDITOR: it names no program" },
    { name: "is no program", editor: "no-such-editor", status: 201, says: "no-such-editor" },
    { name: "is a folder", editor: "./folder", status: 201, says: "folder could not be started" },
    { name: "is no executable", editor: "./id", status: 201, says: "id could not be started" },
  ])("$name", async ({ editor, status, says }) => {
    box.write("my ed", '#!/bin/sh\nexec sed "$@"\n', 0o755);
    box.write("folder/x", "");
    const result = await box.start(["leafcrypt", "edit", "e.yaml"], { env: { EDITOR: editor } });
    expect(result.status).toBe(status);
    expect(result.stderr).toContain(says);
    expect(box.exists("ran")).toBe(false);
  });

  it("I-53 VISUAL is not asked", async () => {
    const env = { VISUAL: "touch ran", EDITOR: "true" };
    expect(await box.start(["leafcrypt", "edit", "e.yaml"], { env })).toMatchObject({ status: 200 });
    expect(box.exists("ran")).toBe(false);
  });

  it("keeps vim from leaving the text in files of its own", async () => {
    box.write("vim", '#!/bin/sh\nprintf "%s\\n" "$@" > args\n', 0o755);
    await box.start(["leafcrypt", "edit", "e.yaml"], { env: { EDITOR: "./vim -R" } });
    expect(box.read("args").split("\n").slice(0, 6)).toEqual([
      "-n",
      "-i",
      "NONE",
      "-c",
      "set noundofile nobackup nowritebackup",
      "-R",
    ]);
  });
});

describe("I-22 with --show-master-keys", () => {
  it("data are edited", async () => {
    expect(await edit(`cp "$1" seen; sed -i s/text/new/ "$1"`, ["-s"])).toMatchObject({ status: 0 });
    expect(box.read("seen")).toContain(`recipient: ${recipient}`);
    expect(await decrypted()).toBe(plain.replace("text", "new"));
  });

  it("an added key gets the data key, without enc", async () => {
    const script = `sed -i 's/^    age:/    age:\\n        - recipient: ${second}/' "$1"`;
    expect(await edit(script, ["-s"])).toMatchObject({ status: 0 });
    box.write("id2", fixture("keys/age2.txt"));
    const byOther = await box.start(["leafcrypt", "decrypt", "e.yaml"], { env: { SOPS_AGE_KEY_FILE: "id2" } });
    expect(byOther).toMatchObject({ status: 0, stdout: plain });
    expect(await decrypted()).toBe(plain);
  });

  it("another selection is applied to the values", async () => {
    const script = `sed -i 's/unencrypted_suffix: .*/encrypted_regex: ^b$/' "$1"`;
    expect(await edit(script, ["-s", "--allow-unencrypted"])).toMatchObject({ status: 0 });
    expect(box.read("e.yaml")).toMatch(/^a: 1 # one\nb: ENC\[/);
    expect(await decrypted()).toBe(plain);
  });

  it.each([
    { name: "text", content: Buffer.from("hello\n"), script: "sed -i s/hello/hullo/", then: Buffer.from("hullo\n") },
    { name: "other bytes", content: Buffer.from([0xff, 0, 0x80]), script: "true", then: Buffer.from([0xff, 0, 0x80]) },
  ])("a binary file of $name is shown as JSON, with its keys", async ({ content, script, then }) => {
    box.write("f.bin", content);
    expect(await box.run("encrypt", "-i", "f.bin")).toMatchObject({ status: 0 });
    const addKey = `sed -i 's/"age": \\[/"age": [{"recipient": "${second}"},/'`;
    box.write("ed", `#!/bin/sh\n${script} "$1"; ${addKey} "$1"\n`, 0o755);
    expect(await box.start(["leafcrypt", "edit", "-s", "f.bin"], { env: { EDITOR: "./ed" } })).toMatchObject({
      status: 0,
    });
    box.write("id2", fixture("keys/age2.txt"));
    const byOther = await box.start(["leafcrypt", "decrypt", "f.bin"], { env: { SOPS_AGE_KEY_FILE: "id2" } });
    expect(byOther.stdoutBytes).toEqual(then);
  });

  it("bytes that JSON cannot show are not changed through it", async () => {
    box.write("f.bin", Buffer.from([0xff, 0x61]));
    expect(await box.run("encrypt", "-i", "f.bin")).toMatchObject({ status: 0 });
    box.write("ed", `#!/bin/sh\nsed -i 's/a",/b",/' "$1"\n`, 0o755);
    const result = await box.start(["leafcrypt", "edit", "-s", "f.bin"], { env: { EDITOR: "./ed" } });
    expect(result.status).toBe(23);
    expect(result.stderr).toContain("it is no text, and can be changed without --show-master-keys only");
  });

  it("a key that cannot be used leads back to the editor", async () => {
    const script = `[ -e runs ] && sed -i 's/age1x/age1/' "$1" || { sed -i 's/recipient: age1/recipient: age1x/' "$1"; : > runs; }
      sed -i s/text/new/ "$1"`;
    const result = await edit(script, ["-s"], { input: "\n" });
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("The data key could not be encrypted for every key. Press enter");
    expect(await decrypted()).toBe(plain.replace("text", "new"));
  });

  it("X9 a file without any key is refused, and the text kept", async () => {
    const result = await edit(`sed -i '/^    age:/,/recipient:/d' "$1"`, ["-s"]);
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("SOPS metadata is invalid");
    expect(result.stderr).toContain("edit --recover --show-master-keys e.yaml");
  });
});

it.skipIf(process.getuid?.() === 0)("I-54 a file that cannot be looked at is not new (not as root)", async () => {
  box.write("closed/e.yaml", "x: 1\n");
  expect(await box.start(["chmod", "000", "closed"])).toMatchObject({ status: 0 });
  const result = await box.start(["leafcrypt", "edit", "closed/e.yaml"], { env: { EDITOR: "touch ran" } });
  expect(result).toMatchObject({ status: 2 });
  expect(box.exists("ran")).toBe(false);
});

it("I-54 a name that cannot be a file's is an error, not a new file", async () => {
  const result = await box.start(["leafcrypt", "edit", "id/e.yaml"], { env: { EDITOR: "touch ran" } });
  expect(result).toMatchObject({ status: 2 });
  expect(box.exists("ran")).toBe(false);
});

it("E-20 a new file that is left unchanged is not made; one in no folder is refused before the editor starts", async () => {
  const run = (path: string): Promise<RunResult> => box.start(["leafcrypt", "edit", path], { env: { EDITOR: "true" } });
  expect(await run("new.yaml")).toMatchObject({ status: 200 });
  expect(box.exists("new.yaml")).toBe(false);
  expect(await run("nowhere/new.yaml")).toMatchObject({ status: 3 });
});

it("others may change the file while the editor is open", async () => {
  const result = await edit(`leafcrypt set e.yaml '["a"]' 2; echo "$?" > status; sed -i s/text/new/ "$1"`);
  expect(box.read("status")).toBe("0\n");
  expect(result).toMatchObject({ status: 3 });
  expect(result.stderr).toContain("changed while it was being worked on");
  expect(await decrypted()).toContain("a: 2");
});
