import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { encodeBech32 } from "../../../../src/bytes/bech32.ts";
import { age } from "../../../../src/keys/age.ts";
import { childScript, type ChildScript } from "../../../support/child-script.ts";
import { keyFile, recipientOf, testHost, type TestHost } from "./host.ts";

const PART = new Uint8Array(32).fill(3);
const RECIPIENT = encodeBech32("age1fake", Buffer.from("recipient"));
const IDENTITY = encodeBech32("age-plugin-fake-", Buffer.from("identity")).toUpperCase();
const ABSENT_IDENTITY = encodeBech32("age-plugin-absent-", Buffer.from("identity")).toUpperCase();

// The fake plugin is started by a shell script.
describe.skipIf(process.platform === "win32")("plugins", () => {
  const bin = mkdtempSync(join(tmpdir(), "plugins-"));
  let script: ChildScript | undefined;

  beforeAll(async () => {
    script = await childScript(fileURLToPath(new URL("fake-plugin.ts", import.meta.url)));
    const starter = `#!/bin/sh\nexec '${process.execPath}' '${script.path}' "$@"\n`;
    writeFileSync(join(bin, "age-plugin-fake"), starter, { mode: 0o755 });
  });
  afterAll(() => {
    script?.remove();
    rmSync(bin, { recursive: true });
  });

  const host = (mode = "", passphrases: string[] = []): TestHost =>
    testHost({ env: { PATH: bin, FAKE_PLUGIN_MODE: mode, SOPS_AGE_KEY: IDENTITY, HOME: "/h" }, passphrases });
  const key = age.fromRecord({ recipient: RECIPIENT });

  it("wrap and unwrap", async () => {
    const enc = await key.wrap(PART, host());
    expect(await key.unwrap(enc, host())).toEqual(Buffer.from(PART));
  });

  it("show messages, ask for secrets, and are told what we do not know", async () => {
    const [wrapping, unwrapping] = [host("ask", ["1234"]), host("ask", ["1234"])];
    expect(await key.unwrap(await key.wrap(PART, wrapping), unwrapping)).toEqual(Buffer.from(PART));
    for (const { prompts, warnings } of [wrapping, unwrapping]) {
      expect([prompts, warnings]).toEqual([["fake plugin: PIN?"], ["fake plugin: touch it"]]);
    }
  });

  it.each([
    { mode: "ask", name: "there is nobody to ask", message: "fake plugin: wrong PIN" },
    {
      mode: "error",
      name: "the plugin says so, without codes for the terminal",
      message: "fake plugin: token  [31mnot found",
    },
    { mode: "quit", name: "it ends too early", message: "age-plugin-fake ended in the middle of the conversation" },
    {
      mode: "garbage",
      name: "it speaks another language",
      message: "age-plugin-fake does not speak the plugin protocol",
    },
  ])("fail when $name", async ({ mode, message }) => {
    await expect(key.wrap(PART, host(mode))).rejects.toThrow(
      expect.objectContaining({ code: "ERR_KEY", message: `failed to encrypt sops data key with age: ${message}` }),
    );
    const enc = await key.wrap(PART, host());
    await expect(key.unwrap(enc, host(mode))).rejects.toThrow(message);
  });

  it("fail when they talk without end", async () => {
    await expect(key.wrap(PART, host("flood"))).rejects.toThrow("age-plugin-fake said more than 1 MiB");
  });

  it("fail when they say nothing for a minute", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const wrapping = expect(key.wrap(PART, host("hang"))).rejects.toThrow(
        "age-plugin-fake said nothing for 60 seconds",
      );
      while (vi.getTimerCount() === 0) await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersByTime(60_000);
      await wrapping;
    } finally {
      vi.useRealTimers();
    }
  });

  it("are not started for a file by its recipient alone", async () => {
    const enc = await key.wrap(PART, host());
    const without = testHost({ env: { PATH: bin, FAKE_PLUGIN_MODE: "", HOME: "/h" } });
    await expect(key.unwrap(enc, without)).rejects.toThrow("failed to load age identities");
  });

  it("are left alone where another identity is known to fit", async () => {
    const env = { PATH: bin, FAKE_PLUGIN_MODE: "ask", SOPS_AGE_KEY: `${IDENTITY}\n${keyFile("age1.txt")}` };
    const both = testHost({ env });
    const [other] = age.parse(recipientOf("age1"), {});
    expect(await other?.unwrap(await other.wrap(PART, both), both)).toEqual(Buffer.from(PART));
    expect([both.prompts, both.warnings]).toEqual([[], []]);
  });

  it("that say nothing fits leave it to other identities", async () => {
    const [other] = age.parse(recipientOf("age1"), {});
    await expect(other?.unwrap(await other.wrap(PART, host()), host())).rejects.toThrow(
      "identity did not match any of the recipients",
    );
  });

  it.each([
    { name: "is not on PATH", PATH: "/nowhere" },
    { name: "is only in the working directory", PATH: [".", "", "bin"].join(delimiter) },
    { name: "has no PATH to be on", PATH: "" },
  ])("are named when the program $name", async ({ PATH }) => {
    const enc = await key.wrap(PART, host());
    const message = `couldn't start plugin: "age-plugin-fake": executable file not found in $PATH`;
    await expect(key.wrap(PART, testHost({ env: { PATH } }))).rejects.toThrow(message);
    await expect(key.unwrap(enc, testHost({ env: { PATH, SOPS_AGE_KEY: IDENTITY } }))).rejects.toThrow(message);
  });

  it("that are missing do not keep other identities from trying", async () => {
    const env = { PATH: bin, FAKE_PLUGIN_MODE: "", SOPS_AGE_KEY: `${ABSENT_IDENTITY}\n${IDENTITY}` };
    expect(await key.unwrap(await key.wrap(PART, host()), testHost({ env }))).toEqual(Buffer.from(PART));
  });
});

describe("plugin names", () => {
  it.each(["a/b", "..", "../x", "-x", ".x", "a\\b", "x".repeat(65), "a'b"])("refuse %s", (name) => {
    const recipient = encodeBech32(`age1${name}`, new Uint8Array(3));
    expect(() => age.parse(recipient, {})).toThrow(
      "failed to parse input as age key from age plugin: invalid recipient encoding: invalid plugin name",
    );
  });

  it.each(["yubikey", "a.b_c+d-e", "0"])("take %s", (name) => {
    const recipient = encodeBech32(`age1${name}`, new Uint8Array(3));
    expect(age.parse(recipient, {}).map(({ id }) => id)).toEqual([recipient]);
  });

  it("of identities follow the same rule", async () => {
    const identity = encodeBech32("age-plugin-../x-", new Uint8Array(3)).toUpperCase();
    const [key] = age.parse(recipientOf("age1"), {});
    await expect(
      key?.unwrap(await key.wrap(PART, testHost()), testHost({ env: { SOPS_AGE_KEY: identity } })),
    ).rejects.toThrow("failed to parse 'SOPS_AGE_KEY' age identities: invalid identity encoding: invalid plugin name");
  });
});
