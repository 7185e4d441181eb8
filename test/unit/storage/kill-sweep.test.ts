import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childScript, type ChildScript } from "../../support/child-script.ts";
import { canSweep, killSweep, type SweepResult } from "../../support/kill-sweep.ts";
import { scratch, type Scratch } from "../../support/scratch.ts";

describe.skipIf(!canSweep)("whatever system call a process is killed at (strace, where installed)", () => {
  let worker: ChildScript;
  beforeAll(async () => {
    worker = await childScript(join(import.meta.dirname, "../../support/scripts/storage-worker.ts"));
  });
  afterAll(() => {
    worker.remove();
  });

  const sweep = (box: Scratch, ...job: string[]): SweepResult => {
    const command = [process.execPath, worker.path, ...job];
    const result = killSweep({ folder: box.path, file: "file.yaml", command, errors: ["EIO"] });
    expect(result.runs).toBeGreaterThan(15);
    return result;
  };

  it("a file it replaces is old or new", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    expect(sweep(box, "replace", "{}/file.yaml", "3000").failures).toEqual([]);
  });

  it("a file it replaces under a lock is old or new", () => {
    const box = scratch();
    box.put("file.yaml", "1");
    expect(sweep(box, "increment", "{}/file.yaml").failures).toEqual([]);
  });

  it("an output file it makes is absent or whole", () => {
    expect(sweep(scratch(), "output", "{}/file.yaml", "secret").failures).toEqual([]);
  });

  it("and a file that is only written over is found out", () => {
    const box = scratch();
    box.put("file.yaml", "old");
    const command = ["sh", "-c", "echo new > {}/file.yaml"];
    const { failures } = killSweep({ folder: box.path, file: "file.yaml", command });
    expect(failures).toContainEqual(
      expect.stringMatching(/^signal=KILL at write .*: the file is neither old nor new$/),
    );
  });
});
