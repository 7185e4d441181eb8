// What a file may not make the program do (safety.md 1.2): its rule in the configuration is asked before it is written.
import { afterEach, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { AGE1, CANARY } from "../support/workbench.ts";

const AGE2 = /age1\w+/.exec(fixture("keys/age2.txt").toString())?.[0] ?? "";
const RULE = `creation_rules:\n  - age: ${AGE1}\n`;

let box: Sandbox | undefined;
afterEach(() => {
  box?.remove();
  box = undefined;
});

/** A box with an encrypted `a.yaml` whose metadata somebody changed. */
async function tampered(change: (text: string) => string, rule = RULE): Promise<Sandbox> {
  const place = sandbox(
    { ".sops.yaml": rule, "a.yaml": `a: ${CANARY}\n`, key: fixture("keys/age1.txt") },
    { SOPS_AGE_KEY_FILE: "key" },
  );
  box = place;
  expect(await place.run("encrypt", "-i", "a.yaml")).toMatchObject({ status: 0 });
  const text = place.read("a.yaml");
  const altered = change(text);
  expect(altered).not.toBe(text);
  place.write("a.yaml", altered);
  return place;
}

const widened = (text: string): string => text.replace(/unencrypted_suffix: .*/, "unencrypted_regex: ^new_password$");
const withStranger = (text: string): string =>
  text.replace("- enc:", `- recipient: ${AGE2}\n          enc: none\n        - enc:`);

const set = ["set", "a.yaml", '["new_password"]', `"${CANARY}"`] as const;

describe("D10 a selection widened over a key to come", () => {
  it("refuses to store the secret in clear without a terminal: 8, and the file as it was", async () => {
    const place = await tampered(widened);
    const before = place.read("a.yaml");
    const result = await place.run(...set);
    expect(result).toMatchObject({ status: 8, stdout: "" });
    expect(result.stderr).toContain('["new_password"]');
    expect(result.stderr).not.toContain(CANARY);
    expect(place.read("a.yaml")).toBe(before);
  });

  it.each([
    { answer: "y", status: 0, isStored: true },
    { answer: "n", status: 1, isStored: false },
  ])("asks on a terminal (script(1)): $answer", async ({ answer, status, isStored }) => {
    const place = await tampered(widened);
    place.write("set.sh", `exec leafcrypt set a.yaml '["new_password"]' '"${CANARY}"'\n`);
    const result = await place.start(["script", "-qec", "sh set.sh", "/dev/null"], { input: `${answer}\n` });
    expect(result).toMatchObject({ status });
    expect(result.stdout).toContain("Store it in clear?");
    expect(place.read("a.yaml").includes(`new_password: ${CANARY}`)).toBe(isStored);
  });

  it("stores it with --allow-unencrypted, and says so", async () => {
    const place = await tampered(widened);
    const result = await place.run(...set, "--allow-unencrypted");
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("new_password");
  });

  it("is a warning under the name sops (I-50)", async () => {
    const place = await tampered(widened);
    const result = await place.sops(...set);
    expect(result).toMatchObject({ status: 0, stdout: "" });
    expect(result.stderr).toMatch(/level=warning.*new_password/);
    expect(result.stderr).not.toContain(CANARY);
  });

  it("X10 is refused to an editor without a terminal, and the text is kept", async () => {
    const place = await tampered(widened);
    const before = place.read("a.yaml");
    const result = await place.start(["leafcrypt", "edit", "a.yaml"], {
      env: { EDITOR: `sh -c 'echo new_password: ${CANARY} >> "$0"'` },
    });
    expect(result).toMatchObject({ status: 8 });
    expect(result.stderr).toContain('["new_password"]');
    expect(place.read("a.yaml")).toBe(before);
  });

  it("does not hinder a change that has nothing to do with it", async () => {
    const place = await tampered(widened);
    const result = await place.run("set", "a.yaml", '["a"]', '"other"');
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain("unencrypted_regex: ^new_password$");
  });
});

describe("D25 a recipient that the rule does not name", () => {
  const expectNamed = (result: RunResult): void => {
    expect(result).toMatchObject({ status: 0 });
    expect(result.stderr).toContain(AGE2);
  };

  it("is named by what writes the file", async () => {
    const place = await tampered(withStranger);
    expectNamed(await place.run("set", "a.yaml", '["a"]', '"x"'));
    expectNamed(await place.sops("rotate", "-i", "a.yaml"));
  });

  it.each([
    { name: "where nobody reads warnings", env: { CI: "true" }, options: [] },
    { name: "on demand", env: {}, options: ["--require-config-recipients"] },
  ])("gets no new data key $name: 8, and the file as it was", async ({ env, options }) => {
    const place = await tampered(withStranger);
    const before = place.read("a.yaml");
    for (const command of [
      ["rotate", "-i", "a.yaml"],
      ["groups", "add", "-i", "-f", "a.yaml", "--age", AGE1],
    ]) {
      const result = await place.start(["leafcrypt", ...command, ...options], { env });
      expect(result).toMatchObject({ status: 8, stdout: "" });
      expect(result.stderr).toContain(AGE2);
      expect(place.read("a.yaml")).toBe(before);
    }
  });

  it("is a warning under the name sops, wherever it runs", async () => {
    const place = await tampered(withStranger);
    expectNamed(await place.start(["sops", "rotate", "-i", "a.yaml"], { env: { CI: "true" } }));
  });

  it("is noticed when somebody did away with key groups", async () => {
    const groups = `creation_rules:\n  - key_groups: [{age: [${AGE1}]}, {age: [${AGE2}]}]\n`;
    const place = await tampered((text) => text.replace("3.13.2", "3.13.1"));
    place.write(".sops.yaml", groups);
    const result = await place.start(["leafcrypt", "rotate", "-i", "a.yaml"], { env: { CI: "true" } });
    expect(result).toMatchObject({ status: 8 });
    expect(result.stderr).toContain("fewer key groups");
  });
});

it("D15 flat keys beside key_groups are never written: 8", async () => {
  const place = await tampered((text) =>
    text.replace(/^sops:\n/m, `sops:\n    key_groups: [{age: [{recipient: ${AGE2}, enc: x}]}]\n`),
  );
  const before = place.read("a.yaml");
  for (const program of ["leafcrypt", "sops"]) {
    for (const command of [
      ["set", "a.yaml", '["a"]', "1"],
      ["rotate", "-i", "a.yaml"],
      ["updatekeys", "-y", "a.yaml"],
    ]) {
      const result = await place.start([program, ...command]);
      if (command[0] !== "updatekeys") expect(result.status).toBe(8);
      expect(place.read("a.yaml")).toBe(before);
    }
    expect(await place.start([program, "decrypt", "a.yaml"])).toMatchObject({ status: 0 });
  }
});

describe("a second authenticator (docs/integrity.md)", () => {
  it("is asked for by the rule, opens with sops's face too, and is checked by every command", async () => {
    const place = (box = sandbox(
      { "a.yaml": "user: ab\npassword: s\n", key: fixture("keys/age1.txt") },
      { SOPS_AGE_KEY_FILE: "key" },
    ));
    place.write(
      ".sops.yaml",
      `creation_rules:\n  - age: ${AGE1}\n    encrypted_regex: password\n    integrity: true\n`,
    );
    expect(await place.run("encrypt", "-i", "a.yaml")).toMatchObject({ status: 0, stderr: "" });
    expect(place.read("a.yaml")).toMatch(/^ +integrity: v1:/m);
    expect(await place.sops("decrypt", "a.yaml")).toMatchObject({ status: 0, stderr: "" });
    const changed = place.read("a.yaml").replace("user:", "name:");
    place.write("a.yaml", changed);
    for (const words of [
      "decrypt a.yaml",
      "rotate -i a.yaml",
      'set a.yaml ["x"] 1',
      `rotate -i --add-age ${AGE2} a.yaml`,
    ]) {
      expect(await place.run(...words.split(" "))).toMatchObject({ status: 51 });
      expect(place.read("a.yaml")).toBe(changed);
    }
    const shown = await place.run("decrypt", "--ignore-mac", "a.yaml");
    expect(shown).toMatchObject({ status: 0, stdout: "name: ab\npassword: s\n" });
    expect(shown.stderr).toContain("Integrity mismatch");
  });

  it("that is missing is told of by who writes the file, and given back by rotate alone", async () => {
    const rule = `creation_rules:\n  - age: ${AGE1}\n`;
    const place = (box = sandbox(
      { ".sops.yaml": rule, "a.yaml": "a: s\n", key: fixture("keys/age1.txt") },
      { SOPS_AGE_KEY_FILE: "key" },
    ));
    expect(await place.run("encrypt", "-i", "a.yaml")).toMatchObject({ status: 0, stderr: "" });
    place.write(".sops.yaml", `${rule}    integrity: true\n`);
    const told = expect.stringContaining("asks for an integrity, and the file has none; rotate gives it one") as string;
    expect(await place.run("set", "a.yaml", '["b"]', "1")).toMatchObject({ status: 0, stderr: told });
    expect(place.read("a.yaml")).not.toContain("integrity:");
    expect(await place.run("rotate", "-i", "a.yaml")).toMatchObject({ status: 0, stderr: told });
    expect(place.read("a.yaml")).toMatch(/^ +integrity: v1:/m);
    expect(await place.run("set", "a.yaml", '["b"]', "2")).toMatchObject({ status: 0, stderr: "" });
    expect(await place.run("decrypt", "a.yaml")).toMatchObject({ status: 0, stdout: "a: s\nb: 2\n", stderr: "" });
  });
});
