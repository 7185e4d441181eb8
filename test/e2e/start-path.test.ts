import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, sandbox, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";

const program = fileURLToPath(new URL("../../bin/leafcrypt.cjs", import.meta.url));
const preload = fileURLToPath(new URL("../support/scripts/list-modules.cjs", import.meta.url));

const FILE = "encrypted.yaml";
/** How fast it is, `bench/guard.mjs` holds. */
const DECRYPTION = [program, "decrypt", FILE];

let box: Sandbox;

beforeAll(async () => {
  box = sandbox({
    "key.txt": fixture("keys/age1.txt"),
    "plain.yaml": Array.from({ length: 20 }, (_, index) => `key_${String(index)}: value\n`).join(""),
    "start-path.cjs": `for (const name of ["crypto", "fs", "path"]) require("node:" + name);`,
  });
  const result = await box.run("encrypt", "--age", AGE1, "--output", FILE, "plain.yaml");
  expect(result).toMatchObject({ status: 0 });
});

afterAll(() => {
  box.remove();
});

// The standalone executable has its own start; these hold what the program does on Node.
describe.skipIf(process.env["LEAFCRYPT_BIN"] !== undefined)("the start path on Node", () => {
  it("loads crypto, files and paths of Node, and nothing else", () => {
    expect(modulesOf(DECRYPTION).builtin).toEqual(modulesOf(["start-path.cjs"]).builtin);
  });

  it("is one file of ours", () => {
    const files = modulesOf(DECRYPTION).files.map((path) => basename(path).replace(/-[\w-]{8}\.cjs$/, ".cjs"));
    expect(files).toEqual(["leafcrypt.cjs", "main.cjs", "rolldown-runtime.cjs"]);
  });
});

/** What a program had loaded when it ended. */
function modulesOf(args: readonly string[]): { readonly builtin: string[]; readonly files: string[] } {
  const list = join(box.tmp, "modules.json");
  run(["--require", preload, ...args], { MODULE_LIST: list });
  const { builtin, files } = JSON.parse(readFileSync(list, "utf8")) as { builtin: string[]; files: string[] };
  return { builtin: builtin.sort(), files };
}

function run(args: readonly string[], env: Readonly<Record<string, string>>): void {
  const { status } = spawnSync(process.execPath, args, {
    cwd: box.dir,
    env: { ...box.env, SOPS_AGE_KEY_FILE: "key.txt", ...env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  expect(status).toBe(0);
}
