import { join } from "node:path";
import { fixtures, fixture } from "./sandbox.ts";

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

/** Absolute path of the identity file of an age key of the fixtures. */
export function identityFile(name: string): string {
  return join(fixtures, `keys/${name}.txt`);
}
