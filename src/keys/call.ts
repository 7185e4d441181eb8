import { KeyError, SopsError } from "../errors.ts";
import type { Host } from "../host.ts";

/** Milliseconds after which one attempt counts as unanswered. */
const ATTEMPT_LIMIT = 10_000;
/** All attempts of one call together, waiting in between included, take at most this many times as long. */
const TOTAL_FACTOR = 3;
const MOST_ATTEMPTS = 3;
/** Calls under way at once; the others wait for their turn. */
const MOST_CALLS = 8;
/** Milliseconds before the second attempt, doubled for each further one and spread by half. */
const FIRST_PAUSE = 250;

/** What a service's failure means, in our words; nothing the service or its SDK said is passed on. */
export interface Failure {
  /** A status, an error code, or a sentence of ours. */
  readonly reason: string;
  /** Whether the same call may succeed a moment later: throttling, 5xx, a connection reset. Never for a refusal. */
  readonly passing: boolean;
  /** What the user can do about it. Part of the message, as the failure report shows no hints. */
  readonly advice?: string | undefined;
}

/** One call of a remote service: what to do, how to fail. */
export interface RemoteCall<T> {
  /** Start of the message on failure, such as `failed to encrypt sops data key with AWS KMS`. */
  readonly failed: string;
  /**
   * One attempt. Stops what it has under way when the signal fires, which is after `limit` milliseconds; may be called
   * again after a passing failure.
   */
  readonly attempt: (signal: AbortSignal, limit: number) => Promise<T>;
  /** Reads an SDK's error. */
  readonly explain: (error: unknown) => Failure;
  /** Milliseconds for one attempt, where the service's own variables say; `LEAFCRYPT_TIMEOUT` goes before it. */
  readonly limit?: number | undefined;
}

/** Thrown inside `callRemote` when an attempt has not ended in time. */
class UnansweredError extends Error {}

/**
 * Runs a remote call under a deadline, with few retries, and with errors that show none of the service's text.
 *
 * `LEAFCRYPT_TIMEOUT` sets the limit of one attempt, in seconds; all attempts together take at most three times as long.
 * Errors of our own (`SopsError`) pass as they are.
 *
 * @throws {KeyError} with `call.failed`, a reason and, where there is one, what to do
 */
export async function callRemote<T>(call: RemoteCall<T>, host: Host): Promise<T> {
  const limits = limitsFrom(host.env, call.limit);
  return gateOf(host).run(async () => {
    const end = performance.now() + limits.total;
    for (let attempt = 1; ; attempt++) {
      const limit = Math.min(limits.attempt, end - performance.now());
      try {
        return await within(limit, call.attempt);
      } catch (error) {
        if (error instanceof SopsError) throw error;
        const failure = error instanceof UnansweredError ? unanswered(limit) : call.explain(error);
        const pause = pauseAfter(attempt, host);
        if (!failure.passing || attempt === MOST_ATTEMPTS || performance.now() + pause >= end) {
          throw new KeyError(
            `${call.failed}: ${failure.reason}${failure.advice === undefined ? "" : `; ${failure.advice}`}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
    }
  });
}

/** Loads an optional package, or says which one to install. `name` is what a user would install. */
export async function loadOptional<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") throw error;
    throw new SopsError("ERR_OPTIONAL_PACKAGE", `the package ${name} is not installed`, {
      hint: `install it beside leafcrypt: npm install ${name}`,
    });
  }
}

const CONNECTION_ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: check the address and that the service runs",
  ENOTFOUND: "the host name does not resolve: check the address and the network",
  EAI_AGAIN: "the host name did not resolve for now: check the network",
  EHOSTUNREACH: "the host cannot be reached: check the network",
  ENETUNREACH: "the network cannot be reached",
  SELF_SIGNED_CERT_IN_CHAIN: "the certificate's authority is not known here: add it with NODE_EXTRA_CA_CERTS",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the certificate's authority is not known here: add it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the certificate's authority is not known here: add it with NODE_EXTRA_CA_CERTS",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the certificate's authority is not known here: add it with NODE_EXTRA_CA_CERTS",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
};

const PASSING_CODES: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "EAI_AGAIN", "UND_ERR_SOCKET"]);

/** Reads a failure from the codes that Node's sockets, DNS and TLS set; null when the error holds none. */
export function connectionFailure(error: unknown): Failure | null {
  const code = systemCode(error);
  if (code === null) return null;
  return { reason: `no connection (${code})`, passing: PASSING_CODES.has(code), advice: CONNECTION_ADVICE[code] };
}

/** Whether an HTTP status says that the same request may succeed later. */
export function isPassingStatus(status: number): boolean {
  return status === 429 || (status >= 500 && status !== 501);
}

/**
 * The code of an error, or of what caused it, such as `ECONNREFUSED`: one word, so that nothing else can hide in it.
 * Null when there is none.
 */
export function systemCode(error: unknown, depth = 4): string | null {
  if (typeof error !== "object" || error === null || depth === 0) return null;
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string" && /^[A-Z][A-Z0-9_]{1,63}$/.test(code)) return code;
  return systemCode(cause, depth - 1) ?? (Array.isArray(errors) ? systemCode(errors[0], depth - 1) : null);
}

/** A name that a service gave its error, such as `AccessDeniedException`, if it is no more than a name. */
export function safeName(name: unknown): string | null {
  return typeof name === "string" && /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/.test(name) ? name : null;
}

interface Limits {
  readonly attempt: number;
  readonly total: number;
}

function limitsFrom(env: Host["env"], given: number | undefined): Limits {
  const seconds = Number(env["LEAFCRYPT_TIMEOUT"]);
  const attempt = Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : (given ?? ATTEMPT_LIMIT);
  return { attempt, total: attempt * TOTAL_FACTOR };
}

function unanswered(limit: number): Failure {
  return {
    reason: `no answer within ${String(Math.round(limit / 100) / 10)} seconds`,
    passing: false,
    advice: "check the network and the service; LEAFCRYPT_TIMEOUT=<seconds> waits longer",
  };
}

function pauseAfter(attempt: number, host: Host): number {
  const spread = (host.randomBytes(1)[0] ?? 0) / 255;
  return FIRST_PAUSE * 2 ** (attempt - 1) * (0.75 + spread / 2);
}

async function within<T>(limit: number, run: (signal: AbortSignal, limit: number) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      controller.abort();
      reject(new UnansweredError());
    }, limit);
  });
  try {
    return await Promise.race([run(controller.signal, limit), expired]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets a number of tasks run at once; the others wait in line. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Makes a value once for each host: what outlives a call (clients, credentials, limits) belongs to the host, not to the module. */
export function perHost<T>(make: (host: Host) => T): (host: Host) => T {
  const made = new WeakMap<Host, { readonly value: T }>();
  return (host) => {
    const known = made.get(host);
    if (known !== undefined) return known.value;
    const value = make(host);
    made.set(host, { value });
    return value;
  };
}

const gateOf = perHost(() => new Gate(MOST_CALLS));
