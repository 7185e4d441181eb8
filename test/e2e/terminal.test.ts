import { spawnSync } from "node:child_process";
import { join } from "node:path";
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

async function decrypted(at: Sandbox): Promise<string> {
  return (await at.start(["leafcrypt", "decrypt", "a.yaml"], { env: at.env })).stdout;
}

const hasProgram = (name: string): boolean => spawnSync("which", [name]).status === 0;

describe.skipIf(withoutTerminal !== null)(`on a terminal (${withoutTerminal ?? "tmux"})`, () => {
  it("J-19 asks for the passphrase of an identity file, and decrypts", async () => {
    const at = await prepare();
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(10);
    encrypter.setPassphrase("open sesame");
    at.write("protected", armor.encode(await encrypter.encrypt(at.read(".key"))));
    screen = onTerminal(at, "leafcrypt decrypt a.yaml", { SOPS_AGE_KEY_FILE: join(at.dir, "protected") });
    await screen.waitFor(/Enter passphrase for identity/);
    screen.press("open sesame", "Enter");
    const shown = await screen.waitFor(/EXIT 0/);
    expect(shown).toContain("name: one");
    expect(shown).not.toContain("sesame");
  });

  it("ends at Ctrl-C instead of a passphrase", async () => {
    const at = await prepare();
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(10);
    encrypter.setPassphrase("open sesame");
    at.write("protected", armor.encode(await encrypter.encrypt(at.read(".key"))));
    screen = onTerminal(at, "leafcrypt decrypt a.yaml", { SOPS_AGE_KEY_FILE: join(at.dir, "protected") });
    await screen.waitFor(/Enter passphrase for identity/);
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
    { name: "vi", program: "vi", keys: [":%s/one/two/", "Enter", ":wq", "Enter"] },
    { name: "nano", program: "nano", keys: ["C-k", "name: two", "C-o", "Enter", "C-x"] },
  ];

  it.each(editors.map((editor) => ({ ...editor, isThere: hasProgram(editor.program) })))(
    "edits with $name (there: $isThere)",
    async ({ program, keys, isThere }) => {
      if (!isThere) return;
      const at = await prepare();
      screen = onTerminal(at, "leafcrypt edit a.yaml", { EDITOR: program });
      await screen.waitFor(/name: one/);
      for (const key of keys) screen.press(key);
      await screen.waitFor(/EXIT 0/);
      expect(await decrypted(at)).toBe("name: two\n");
    },
  );

  it("lets a command read the file in clear, and leaves nothing of it", async () => {
    const at = await prepare();
    screen = onTerminal(at, "leafcrypt exec-file a.yaml 'cat {}; echo {} > where'");
    expect(await screen.waitFor(/EXIT 0/)).toContain("name: one");
    expect(at.exists(at.read("where").trim())).toBe(false);
  });
});
