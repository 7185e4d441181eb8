// What continuous integration holds the speed to: shares of the time an empty program takes Node, in one run, so that they
// mean the same on every machine. A figure that doubles is found; noise is not.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { placeTestKey } from "../scripts/test-key.mjs";
import { timeOf } from "./measure.mjs";
import { programs } from "./programs.mjs";
import { writeInputs } from "./workloads.mjs";

const ROUNDS = 15;
/** Most times the time of an empty program: about twice what was measured, on two quiet cores (docs/performance.md). */
const LIMITS = [
  { program: "node", size: 20, most: 4 },
  { program: "node", size: 10_000, most: 16 },
  { program: "standalone", size: 20, most: 1.2 },
  { program: "standalone", size: 10_000, most: 11 },
  { program: "node", size: 20_000, than: 10_000, most: 3 },
];

const folder = mkdtempSync(join(tmpdir(), "leafcrypt-guard-"));
const key = placeTestKey(folder);
const env = { PATH: process.env.PATH, HOME: folder, SOPS_AGE_KEY_FILE: key.file };
const contestants = programs(folder);

try {
  const run = (name, args) => {
    const { program, prefix } = contestants[name];
    return timeOf({ program, args: [...prefix, ...args], env, cwd: folder });
  };
  writeInputs(folder, key.recipient, [20, 10_000, 20_000], (args) => run("node", args));
  const limits = LIMITS.filter(({ program }) => program in contestants);
  const times = limits.map(() => []);
  const bare = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(run("bare", []));
    for (const [index, { program, size }] of limits.entries())
      times[index].push(run(program, ["decrypt", `${String(size)}.yaml`]));
  }
  // The least of many is what the program takes; the rest is what else the machine was doing.
  const least = (program, size) =>
    Math.min(...times[limits.findIndex((limit) => limit.program === program && limit.size === size)]);
  for (const { program, size, than, most } of limits) {
    const share = least(program, size) / (than === undefined ? Math.min(...bare) : least(program, than));
    const what = than === undefined ? "an empty program" : `${String(than)} values`;
    console.log(`${program}, ${String(size)} values: ${share.toFixed(2)} times ${what} (at most ${String(most)})`);
    if (share > most) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
