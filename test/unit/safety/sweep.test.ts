// P1, P2, S1, S2: every command that writes a file, stopped or failing at each of its file calls, in this process.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main } from "../../../src/cli/main.ts";
import { nodeFileSystem, type FileSystem } from "../../../src/storage/file-system.ts";
import { faulty, type Fault, type FaultyFileSystem } from "../../support/file-faults.ts";
import { PLAIN, SECRET, SWEEP_FILES, WRITE_COMMANDS, type WriteCommand } from "../../support/write-commands.ts";

/** Hundreds of runs: in memory, where there is some, flushing costs nothing. */
const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const real: FileSystem = { ...nodeFileSystem };

let folder: string;
let encrypted: Buffer;

beforeAll(async () => {
  folder = mkdtempSync(join(base, "lc-sweep-"));
  prepare({ starts: "clear" });
  // For one of the two recipients, so that updatekeys has something to do.
  const { status } = await run(["encrypt", "-i", at("a.yaml"), "--age", readRecipient()], null);
  expect(status).toBe(0);
  encrypted = readFileSync(at("a.yaml"));
});

afterAll(() => {
  Object.assign(nodeFileSystem, real);
  rmSync(folder, { recursive: true, force: true });
  for (const signal of ["SIGUSR1", "exit"]) process.removeAllListeners(signal);
});

const at = (name: string): string => join(folder, name);

function readRecipient(): string {
  return /age1\w+/.exec(String(SWEEP_FILES[".sops.yaml"]))?.[0] ?? "";
}

function prepare({ starts }: Pick<WriteCommand, "starts">): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, content] of Object.entries(SWEEP_FILES)) writeFileSync(at(name), content, { mode: 0o600 });
  writeFileSync(at("plain.yaml"), PLAIN);
  if (starts === "clear") writeFileSync(at("a.yaml"), PLAIN);
  if (starts === "encrypted") writeFileSync(at("a.yaml"), encrypted);
}

/** What one run said and did. */
interface Run {
  readonly status: number;
  readonly said: string;
  readonly faulty: FaultyFileSystem;
}

/** Runs the program on a file system with one fault in it; its streams are kept. */
async function run(argv: readonly string[], fault: Fault | null): Promise<Run> {
  const said: Buffer[] = [];
  const disturbed = faulty(fault, real);
  Object.assign(nodeFileSystem, disturbed.files, {
    write: (...call: Parameters<FileSystem["write"]>): number => {
      const [fd, bytes, offset] = call;
      if (fd > 2) return disturbed.files.write(...call);
      said.push(Buffer.from(bytes.subarray(offset)));
      return bytes.length - offset;
    },
  });
  try {
    const env = { HOME: folder, TMPDIR: folder, SOPS_AGE_KEY_FILE: at("key.txt"), PATH: "/usr/bin:/bin" };
    const status = await main("leafcrypt", argv, env);
    return { status, said: Buffer.concat(said).toString(), faulty: disturbed };
  } finally {
    Object.assign(nodeFileSystem, real);
  }
}

const ERRNOS = ["EIO", "ENOSPC", "EACCES", "EROFS", "EMFILE"];

const faults: readonly Omit<Fault, "at">[] = [
  { with: "kill" },
  { with: "kill-within" },
  ...ERRNOS.map((errno) => ({ with: errno })),
  ...["EIO", "ENOSPC"].map((errno) => ({ with: errno, forever: true })),
];

/** The editor is a process of its own; that command is swept through the program. */
const commands = WRITE_COMMANDS.filter(({ name }) => name !== "edit");

describe.each(commands)("$name", (command) => {
  const argv = command.words.map((word) => word.replaceAll("{}", folderPlaceholder()));
  const words = (): string[] => argv.map((word) => word.replaceAll(folderPlaceholder(), folder));

  it.each(faults)(
    "leaves the old or the new file, whole, with $with at any file call (forever: $forever)",
    async (fault) => {
      prepare(command);
      const undisturbed = await run(words(), null);
      expect(undisturbed.status, undisturbed.said).toBe(0);
      expect(command.isNew(readFileSync(at(command.file), "utf8"))).toBe(true);
      const steps = undisturbed.faulty.calls.length;
      expect(steps).toBeGreaterThan(15);
      for (let step = 1; step <= steps; step += 1) await check(command, words(), { ...fault, at: step });
    },
  );
});

function folderPlaceholder(): string {
  return "{folder}";
}

async function check(command: WriteCommand, words: readonly string[], fault: Fault): Promise<void> {
  prepare(command);
  const before = readdirSync(folder);
  const { status, said, faulty: disturbed } = await run(words, fault);
  const call = disturbed.calls[fault.at - 1] ?? "";
  const place = `${fault.with} at ${String(fault.at)} (${call}): ${String(status)} ${said}`;
  const isKilled = fault.with.startsWith("kill");
  const content = existsSync(at(command.file)) ? readFileSync(at(command.file), "utf8") : null;
  const isOld =
    content === (command.starts === "absent" ? null : command.starts === "clear" ? PLAIN : encrypted.toString());
  const isNew = content !== null && command.isNew(content);

  if (status === 0) expect(isNew, place).toBe(true);
  else if (isKilled) expect(isOld || isNew, place).toBe(true);
  else expect(isOld, place).toBe(true);

  const left = readdirSync(folder).filter((name) => !before.includes(name) && name !== command.file);
  for (const name of left) {
    if (command.name !== "decrypt -i") expect(readFileSync(at(name), "utf8"), place).not.toContain(SECRET);
    if (!name.endsWith("-lock") && !name.endsWith("-void"))
      expect(statSync(at(name)).mode & 0o077 & ~modeOf(command), place).toBe(0);
  }
  if (isKilled || status === 0) return;
  expect(said, place).not.toContain(SECRET);
  expect([1, 2, 3, 128], place).toContain(status);
  if (WRITING_CALLS.has(call) && fault.forever !== true) expect(status, place).toBe(3);
  const canRemove = fault.forever !== true && call !== "unlink";
  if (canRemove)
    expect(
      left.filter((name) => !name.endsWith("-lock")),
      place,
    ).toEqual([]);
}

/** In its last moment before the rename a temporary file has the mode of the file it replaces. */
function modeOf(command: WriteCommand): number {
  return command.starts === "absent" ? 0o077 : 0o044;
}

/** Calls that only writing makes. */
const WRITING_CALLS: ReadonlySet<string> = new Set(["write", "fsync", "rename", "link", "chmod"]);
