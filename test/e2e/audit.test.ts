import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { auditConfig, canAudit, runAudited } from "../support/audited.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";

const PASSWORD = "correct-horse";
/** Nobody listens there. */
const DOWN = auditConfig(`postgres://logger:${PASSWORD}@127.0.0.1:1/events?sslmode=disable`);

let box: Sandbox;
beforeEach(async () => {
  const editor = "#!/bin/sh\ntouch editor-was-here\n";
  box = sandbox({ id: fixture("keys/age1.txt"), "e.yaml": "a: 1\n", "f.yaml": "b: 2\n", "plain.yaml": "c: 3\n" });
  box.write("editor", editor, 0o755);
  box.write("hook.sh", "#!/bin/sh\ntouch command-was-here\n", 0o755);
  expect(await box.run("encrypt", "-i", "--age", AGE1, "e.yaml", "f.yaml")).toMatchObject({ status: 0 });
  const destinations = "destination_rules:\n  - s3_bucket: bucket\n    path_regex: .*\n";
  box.write(".sops.yaml", `creation_rules:\n  - age: ${AGE1}\n${destinations}`);
});
afterEach(() => {
  box.remove();
});

async function audited(config: string, argv: readonly string[], env: Record<string, string> = {}): Promise<RunResult> {
  const result = await runAudited(box, config, argv, {
    env: { SOPS_AGE_KEY_FILE: "id", EDITOR: `${box.dir}/editor`, ...env },
  });
  expect(result.isTimedOut).toBe(false);
  expect(result.stderr).not.toContain(PASSWORD);
  return result;
}

/** Commands that would be written down. */
const COMMANDS: readonly (readonly string[])[] = [
  ["decrypt", "e.yaml"],
  ["decrypt", "e.yaml", "f.yaml"],
  ["decrypt", "-i", "e.yaml"],
  ["decrypt", "--output", "out.yaml", "e.yaml"],
  ["-d", "e.yaml"],
  ["encrypt", "-i", "plain.yaml"],
  ["encrypt", "--verbose", "plain.yaml"],
  ["set", "e.yaml", '["a"]', "2"],
  ["unset", "e.yaml", '["a"]'],
  ["rotate", "-i", "e.yaml"],
  ["edit", "e.yaml"],
  ["edit", "new.yaml"],
  ["exec-env", "e.yaml", "./hook.sh"],
  ["exec-file", "--no-fifo", "e.yaml", "./hook.sh"],
  ["publish", "-y", "e.yaml"],
];

describe.skipIf(!canAudit)("where an audit is asked for (needs a mount namespace)", () => {
  describe.each(["leafcrypt", "sops"])("%s, with the database down", (program) => {
    it.each(COMMANDS.map((args) => [args.join(" "), args] as const))(
      "K-52 I-45 %s: one line, nothing done",
      async (_, args) => {
        const files = ["e.yaml", "f.yaml", "plain.yaml"];
        const before = files.map((file) => box.read(file));
        const result = await audited(DOWN, [program, ...args]);
        expect(result).toMatchObject({ status: 1, stdout: "" });
        const lead = program === "sops" ? "one or more audit backends reported errors, exiting: " : "leafcrypt: ";
        const warnings = /^\[CMD\].*level=warning.*\n/;
        expect(result.stderr.replace(warnings, "")).toBe(
          `${lead}audit database 1 of /etc/sops/audit.yaml cannot be used: no connection (ECONNREFUSED); ` +
            "nothing listens there: check the address and that the service runs\n",
        );
        expect(files.map((file) => box.read(file))).toEqual(before);
        for (const made of ["out.yaml", "new.yaml", "editor-was-here", "command-was-here"])
          expect(box.exists(made)).toBe(false);
      },
    );

    it.each([
      ["--help"],
      ["--version"],
      ["decrypt", "--help"],
      ["filestatus", "e.yaml"],
      ["updatekeys", "-y", "e.yaml"],
      ["groups", "add", "-f", "e.yaml", "--age", AGE1],
    ])("K-53 I-45 needs none for %s", async (...args) => {
      expect(await audited(DOWN, [program, ...args])).toMatchObject({ status: 0 });
    });
  });

  it("gives up on a database that says nothing", async () => {
    const server = createServer();
    const port = await listenOnLoopback(server);
    onTestFinished(() => void server.close());
    const config = auditConfig(`postgres://logger:${PASSWORD}@127.0.0.1:${String(port)}/events`);
    const result = await audited(config, ["leafcrypt", "decrypt", "e.yaml"], { LEAFCRYPT_TIMEOUT: "0.3" });
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("cannot be used: no answer within 0.3 seconds");
  });

  it("refuses a configuration that makes no sense", async () => {
    for (const config of [
      "backends: [",
      "backends: {other: []}",
      "backend: {}",
      "backends: {postgres: text}",
      "- a\n",
    ]) {
      const result = await audited(config, ["leafcrypt", "decrypt", "e.yaml"]);
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toMatch(/^leafcrypt: error loading config: .*\/etc\/sops\/audit\.yaml:1:\d+: [^\n]*\n$/);
    }
  });

  it("writes nothing down where no database is named", async () => {
    for (const config of ["", "backends:\n", "backends: {postgres: []}\n"])
      expect(await audited(config, ["leafcrypt", "decrypt", "e.yaml"])).toMatchObject({ status: 0, stdout: "a: 1\n" });
  });
});
