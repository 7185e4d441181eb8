import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fixtures, type RunResult, sandbox, type Sandbox } from "../../support/sandbox.ts";
import type { Gate } from "./gate.ts";
import { findSystemProgram } from "./programs.ts";

/** A key type as the command line sees it, with two keys on a running server. */
export interface Subject {
  /** `kms` for `--kms`, `--add-kms`, `--rm-kms`. */
  readonly flag: string;
  /** Member of a creation rule. */
  readonly rule: string;
  /** List in the metadata. */
  readonly list: string;
  readonly key: string;
  readonly otherKey: string;
  /** Variables with which both programs reach the server; nothing else of the environment is passed. */
  readonly env: Readonly<Record<string, string>>;
  /** In front of the server. */
  readonly gate: Gate;
  /** Texts that must appear in no message: tokens, secret keys. */
  readonly secrets: readonly string[];
}

const PLAIN = "user: alice\npassword: correct horse\nlist:\n    - one\n    - 2\n";
const AGE_RECIPIENT = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const AGE = { SOPS_AGE_KEY_FILE: `${fixtures}/keys/age1.txt` };

/** The reference, where it is installed. */
export const SOPS: string | null = findSystemProgram("sops");

/** What every remote key must do, through the built program. */
export function describeKeyLife(subject: () => Subject): void {
  let box: Sandbox;
  const leafcrypt = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> => {
    const result = await box.start(["leafcrypt", ...args], { env: { ...subject().env, ...env }, timeout: 60_000 });
    expect(result.isTimedOut).toBe(false);
    for (const secret of subject().secrets) expect(result.stderr).not.toContain(secret);
    expect(result.stderr).not.toMatch(/^ {4}at /m);
    return result;
  };
  const ok = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
    const result = await leafcrypt(args, env);
    expect(result).toMatchObject({ status: 0 });
    return result.stdout;
  };
  const reference = async (...args: string[]): Promise<RunResult> =>
    box.start([SOPS ?? "sops", ...args], { env: subject().env, timeout: 60_000 });
  /** Both keys wrapped: one that needs the server, one that does not. */
  const encryptBoth = (): Promise<string> =>
    ok(["encrypt", "-i", `--${subject().flag}`, subject().key, "--age", AGE_RECIPIENT, "a.yaml"]);

  beforeEach(() => {
    subject().gate.mode = "open";
    box = sandbox({ "a.yaml": PLAIN });
    return () => {
      box.remove();
    };
  });

  it("encrypts and decrypts", async () => {
    await ok(["encrypt", "-i", `--${subject().flag}`, subject().key, "a.yaml"]);
    expect(box.read("a.yaml")).not.toContain("alice");
    expect(box.read("a.yaml")).toContain(`${subject().list}:`);
    expect(await ok(["decrypt", "a.yaml"])).toBe(PLAIN);
  });

  it("rotates", async () => {
    await ok(["encrypt", "-i", `--${subject().flag}`, subject().key, "a.yaml"]);
    const before = box.read("a.yaml");
    await ok(["rotate", "-i", "a.yaml"]);
    expect(box.read("a.yaml")).not.toBe(before);
    expect(await ok(["decrypt", "a.yaml"])).toBe(PLAIN);
  });

  it("is added to a file and removed from it", async () => {
    await ok(["encrypt", "-i", "--age", AGE_RECIPIENT, "a.yaml"]);
    await ok(["rotate", "-i", `--add-${subject().flag}`, subject().key, "a.yaml"], AGE);
    expect(await ok(["decrypt", "a.yaml"])).toBe(PLAIN);
    await ok(["rotate", "-i", `--rm-${subject().flag}`, subject().key, "a.yaml"]);
    expect(box.read("a.yaml")).not.toContain(`${subject().list}:`);
    expect(await ok(["decrypt", "a.yaml"], AGE)).toBe(PLAIN);
  });

  it("follows the configuration by updatekeys", async () => {
    await ok(["encrypt", "-i", "--age", AGE_RECIPIENT, "a.yaml"]);
    box.write(".sops.yaml", `creation_rules:\n  - ${subject().rule}: "${subject().key}"\n`);
    await ok(["updatekeys", "-y", "a.yaml"], AGE);
    expect(box.read("a.yaml")).not.toContain("age1");
    expect(await ok(["decrypt", "a.yaml"])).toBe(PLAIN);
  });

  it("does not open what another key wrapped", async () => {
    await ok(["encrypt", "-i", `--${subject().flag}`, subject().key, "a.yaml"]);
    box.write("b.yaml", PLAIN);
    await ok(["encrypt", "-i", `--${subject().flag}`, subject().otherKey, "b.yaml"]);
    const enc = /enc: (\S+)/.exec(box.read("b.yaml"))?.[1] ?? "";
    expect(enc).not.toBe("");
    box.write(
      "a.yaml",
      box.read("a.yaml").replace(/enc: \S+/, () => `enc: ${enc}`),
    );
    const before = box.read("a.yaml");
    expect(await leafcrypt(["decrypt", "a.yaml"])).toMatchObject({ status: 128, stdout: "" });
    expect(box.read("a.yaml")).toBe(before);
  });

  it.each(["closed", "cut", "silent"] as const)("leaves the file alone when the server is %s", async (mode) => {
    await encryptBoth();
    const before = box.read("a.yaml");
    subject().gate.mode = mode;
    const result = await leafcrypt(["rotate", "-i", "a.yaml"], { ...AGE, LEAFCRYPT_TIMEOUT: "1" });
    expect(result.status).not.toBe(0);
    expect(result.stderr).toContain(subject().key.split(/[+|]/)[0]);
    expect(box.read("a.yaml")).toBe(before);
  });

  it.each(["closed", "cut", "silent"] as const)("goes on to the next key when the server is %s", async (mode) => {
    await encryptBoth();
    subject().gate.mode = mode;
    const started = Date.now();
    const order = { SOPS_DECRYPTION_ORDER: "kms,gcp_kms,azure_kv,hc_vault,age", LEAFCRYPT_TIMEOUT: "1" };
    expect(await ok(["decrypt", "a.yaml"], { ...AGE, ...order })).toBe(PLAIN);
    expect(Date.now() - started).toBeLessThan(15_000);
  });

  it.each(["closed", "silent"] as const)(
    "says why it failed when the server is %s and no other key helps",
    async (mode) => {
      await ok(["encrypt", "-i", `--${subject().flag}`, subject().key, "a.yaml"]);
      subject().gate.mode = mode;
      const result = await leafcrypt(["decrypt", "a.yaml"], { LEAFCRYPT_TIMEOUT: "1" });
      expect(result).toMatchObject({ status: 128, stdout: "" });
      expect(result.stderr).toContain("FAILED");
    },
  );

  it("shows neither token nor key where every package is asked to tell what it does", async () => {
    const telling = { DEBUG: "*", AZURE_LOG_LEVEL: "verbose", GOOGLE_SDK_NODE_LOGGING: "all", GRPC_TRACE: "all" };
    const encrypted = await leafcrypt(
      ["encrypt", "--verbose", `--${subject().flag}`, subject().key, "a.yaml"],
      telling,
    );
    expect(encrypted).toMatchObject({ status: 0 });
    box.write("a.yaml", encrypted.stdout);
    const decrypted = await leafcrypt(["decrypt", "--verbose", "a.yaml"], telling);
    expect(decrypted).toMatchObject({ status: 0, stdout: PLAIN });
    // What wraps a data key of 32 bytes is sent as 43 or 44 characters of base64; Google's JSON gives bytes as numbers.
    for (const { stderr } of [encrypted, decrypted]) {
      expect(stderr).not.toMatch(/(?<![\w+/-])[\w+/-]{43}=?(?![\w+/=-])/);
      expect(stderr).not.toMatch(/plaintext/i);
    }
  });

  describe.skipIf(SOPS === null)(SOPS === null ? "with sops (skipped: not on PATH)" : "with sops", () => {
    it("opens what the reference encrypts", async () => {
      const result = await reference("encrypt", `--${subject().flag}`, subject().key, "a.yaml");
      expect(result).toMatchObject({ status: 0 });
      box.write("e.yaml", result.stdout);
      expect(await ok(["decrypt", "e.yaml"])).toBe(PLAIN);
    });

    it("writes what the reference opens", async () => {
      await ok(["encrypt", "-i", `--${subject().flag}`, subject().key, "a.yaml"]);
      expect(await reference("decrypt", "a.yaml")).toMatchObject({ status: 0, stdout: PLAIN });
    });

    it("rotates what the reference encrypts, and back", async () => {
      const result = await reference("encrypt", `--${subject().flag}`, subject().key, "a.yaml");
      box.write("a.yaml", result.stdout);
      await ok(["rotate", "-i", "a.yaml"]);
      expect(await reference("rotate", "-i", "a.yaml")).toMatchObject({ status: 0 });
      expect(await ok(["decrypt", "a.yaml"])).toBe(PLAIN);
    });
  });
}

/** Makes a subject before the tests and takes its gate down after them. */
export function prepared(make: () => Promise<Subject>): () => Subject {
  let subject: Subject | undefined;
  beforeAll(async () => {
    subject = await make();
  });
  afterAll(async () => {
    await subject?.gate.stop();
  });
  return () => {
    if (subject === undefined) throw new Error("not prepared");
    return subject;
  };
}
