// P1, P2, S1, S2 through the built program: killed, or failing, at each of its system calls. `npm run test:kill` takes
// all of them; the usual suite a sample, as every command is swept whole in its own process (unit/safety/sweep.test.ts).
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { canSweep, killSweep } from "../support/kill-sweep.ts";
import { sandbox, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";
import { PLAIN, SECRET, SWEEP_FILES, sweepEnvironment, WRITE_COMMANDS } from "../support/write-commands.ts";

const isWhole = process.env["LEAFCRYPT_SWEEP"] === "whole";
const ERRNOS = isWhole ? ["EIO", "ENOSPC", "EACCES", "EROFS", "EMFILE"] : ["ENOSPC"];

let box: Sandbox;

beforeAll(async () => {
  box = sandbox(SWEEP_FILES, { SOPS_AGE_KEY_FILE: "key.txt" });
  for (const name of ["plain.yaml", "a.yaml"]) box.write(name, PLAIN);
  expect(await box.run("encrypt", "-i", "a.yaml", "--age", AGE1)).toMatchObject({ status: 0 });
  for (const starts of ["encrypted", "clear", "absent"]) {
    const folder = join(box.dir, "..", starts);
    mkdirSync(folder);
    for (const name of [...Object.keys(SWEEP_FILES), "plain.yaml"]) cpSync(join(box.dir, name), join(folder, name));
  }
  cpSync(join(box.dir, "a.yaml"), join(box.dir, "../encrypted/a.yaml"));
  cpSync(join(box.dir, "plain.yaml"), join(box.dir, "../clear/a.yaml"));
});

afterAll(() => {
  box.remove();
});

describe.skipIf(!canSweep)("whatever system call the program ends at (strace, where installed)", () => {
  it.each(WRITE_COMMANDS)(
    "$name leaves the old or the new file, whole",
    ({ name, words, file, starts, isNew }) => {
      const result = killSweep({
        folder: join(box.dir, "..", starts),
        file,
        command: ["leafcrypt", ...words],
        env: sweepEnvironment("{}"),
        accept: (copy) => isNew(readFileSync(join(copy, file), "utf8")),
        errors: ERRNOS,
        ...(name === "decrypt -i" ? {} : { secret: SECRET }),
        failsLate: name === "edit",
        ...(isWhole ? {} : { every: 4 }),
      });
      expect(result.failures).toEqual([]);
      expect(result.runs).toBeGreaterThan(5);
      if (isWhole) console.log(`${name}: ${String(result.runs)} runs`);
    },
    isWhole ? 600_000 : 60_000,
  );
});
