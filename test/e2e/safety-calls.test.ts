// P37: no network and no child process unless a key type, or an editor, needs it; by the system calls of a whole run.
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canSweep } from "../support/kill-sweep.ts";
import { programWords, sandbox, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";
import { PLAIN, SWEEP_FILES, sweepEnvironment, WRITE_COMMANDS } from "../support/write-commands.ts";

/** What the program itself is started through. */
const OWN = new Set(["env", ...programWords().map((word) => basename(word))]);

let box: Sandbox;

beforeEach(async () => {
  box = sandbox({ ...SWEEP_FILES, "plain.yaml": PLAIN, "a.yaml": PLAIN });
  expect(await box.run("encrypt", "-i", "a.yaml", "--age", AGE1)).toMatchObject({ status: 0 });
});

afterEach(() => {
  box.remove();
});

/** The programs that a command ends up in, and the addresses it calls, beside its own start. */
async function outsideOf(words: readonly string[]): Promise<{ programs: string[]; calls: string[] }> {
  const trace = join(box.tmp, "trace");
  const strace = ["strace", "-f", "-qq", "-o", trace, "-e", "trace=execve,execveat,socket,connect,sendto,sendmsg"];
  const argv = words.map((word) => word.replace("{}", box.dir));
  const run = await box.start([...strace, "--", ...programWords(), ...argv], { env: sweepEnvironment(box.dir) });
  expect(run.status).toBe(0);
  const lines = readFileSync(trace, "utf8").split("\n");
  // A call that another thread interrupts ends in a line of its own: what is not known to have failed counts.
  const tried = lines.filter((line) => !/ = -1 /.test(line));
  const started = tried.flatMap((line) => /execve(?:at)?\(.*?"([^"]*)"/.exec(line)?.[1] ?? []);
  expect(started.length).toBeGreaterThan(0);
  return {
    programs: started.map((path) => basename(path)).filter((name) => !OWN.has(name)),
    calls: lines.filter((line) => /(?:socket|connect|sendto|sendmsg)\(/.test(line)),
  };
}

describe.skipIf(!canSweep)("P37 with an age key (strace, where installed)", () => {
  const commands = [
    ...WRITE_COMMANDS.filter(({ name, starts }) => starts === "encrypted" && name !== "edit"),
    { name: "encrypt", words: ["encrypt", "{}/plain.yaml"] },
    { name: "decrypt", words: ["decrypt", "{}/a.yaml"] },
    { name: "filestatus", words: ["filestatus", "{}/a.yaml"] },
    { name: "--version", words: ["--version"] },
  ];

  it.each(commands)("$name starts nothing and calls nobody", async ({ words }) => {
    expect(await outsideOf(words)).toEqual({ programs: [], calls: [] });
  });

  it("edit starts the editor, and calls nobody", async () => {
    const { programs, calls } = await outsideOf(["edit", "{}/a.yaml"]);
    expect(programs).toContain("sh");
    expect(calls).toEqual([]);
  });
});
