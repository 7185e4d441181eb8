import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixture } from "./sandbox.ts";

interface NamedKey {
  readonly recipient?: string;
  readonly fingerprint?: string;
}

const keys = JSON.parse(fixture("keys/keys.json").toString()) as Readonly<Record<string, NamedKey>>;

/** The recipients of the fixtures' three X25519 identities. */
export const R1: string = recipientOf("age1");
export const R2: string = recipientOf("age2");
export const R3: string = recipientOf("age3");

/** The recipient, or OpenPGP fingerprint, of a key of the fixtures. */
export function recipientOf(name: string): string {
  const recipient = keys[name]?.recipient ?? keys[name]?.fingerprint;
  if (recipient === undefined) throw new Error(`there is no key ${name}`);
  return recipient;
}

let madeFolder: string | undefined;

/** Absolute path of the identity file of an age key: a copy for its owner alone, as of others the program warns. */
export function identityFile(name: string): string {
  madeFolder ??= makeFolder();
  const file = join(madeFolder, `${name}.txt`);
  writeFileSync(file, fixture(`keys/${name}.txt`), { mode: 0o600 });
  return file;
}

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "lc-keys-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
