import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, sandbox, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";

const program = fileURLToPath(new URL("../../bin/leafcrypt.cjs", import.meta.url));
const preload = fileURLToPath(new URL("../support/scripts/list-modules.cjs", import.meta.url));

/** Values of the files that are decrypted; their texts are made below. */
const SIZES = [20, 10_000, 20_000] as const;

let box: Sandbox;

beforeAll(async () => {
  box = sandbox({
    "key.txt": fixture("keys/age1.txt"),
    "empty.cjs": "",
    "start-path.cjs": `for (const name of ["crypto", "fs", "path"]) require("node:" + name);`,
  });
  for (const size of SIZES) {
    const lines = Array.from({ length: size }, (_, index) => `key_${String(index)}: value-${String(index)}\n`);
    box.write(`plain-${String(size)}.yaml`, lines.join(""));
    const result = await box.run("encrypt", "--age", AGE1, "--output", fileOf(size), `plain-${String(size)}.yaml`);
    expect(result).toMatchObject({ status: 0 });
  }
});

afterAll(() => {
  box.remove();
});

// The standalone executable has its own start; these hold what the program does on Node.
describe.skipIf(process.env["LEAFCRYPT_BIN"] !== undefined)("the start path on Node", () => {
  it("loads crypto, files and paths of Node, and nothing else", () => {
    expect(modulesOf(decryption(20)).builtin).toEqual(modulesOf(["start-path.cjs"]).builtin);
  });

  it("is one file of ours", () => {
    const files = modulesOf(decryption(20)).files.map((path) => basename(path).replace(/-[\w-]{8}\.cjs$/, ".cjs"));
    expect(files).toEqual(["leafcrypt.cjs", "main.cjs", "rolldown-runtime.cjs"]);
  });

  // Ratios of the fastest of several runs, with room for a busy machine: measured are 2.1, 6.5 and 1.7.
  it.each([
    {
      name: "20 values take 5 times as long as an empty program at most",
      run: decryption(20),
      than: ["empty.cjs"],
      most: 5,
    },
    { name: "10,000 values 20 times", run: decryption(10_000), than: ["empty.cjs"], most: 20 },
    { name: "20,000 values 3.5 times as long as 10,000", run: decryption(20_000), than: decryption(10_000), most: 3.5 },
  ])("decrypts fast: $name", ({ run, than, most }) => {
    const [ours, theirs] = fastest(run, than);
    expect(ours / theirs).toBeLessThan(most);
  });
});

function fileOf(size: number): string {
  return `${String(size)}.yaml`;
}

function decryption(size: number): string[] {
  return [program, "decrypt", fileOf(size)];
}

/** What a program had loaded when it ended. */
function modulesOf(args: readonly string[]): { readonly builtin: string[]; readonly files: string[] } {
  const list = join(box.tmp, "modules.json");
  run(["--require", preload, ...args], { MODULE_LIST: list });
  const { builtin, files } = JSON.parse(readFileSync(list, "utf8")) as { builtin: string[]; files: string[] };
  return { builtin: builtin.sort(), files };
}

/** The fewest milliseconds each of two programs took, run in turns. */
function fastest(first: readonly string[], second: readonly string[]): [number, number] {
  const times: [number, number] = [Infinity, Infinity];
  for (let round = 0; round < 7; round += 1) {
    times[0] = Math.min(times[0], run(first));
    times[1] = Math.min(times[1], run(second));
  }
  return times;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    cwd: box.dir,
    env: { ...box.env, SOPS_AGE_KEY_FILE: "key.txt", ...env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(status).toBe(0);
  return performance.now() - started;
}
