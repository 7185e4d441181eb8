import { spawn, type SpawnOptions } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rolldown } from "rolldown";

/** A TypeScript file made runnable by plain Node, for tests that need several processes. */
export interface ChildScript {
  readonly path: string;
  run(parameters: readonly string[], options?: SpawnOptions): Promise<ChildResult>;
  remove(): void;
}

/** How a child process ended. */
export interface ChildResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Bundles a script of `test/support/scripts` into one file in a folder that every user can read. */
export async function childScript(source: string): Promise<ChildScript> {
  const folder = mkdtempSync(join(tmpdir(), "leafcrypt-script-"));
  const path = join(folder, "script.mjs");
  const bundle = await rolldown({ input: source, platform: "node", logLevel: "silent" });
  await bundle.write({ file: path, format: "esm" });
  await bundle.close();
  return {
    path,
    run: (parameters, options) => runProcess(process.execPath, [path, ...parameters], options),
    remove() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a program to its end. */
export function runProcess(
  command: string,
  parameters: readonly string[],
  options: SpawnOptions = {},
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, parameters, { stdio: ["ignore", "pipe", "pipe"], ...options });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (status, signal) => {
      resolve({ status, signal, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
  });
}
