import type { Destination } from "../../config/destinations.ts";
import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { printable } from "../../keys/fields.ts";

/** One object at the place a rule names. */
export interface Target {
  /** As messages show it: `s3://bucket/name`. */
  readonly address: string;
  /**
   * Writes the content, and makes sure that it has arrived.
   *
   * @returns `unchanged` if the same content was there already, and nothing was written
   * @throws {KeyError} with a reason that holds no token and nothing of the content
   */
  put(content: Uint8Array, host: Host): Promise<"written" | "unchanged">;
}

/** The place of a file at a destination, with the code that reaches it. @throws {KeyError} for a name that is none */
export async function targetFor(destination: Destination, name: string, host: Host): Promise<Target> {
  if (destination.kind === "vault") return (await import("./vault-kv.ts")).vaultTarget(destination, name, host);
  const { bucket, prefix } = destination;
  const key = requireObjectName(prefix + name);
  return destination.kind === "s3"
    ? (await import("./s3.ts")).s3Target(bucket, key)
    : (await import("./gcs.ts")).gcsTarget(bucket, key);
}

/**
 * Refuses a name that would lead elsewhere than a reader of the rule thinks, or that tools cannot show.
 *
 * @throws {KeyError}
 */
export function requireObjectName(name: string): string {
  const isPlain = !/[\p{Cc}\u2028\u2029]/u.test(name) && !name.split("/").some((part) => part === "." || part === "..");
  if (isPlain && name !== "") return name;
  throw new KeyError(`${JSON.stringify(printable(name))} is not a name for a published object`, {
    hint: "names have no . or .. between slashes, and no control characters",
  });
}
