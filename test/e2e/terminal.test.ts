import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { armor, Encrypter } from "age-encryption";
import { afterEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type Sandbox } from "../support/sandbox.ts";
import { onTerminal, withoutTerminal, type Screen } from "../support/terminal.ts";

const [FIRST, SECOND] = ["age1", "age2"].map(
  (name) =>
    (JSON.parse(fixture("keys/keys.json").toString()) as Record<string, { recipient: string }>)[name]?.recipient ?? "",
);

let box: Sandbox | undefined;
let screen: Screen | undefined;
afterEach(() => {
  screen?.close();
  box?.remove();
});

/** A folder with an encrypted file, a configuration and a key. */
async function prepare(config = `creation_rules:\n  - age: ${FIRST ?? ""}\n`): Promise<Sandbox> {
  box = sandbox({
    "a.yaml": "name: one\n",
    ".sops.yaml": `creation_rules:\n  - age: ${FIRST ?? ""}\n`,
    ".key": fixture("keys/age1.txt"),
  });
  box = { ...box, env: { ...box.env, SOPS_AGE_KEY_FILE: join(box.dir, ".key") } };
  expect(await box.start(["leafcrypt", "encrypt", "-i", "a.yaml"])).toMatchObject({ status: 0 });
  box.write(".sops.yaml", config);
  return box;
}

/** Starts to decrypt with an identity file whose passphrase is `open sesame`, and waits until it is asked for. */
async function decryptWithPassphrase(): Promise<Screen> {
  const at = await prepare();
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(10);
  encrypter.setPassphrase("open sesame");
  at.write("protected", armor.encode(await encrypter.encrypt(at.read(".key"))));
  screen = onTerminal(at, "leafcrypt decrypt a.yaml", { SOPS_AGE_KEY_FILE: join(at.dir, "protected") });
  await screen.waitFor(/Enter passphrase for identity/);
  return screen;
}

async function decrypted(at: Sandbox): Promise<string> {
  return (await at.start(["leafcrypt", "decrypt", "a.yaml"], { env: at.env })).stdout;
}

const hasProgram = (name: string): boolean => spawnSync("which", [name]).status === 0;

describe.skipIf(withoutTerminal !== null)(`on a terminal (${withoutTerminal ?? "tmux"})`, () => {
  it("J-19 asks for the passphrase of an identity file, and decrypts", async () => {
    screen = await decryptWithPassphrase();
    screen.press("open sesame", "Enter");
    const shown = await screen.waitFor(/EXIT 0/);
    expect(shown).toContain("name: one");
    expect(shown).not.toContain("sesame");
  });

  it.each([
    { command: `leafcrypt set a.yaml '["name"]' '"two"'`, isAdvised: true },
    { command: `echo '"two"' | leafcrypt set --value-stdin a.yaml '["name"]'`, isAdvised: false },
    { command: `sops set a.yaml '["name"]' '"two"'`, isAdvised: false },
  ])("V12 $command: tells of the shell's history: $isAdvised", async ({ command, isAdvised }) => {
    const at = await prepare();
    screen = onTerminal(at, command);
    const shown = await screen.waitFor(/EXIT 0/);
    expect(shown.includes("in your shell's history")).toBe(isAdvised);
    expect(await decrypted(at)).toBe("name: two\n");
  });

  it("ends at Ctrl-C instead of a passphrase", async () => {
    screen = await decryptWithPassphrase();
    screen.press("C-c");
    expect(await screen.waitFor(/EXIT [1-9]/)).not.toContain("name: one");
  });

  it("shows the keys that come, asks, and writes after y", async () => {
    const at = await prepare(`creation_rules:\n  - age: ${FIRST ?? ""},${SECOND ?? ""}\n`);
    screen = onTerminal(at, "leafcrypt updatekeys a.yaml");
    const question = await screen.waitFor(/Is this okay\? \(y\/n\):/);
    expect(question).toContain("The following changes will be made to the file's groups:");
    expect(question.replaceAll("\n", "")).toContain(`+++ ${SECOND ?? ""}`);
    screen.press("y", "Enter");
    await screen.waitFor(/synced with new keys[\s\S]*EXIT 0/);
    expect(at.read("a.yaml")).toContain(SECOND ?? "");
  });

  it.each([
    { keys: ["n", "Enter"], shows: /left unchanged[\s\S]*EXIT 0/ },
    { keys: ["C-c"], shows: /EXIT (1|130)/ },
  ])("leaves the file alone after $keys", async ({ keys, shows }) => {
    const at = await prepare(`creation_rules:\n  - age: ${FIRST ?? ""},${SECOND ?? ""}\n`);
    const before = at.read("a.yaml");
    screen = onTerminal(at, "leafcrypt updatekeys a.yaml");
    await screen.waitFor(/Is this okay/);
    screen.press(...keys);
    await screen.waitFor(shows);
    expect(at.read("a.yaml")).toBe(before);
  });

  const editors = [
    { name: "vim", program: "vim", keys: [":%s/one/two/", "Enter", ":wq", "Enter"] },
    { name: "vi", program: "vi", keys: [":%s/one/two/", "Enter", ":wq", "Enter"] },
    { name: "nano", program: "nano", keys: ["C-k", "name: two", "C-o", "Enter", "C-x"] },
  ];

  for (const { name, program, keys } of editors) {
    it.skipIf(!hasProgram(program))(`edits with ${name}`, async () => {
      const at = await prepare();
      screen = onTerminal(at, "leafcrypt edit a.yaml", { EDITOR: program });
      const opened = await screen.waitFor(/name: one/);
      expect(opened).toContain("a.yaml");
      expect(opened).not.toContain("sops:");
      for (const key of keys) screen.press(key);
      await screen.waitFor(/EXIT 0/);
      expect(await decrypted(at)).toBe("name: two\n");
    });
  }

  it("lets a command read the file in clear, and leaves nothing of it", async () => {
    const at = await prepare();
    screen = onTerminal(at, "leafcrypt exec-file a.yaml 'cat {}; echo {} > where'");
    expect(await screen.waitFor(/EXIT 0/)).toContain("name: one");
    expect(at.exists(at.read("where").trim())).toBe(false);
  });

  it("offers to go back to the editor, where the text is still there", async () => {
    const at = await prepare();
    at.write(
      "broken",
      `#!/bin/sh\n[ -e once ] && exec sed -i 's/.*/name: two/' "$1"\n: > once; echo "name: [" > "$1"\n`,
      0o755,
    );
    screen = onTerminal(at, "leafcrypt edit a.yaml", { EDITOR: "./broken" });
    const question = await screen.waitFor(/Press enter to return to the editor/);
    expect(question).toContain("Could not load tree, probably due to invalid syntax.");
    screen.press("Enter");
    await screen.waitFor(/EXIT 0/);
    expect(await decrypted(at)).toBe("name: two\n");
  });

  describe("Ctrl-C", () => {
    it("instead of going back to the editor ends the edit, and says where the text is", async () => {
      const at = await prepare();
      const before = at.read("a.yaml");
      at.write("broken", '#!/bin/sh\necho "name: [" > "$1"\n', 0o755);
      screen = onTerminal(at, "leafcrypt edit a.yaml", { EDITOR: "./broken" });
      await screen.waitFor(/Press enter to return to the editor/);
      screen.press("C-c");
      const shown = await screen.waitFor(/EXIT [1-9]/);
      expect(shown.replaceAll("\n", "")).toContain("edit --recover");
      expect(at.read("a.yaml")).toBe(before);
    });

    it.skipIf(!hasProgram("vim"))("in vim is vim's", async () => {
      const at = await prepare();
      screen = onTerminal(at, "leafcrypt edit a.yaml", { EDITOR: "vim" });
      await screen.waitFor(/name: one[^]* 1,1 /);
      screen.press("C-c");
      await screen.waitFor(/Type +:qa/);
      for (const key of [":%s/one/two/", "Enter", ":wq", "Enter"]) screen.press(key);
      await screen.waitFor(/EXIT 0/);
      expect(await decrypted(at)).toBe("name: two\n");
    });

    it("at publish's question uploads nothing", async () => {
      const at = await prepare("destination_rules:\n  - gcs_bucket: bucket\n");
      screen = onTerminal(at, "leafcrypt publish a.yaml", { STORAGE_EMULATOR_HOST: "http://127.0.0.1:1" });
      const question = await screen.waitFor(/\(y\/n\):/);
      expect(question.replaceAll("\n", "")).toContain("to gcs://bucket/a.yaml ?");
      screen.press("C-c");
      expect(await screen.waitFor(/EXIT [1-9]/)).not.toContain("127.0.0.1:1");
    });

    it("at a key service's question ends it, and the client gets no key", async () => {
      const at = await prepare();
      screen = onTerminal(at, "leafcrypt keyservice --prompt --network unix --address key.sock");
      for (let tries = 0; tries < 100 && !at.exists("key.sock"); tries += 1) await delay(50);
      const env = { SOPS_AGE_KEY_FILE: "" };
      const argv = ["leafcrypt", "decrypt", "--keyservice", `unix://${join(at.dir, "key.sock")}`, "a.yaml"];
      const client = at.start(argv, { env });
      const question = await screen.waitFor(/Respond to request\? \(y\/n\):/);
      expect(question.replaceAll("\n", "")).toContain(
        `Received decrypt request using age key with recipient ${FIRST ?? ""}`,
      );
      screen.press("C-c");
      await screen.waitFor(/EXIT 0/);
      expect(await client).toMatchObject({ status: 128, stdout: "" });
    });

    it("ends a command that reads the file in clear, and leaves nothing of it", async () => {
      const at = await prepare();
      screen = onTerminal(at, "leafcrypt exec-file --no-fifo a.yaml 'echo {} > where; echo started; sleep 30'");
      await screen.waitFor(/started/);
      screen.press("C-c");
      await screen.waitFor(/EXIT [1-9]/);
      expect(at.exists(at.read("where").trim())).toBe(false);
    });
  });
});
