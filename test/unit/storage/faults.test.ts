import { existsSync, linkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { SopsError } from "../../../src/errors.ts";
import { replaceFile, type Verify } from "../../../src/storage/atomic.ts";
import type { FileSystem } from "../../../src/storage/file-system.ts";
import { createOutput } from "../../../src/storage/output.ts";
import { readInput } from "../../../src/storage/read.ts";
import { faulty, Killed, type Fault } from "../../support/file-faults.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

const OLD = "old ciphertext\n".repeat(40);
const NEW = "new ciphertext\n".repeat(60);

/** A way to write a file, to be tried with a fault at each of its calls. */
interface Scenario {
  readonly name: string;
  /** The files before, and the one to look at afterwards. */
  prepare(box: Scratch): void;
  write(box: Scratch, files: FileSystem, announce: (message: string) => void): void;
  /** What the file holds before; null if there is none. */
  readonly before: string | null;
  /** Whether it is written in place, so that a crash may leave a torn file beside a recovery copy. */
  readonly inPlace?: boolean;
}

const replaceRead = (box: Scratch, files: FileSystem, announce: (message: string) => void): void => {
  const { identity } = readInput(box.at("file.yaml"));
  const verify: Verify = (holds) => {
    expect(holds(Buffer.from(NEW))).toBe(true);
  };
  replaceFile(box.at("file.yaml"), Buffer.from(NEW), { identity, verify, announce }, files);
};

const scenarios: readonly Scenario[] = [
  {
    name: "replacing a file",
    before: OLD,
    prepare: (box) => box.put("file.yaml", OLD),
    write: replaceRead,
  },
  {
    name: "replacing what a link leads to",
    before: OLD,
    prepare(box) {
      box.put("target", OLD);
      symlinkSync("target", box.at("file.yaml"));
    },
    write: replaceRead,
  },
  {
    name: "making a file",
    before: null,
    prepare: () => undefined,
    write: (box, files, announce) => {
      createOutput(box.at("file.yaml"), Buffer.from(NEW), { secret: true, announce }, files);
    },
  },
  {
    name: "making a file that must not be there",
    before: null,
    prepare: () => undefined,
    write: (box, files, announce) => {
      replaceFile(box.at("file.yaml"), Buffer.from(NEW), { identity: null, newMode: 0o600, announce }, files);
    },
  },
  {
    name: "writing a file with two names in place",
    before: OLD,
    inPlace: true,
    prepare(box) {
      linkSync(box.put("file.yaml", OLD), box.at("other"));
    },
    write: replaceRead,
  },
];

const ERRNOS = ["EIO", "ENOSPC", "EDQUOT", "EACCES", "EPERM", "EROFS", "EMFILE", "EINTR"];

const faults: readonly Omit<Fault, "at">[] = [
  ...ERRNOS.map((errno) => ({ with: errno })),
  ...ERRNOS.filter((errno) => errno !== "EINTR").map((errno) => ({ with: errno, forever: true })),
  { with: "kill" },
  { with: "kill-within" },
];

/** Hundreds of runs per row: in memory, where there is some, flushing costs nothing. */
const base = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

describe.each(scenarios)("$name", (scenario) => {
  it.each(faults)("keeps the old or the new content, whole, with $with at any call (forever: $forever)", (fault) => {
    const steps = stepsOf(scenario);
    expect(steps).toBeGreaterThan(8);
    for (let at = 1; at <= steps; at++) check(scenario, { ...fault, at });
  });
});

/** How many calls it takes without a fault. */
function stepsOf(scenario: Scenario): number {
  const box = scratch(base);
  scenario.prepare(box);
  const { files, calls } = faulty(null);
  scenario.write(box, files, () => undefined);
  expect(box.text("file.yaml")).toBe(NEW);
  return calls.length;
}

function check(scenario: Scenario, fault: Fault): void {
  const box = scratch(base);
  scenario.prepare(box);
  const before = box.names();
  const announced: string[] = [];
  const { files, calls, fired } = faulty(fault);
  const outcome = outcomeOf(() => {
    scenario.write(box, files, (message) => announced.push(message));
  });
  const place = `${fault.with} at ${String(fault.at)} (${calls[fault.at - 1] ?? ""})`;
  expect(fired(), place).toBe(true);

  const content = existsSync(box.at("file.yaml")) ? box.text("file.yaml") : null;
  const leftovers = box.names().filter((name) => !before.includes(name) && name !== "file.yaml");
  if (outcome === "done") expect(content, place).toBe(NEW);
  else if (scenario.inPlace) expectRecoverable(box, content, leftovers, outcome, place);
  else if (outcome === "killed") expect([scenario.before, NEW], place).toContain(content);
  else expect(content, place).toBe(scenario.before);

  for (const name of leftovers) expectPrivate(box, name, place);
  const excused = outcome === "killed" || announced.some((message) => message.includes("could not be removed"));
  const recoveryNamed = outcome instanceof SopsError && (outcome.hint?.includes("-recovery") ?? false);
  if (!excused && !recoveryNamed) expect(leftovers, place).toEqual([]);
  rmSync(box.path, { recursive: true });
}

/** What is left behind is the owner's alone, unless it is the whole new file in its last moment before the rename. */
function expectPrivate(box: Scratch, name: string, place: string): void {
  if (box.mode(name) === 0o644) expect(box.text(name), place).toBe(NEW);
  else expect(box.mode(name), place).toBe(0o600);
}

function expectRecoverable(
  box: Scratch,
  content: string | null,
  leftovers: readonly string[],
  outcome: SopsError | "killed",
  place: string,
): void {
  if (content === OLD || (content === NEW && outcome === "killed")) return;
  const copy = leftovers.find((name) => name.endsWith("-recovery"));
  expect(copy, place).toBeDefined();
  expect(box.text(copy ?? ""), place).toBe(OLD);
  if (outcome !== "killed") expect(outcome.hint, place).toContain(copy);
}

/** Anything but success, a SopsError for writing, or the end of the process is a defect, and thrown. */
function outcomeOf(action: () => void): "done" | "killed" | SopsError {
  try {
    action();
    return "done";
  } catch (error) {
    if (error instanceof Killed) return "killed";
    if (error instanceof SopsError && error.code === "ERR_WRITE") return error;
    throw error;
  }
}
