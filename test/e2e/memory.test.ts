// Large binary files fit into memory few times. On Node alone, whose peak a preloaded module can tell.
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, sandbox, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";

const MIB = 2 ** 20;
const SIZE = 96 * MIB;
const TELL_PEAK = `import { writeFileSync } from "node:fs";
process.on("exit", () => writeFileSync("peak", String(process.resourceUsage().maxRSS * 1024)));
`;

let box: Sandbox;

beforeAll(() => {
  const files = {
    "key.txt": fixture("keys/age1.txt"),
    "tell.mjs": TELL_PEAK,
    "small.bin": "x",
    "large.bin": randomBytes(SIZE),
  };
  box = sandbox(files, { SOPS_AGE_KEY_FILE: "key.txt", NODE_OPTIONS: "--import ./tell.mjs" });
});

afterAll(() => {
  box.remove();
});

async function peakOf(...args: string[]): Promise<number> {
  expect(await box.run(...args)).toMatchObject({ status: 0, stderr: "" });
  return Number(box.read("peak"));
}

describe.skipIf(process.env["LEAFCRYPT_BIN"] !== undefined)(
  "a binary file of 96 MiB takes no more than four times its size",
  () => {
    it("to encrypt and to decrypt", async () => {
      const runtime = await peakOf("encrypt", "--age", AGE1, "--output", "small.enc", "small.bin");
      const encrypting = await peakOf("encrypt", "--age", AGE1, "--output", "large.enc", "large.bin");
      const decrypting = await peakOf("decrypt", "--output", "large.out", "large.enc");
      expect((encrypting - runtime) / SIZE).toBeLessThan(4);
      expect((decrypting - runtime) / SIZE).toBeLessThan(4);
      expect((await box.start(["cmp", "large.bin", "large.out"])).status).toBe(0);
    });
  },
);
