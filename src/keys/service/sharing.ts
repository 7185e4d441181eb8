import type { KeyService } from "./service.ts";

/** Two parts that hold the same bytes of one file give one `enc`, so only what is unwrapped can be shared. */
const SEPARATOR = "\0";

/**
 * Asks a service once for each distinct wrapped key in a run: many files are often wrapped together, and each call may
 * be a network request or a prompt.
 */
export function sharingKeyService(service: KeyService): KeyService {
  const unwrapped = new Map<string, Promise<Uint8Array>>();
  return {
    ...service,
    wrap: (key, part) => service.wrap(key, part),
    async unwrap(key, enc) {
      const id = [key.type, key.id, enc].join(SEPARATOR);
      const pending = unwrapped.get(id) ?? service.unwrap(key, enc);
      unwrapped.set(id, pending);
      // A copy: who gets it overwrites it when done.
      return Uint8Array.from(await pending);
    },
  };
}
