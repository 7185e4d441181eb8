import { SopsError } from "../errors.ts";
import { LOCAL_KEY_TYPES, type MasterKey } from "./backend.ts";
import type { KeyService } from "./service/service.ts";
import type { WrappedKey } from "./wrapped-key.ts";

/** Milliseconds for which a server may be silent before the keys after it are tried beside it (safety.md, P28). */
export const PATIENCE = 2_000;

/** One key that did not unwrap, with what each key service said. */
export interface KeyAttempt {
  readonly key: MasterKey;
  readonly failures: readonly string[];
}

/** What the keys of a group gave: their part, if one of them unwrapped it, and the failures of those before it. */
export interface UnwrappedGroup {
  readonly part?: Uint8Array;
  readonly attempts: readonly KeyAttempt[];
}

/**
 * Unwraps what the keys of a group wrapped, with the first one that can.
 *
 * The keys are asked in order, each when the one before it has failed; after `patience` milliseconds also beside it, so
 * that no silent server holds up the rest. A key that may be asking its user is always waited for.
 */
export function unwrapGroup(
  group: readonly WrappedKey[],
  services: readonly KeyService[],
  patience: number,
): Promise<UnwrappedGroup> {
  return new Promise((resolve) => {
    const failures = new Map<WrappedKey, readonly string[]>();
    const timers = new Set<NodeJS.Timeout>();
    let started = 0;
    let isOver = false;
    const end = (part?: Uint8Array): void => {
      isOver = true;
      timers.forEach(clearTimeout);
      const attempts = group.flatMap((wrapped) => {
        const failed = failures.get(wrapped);
        return failed === undefined ? [] : [{ key: wrapped.key, failures: failed }];
      });
      resolve(part === undefined ? { attempts } : { part, attempts });
    };
    const startNext = (): void => {
      const wrapped = group[started];
      if (wrapped === undefined) return;
      started += 1;
      if (!mayAsk(wrapped.key, services)) timers.add(setTimeout(startNext, patience));
      void firstSuccess(services, (service) => service.unwrap(wrapped.key, wrapped.enc)).then((result) => {
        if ("value" in result) {
          if (isOver) result.value.fill(0);
          else end(result.value);
        } else if (!isOver) {
          failures.set(wrapped, result.failures);
          if (failures.size === group.length) end();
          else startNext();
        }
      });
    };
    if (group.length === 0) end();
    else startNext();
  });
}

/** Whether somebody may be typing a passphrase, or touching a token, while a key is used. */
function mayAsk(key: MasterKey, services: readonly KeyService[]): boolean {
  return LOCAL_KEY_TYPES.includes(key.type) || services.some((service) => service.mayAsk === true);
}

/** What one of the services gave, and which. */
export interface Success<T> {
  readonly value: T;
  readonly service: KeyService;
}

/** Asks the services in order; a failure that is none of ours must not decide for the others. */
export async function firstSuccess<T>(
  services: readonly KeyService[],
  use: (service: KeyService) => Promise<T>,
): Promise<Success<T> | { readonly failures: readonly string[] }> {
  const failures: string[] = [];
  for (const service of services) {
    try {
      return { value: await use(service), service };
    } catch (error) {
      // The text of a foreign error may hold what a request held.
      failures.push(error instanceof SopsError ? error.message : "unexpected failure of the key service");
    }
  }
  return { failures };
}
