import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fixture } from "./vectors.ts";

/** Null if there is no such program. */
const version = spawnSync("sops", ["--version", "--disable-version-check"], { encoding: "utf8" }).stdout as
  string | null;

/** Whether the reference is on PATH; tests that need it are skipped, and say so, where it is not. */
export const hasSops: boolean = (version ?? "").startsWith("sops ");

/** What goes behind the name of tests that need the reference. */
export const sopsNote: string = hasSops ? "on PATH" : "skipped: no sops on PATH";

/** Runs the reference on a file in a folder of its own; only what it needs is in its environment. */
export function decryptWithSops(
  name: string,
  bytes: Uint8Array,
  ...options: readonly string[]
): { readonly status: number | null; readonly stdout: Buffer; readonly stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), "lc-sops-"));
  try {
    const path = join(folder, basename(name));
    writeFileSync(path, bytes);
    const env = { PATH: process.env["PATH"], HOME: folder, SOPS_AGE_KEY: fixture("keys/age1.txt").toString() };
    const { status, stdout, stderr } = spawnSync("sops", ["decrypt", ...options, path], { env });
    return { status, stdout, stderr: stderr.toString() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
