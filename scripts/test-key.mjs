import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const KEYS = resolve(import.meta.dirname, "../fixtures/keys");

/**
 * Puts the test key of the fixtures into a folder for its owner alone: in a checkout everybody can read it, which the
 * program warns of.
 *
 * @returns its recipient, and the path of its identity file
 */
export function placeTestKey(folder) {
  const { age1 } = JSON.parse(readFileSync(join(KEYS, "keys.json"), "utf8"));
  const file = join(folder, "key.txt");
  writeFileSync(file, readFileSync(join(KEYS, age1.identity_file)), { mode: 0o600 });
  return { recipient: age1.recipient, file };
}
