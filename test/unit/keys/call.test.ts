import { describe, expect, it } from "vitest";
import { KeyError, SopsError } from "../../../src/errors.ts";
import {
  callRemote,
  connectionFailure,
  type Failure,
  loadOptional,
  perHost,
  safeName,
  systemCode,
} from "../../../src/keys/call.ts";
import { hostWith } from "../../servers/support/host.ts";

const passing: Failure = { reason: "busy", passing: true };
const final: Failure = { reason: "refused", passing: false, advice: "ask somebody" };
const host = hostWith({ LEAFCRYPT_TIMEOUT: "0.1" });

async function failureOf(work: Promise<unknown>): Promise<{ message: string; code: string }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SopsError) return { message: error.message, code: error.code };
    throw error;
  }
  throw new Error("it succeeded");
}

describe("callRemote", () => {
  it("gives what an attempt gives", async () => {
    expect(await callRemote({ failed: "failed", attempt: () => Promise.resolve(7), explain: () => final }, host)).toBe(
      7,
    );
  });

  it("tries again after a passing failure, three times at most", async () => {
    const own = hostWith({ LEAFCRYPT_TIMEOUT: "5" });
    let attempts = 0;
    const attempt = (successAt: number) => (): Promise<string> =>
      ++attempts === successAt ? Promise.resolve("done") : Promise.reject(new Error("busy"));
    expect(await callRemote({ failed: "failed", attempt: attempt(3), explain: () => passing }, own)).toBe("done");
    attempts = 0;
    expect(await failureOf(callRemote({ failed: "failed", attempt: attempt(4), explain: () => passing }, own))).toEqual(
      {
        message: "failed: busy",
        code: "ERR_KEY",
      },
    );
    expect(attempts).toBe(3);
  });

  it("does not repeat what is refused", async () => {
    let attempts = 0;
    const attempt = (): Promise<never> => {
      attempts++;
      return Promise.reject(new Error("no"));
    };
    expect(await failureOf(callRemote({ failed: "failed", attempt, explain: () => final }, host))).toMatchObject({
      message: "failed: refused; ask somebody",
    });
    expect(attempts).toBe(1);
  });

  it("ends an attempt that is not answered, and tells it so", async () => {
    let isAborted = false;
    const attempt = (signal: AbortSignal): Promise<never> =>
      new Promise(() => {
        signal.addEventListener("abort", () => {
          isAborted = true;
        });
      });
    const started = performance.now();
    expect(await failureOf(callRemote({ failed: "failed", attempt, explain: () => final }, host))).toMatchObject({
      message: expect.stringMatching(/^failed: no answer within 0\.1 seconds; .*LEAFCRYPT_TIMEOUT/) as string,
    });
    expect(performance.now() - started).toBeLessThan(1000);
    expect(isAborted).toBe(true);
  });

  it("takes the service's own limit where LEAFCRYPT_TIMEOUT is not set", async () => {
    let limit = 0;
    const attempt = (_signal: AbortSignal, given: number): Promise<null> => {
      limit = given;
      return Promise.resolve(null);
    };
    await callRemote({ failed: "f", attempt, explain: () => final, limit: 1234 }, hostWith({}));
    expect(limit).toBeCloseTo(1234, -1);
    await callRemote({ failed: "f", attempt, explain: () => final, limit: 1234 }, hostWith({ LEAFCRYPT_TIMEOUT: "2" }));
    expect(limit).toBeCloseTo(2000, -1);
  });

  it("passes errors of ours as they are", async () => {
    const own = new KeyError("said already");
    await expect(
      callRemote({ failed: "failed", attempt: () => Promise.reject(own), explain: () => final }, host),
    ).rejects.toBe(own);
  });

  it("shows nothing of a foreign error, not even as its cause", async () => {
    const attempt = (): Promise<never> => Promise.reject(new Error("token s3cret"));
    try {
      await callRemote({ failed: "failed", attempt, explain: () => final }, host);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).cause).toBeUndefined();
      expect((error as Error).stack).not.toContain("s3cret");
    }
  });

  it("runs eight calls of a host at once, and the others after them", async () => {
    let running = 0;
    let most = 0;
    const attempt = async (): Promise<void> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
    };
    const own = hostWith({});
    await Promise.all(
      Array.from({ length: 30 }, () => callRemote({ failed: "f", attempt, explain: () => final }, own)),
    );
    expect(most).toBe(8);
  });
});

describe("loadOptional", () => {
  it("says which package to install", async () => {
    const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
    await expect(loadOptional("@aws-sdk/client-kms", () => Promise.reject(missing))).rejects.toMatchObject({
      code: "ERR_OPTIONAL_PACKAGE",
      message: "the package @aws-sdk/client-kms is not installed",
      hint: "install it beside leafcrypt: npm install @aws-sdk/client-kms",
    });
  });

  it("passes other failures", async () => {
    await expect(loadOptional("p", () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  });
});

describe("what is read of foreign errors", () => {
  it.each([
    { name: "a code", error: { code: "ECONNREFUSED" }, code: "ECONNREFUSED" },
    { name: "the code of a cause", error: { cause: { code: "ENOTFOUND" } }, code: "ENOTFOUND" },
    { name: "the code of the first of several", error: { errors: [{ code: "ECONNREFUSED" }] }, code: "ECONNREFUSED" },
    { name: "no code that is a sentence", error: { code: "token=s3cret" }, code: null },
    { name: "no number", error: { code: 7 }, code: null },
    { name: "nothing of a text", error: "ECONNREFUSED", code: null },
  ])("$name", ({ error, code }) => {
    expect(systemCode(error)).toBe(code);
  });

  it("ends where causes go around", () => {
    const error: { cause?: unknown } = {};
    error.cause = error;
    expect(systemCode(error)).toBeNull();
  });

  it.each([
    { code: "ECONNRESET", isPassing: true },
    { code: "ECONNREFUSED", isPassing: false },
    { code: "ENOTFOUND", isPassing: false },
    { code: "CERT_HAS_EXPIRED", isPassing: false },
  ])("$code passes: $isPassing", ({ code, isPassing }) => {
    expect(connectionFailure({ code })).toMatchObject({ reason: `no connection (${code})`, passing: isPassing });
  });

  it.each([
    ["AccessDeniedException", "AccessDeniedException"],
    ["two words", null],
    ["x".repeat(65), null],
    [7, null],
  ])("takes %j for the name %j", (name, expected) => {
    expect(safeName(name)).toBe(expected);
  });
});

it("perHost makes a value once for each host", () => {
  let made = 0;
  const of = perHost(() => ++made);
  const [a, b] = [hostWith({}), hostWith({})];
  expect([of(a), of(a), of(b)]).toEqual([1, 1, 2]);
});
