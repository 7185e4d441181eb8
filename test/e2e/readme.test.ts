import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { sandbox } from "../support/sandbox.ts";
import { fixture } from "../support/vectors.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

/** The text of every fenced block of a language. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map(
    (match) => match[1] ?? "",
  );
}

/** Commands, but for those of `npm`, which continuous integration runs in a fresh clone. */
const commands = blocks("sh")
  .flatMap((block) => block.split("\n"))
  .filter((line) => line !== "" && !line.startsWith("npm "));

describe("every command of the README", () => {
  const box = sandbox({
    ".sops.yaml": blocks("yaml").find((block) => block.startsWith("creation_rules")) ?? "",
    "secret.yaml": 'kind: Secret\nstringData:\n  username: shop\n  password: "horse"\n  port: "5432"\n',
    ".key": fixture("keys/age1.txt"),
  });
  mkdirSync(join(box.home, ".local/bin"), { recursive: true });
  afterAll(() => {
    box.remove();
  });

  it("has commands to run", () => {
    expect(commands.length).toBeGreaterThan(8);
  });

  it.each(commands)("%s", async (command) => {
    const env = { SOPS_AGE_KEY_FILE: join(box.dir, ".key"), EDITOR: "sed -i s/shop/store/" };
    expect(await box.start(["/bin/sh", "-c", command], { env })).toMatchObject({ status: 0 });
  });
});
