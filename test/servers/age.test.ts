import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeBech32 } from "../../src/bytes/bech32.ts";
import { age } from "../../src/keys/age/backend.ts";
import type { MasterKey } from "../../src/keys/backend.ts";
import { hostWith } from "./support/host.ts";
import { findProgram, findSystemProgram, missingReason, ROOT } from "./support/programs.ts";

const DATA_KEY = Buffer.from("0123456789abcdef0123456789abcdef");

function keyOf(recipient: string): MasterKey {
  const [key] = age.parse(recipient, {});
  if (key === undefined) throw new Error("no key");
  return key;
}

/** The age programs that are there: the newest, and the system's if it is another. */
const missing = missingReason("age", ["age", "age-keygen"]);
const installed = findProgram("age");
const ages = [...new Set([installed, findSystemProgram("age")])].flatMap((program) => {
  if (program === null || missing !== null) return [];
  return [{ program, version: execFileSync(program, ["--version"]).toString().trim() }];
});

describe.skipIf(missing !== null)(missing === null ? "age" : `age (skipped: ${missing})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "lc-age-"));
  const keys: { name: string; recipient: string; identity: string; isSsh?: true; isHybrid?: true }[] = [];

  const generate = (name: string, ...args: string[]): void => {
    const identity = join(folder, name);
    execFileSync(findProgram("age-keygen") ?? "age-keygen", [...args, "-o", identity], { stdio: "pipe" });
    const recipient = /public key: (\S+)/.exec(readFileSync(identity, "utf8"))?.[1] ?? "";
    keys.push({ name, recipient, identity, ...(args.includes("-pq") ? { isHybrid: true } : {}) });
  };

  beforeAll(() => {
    generate("X25519");
    if (ages.some(({ version }) => isAtLeast13(version))) generate("hybrid", "-pq");
    for (const name of ["ssh_ed25519", "ssh_rsa"]) {
      const identity = join(folder, name);
      copyFileSync(join(ROOT, "fixtures/keys", name), identity);
      chmodSync(identity, 0o600);
      const recipient = readFileSync(join(ROOT, "fixtures/keys", `${name}.pub`), "utf8").trim();
      keys.push({ name, recipient, identity, isSsh: true });
    }
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(ages)("$version", ({ program, version }) => {
    it.each(["X25519", ...(isAtLeast13(version) ? ["hybrid"] : []), "ssh_ed25519", "ssh_rsa"])(
      "opens what we wrap and wraps what we open: %s",
      async (name) => {
        const key = keys.find((candidate) => candidate.name === name);
        if (key === undefined) throw new Error(`no ${name} key was made`);
        const enc = await keyOf(key.recipient).wrap(DATA_KEY, hostWith({}));
        expect(execFileSync(program, ["-d", "-i", key.identity], { input: enc })).toEqual(DATA_KEY);
        const theirs = execFileSync(program, ["-a", "-r", key.recipient], { input: DATA_KEY }).toString();
        const env =
          key.isSsh === true ? { SOPS_AGE_SSH_PRIVATE_KEY_FILE: key.identity } : { SOPS_AGE_KEY_FILE: key.identity };
        expect(Buffer.from(await keyOf(key.recipient).unwrap(theirs, hostWith({ HOME: folder, ...env })))).toEqual(
          DATA_KEY,
        );
      },
    );
  });

  const plugin = findProgram("age-plugin-batchpass");
  it.skipIf(plugin === null)(
    plugin === null
      ? "opens through a plugin (skipped: not installed)"
      : "opens through a plugin what age wrapped with it",
    async () => {
      const bin = join(folder, "bin");
      mkdirSync(bin);
      const PATH = [dirname(plugin ?? ""), process.env["PATH"]].join(delimiter);
      const env = { PATH, AGE_PASSPHRASE: "a passphrase for the test", AGE_PASSPHRASE_WORK_FACTOR: "10" };
      const theirs = execFileSync(installed ?? "age", ["-a", "-e", "-j", "batchpass"], {
        input: DATA_KEY,
        env,
      }).toString();
      const identity = join(folder, "plugin-identity");
      writeFileSync(identity, `${encodeBech32("age-plugin-batchpass-", Buffer.alloc(0)).toUpperCase()}\n`);
      const [key] = age.parse(keys[0]?.recipient ?? "", {});
      expect(Buffer.from((await key?.unwrap(theirs, hostWith({ ...env, SOPS_AGE_KEY_FILE: identity }))) ?? [])).toEqual(
        DATA_KEY,
      );
    },
  );
});

function isAtLeast13(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^\D*/, "").split(".").map(Number);
  return major > 1 || (major === 1 && minor >= 3);
}
