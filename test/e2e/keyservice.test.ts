import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixture, programFolder, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

const recipient = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";

let box: Sandbox;
let service: ChildProcess | undefined;

beforeEach(async () => {
  box = sandbox({ id: fixture("keys/age1.txt"), "e.yaml": "a: 1\n" });
  expect(await box.run("encrypt", "-i", "--age", recipient, "e.yaml")).toMatchObject({ status: 0 });
});

afterEach(() => {
  service?.kill("SIGKILL");
  service = undefined;
  box.remove();
});

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Starts a service with the identity; its output is collected, and its standard input is a pipe. */
function serve(...args: readonly string[]): {
  output: () => string;
  type: (text: string) => void;
  ended: Promise<Ended>;
} {
  const program = join(programFolder(), "leafcrypt");
  const child = spawn(program, ["keyservice", "--network", "unix", "--address", "s.sock", ...args], {
    cwd: box.dir,
    env: { ...box.env, SOPS_AGE_KEY_FILE: "id" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  service = child;
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    output: () => output,
    type: (text) => child.stdin.write(text),
    ended: new Promise((resolve) =>
      child.on("close", (status, signal) => {
        resolve({ status, signal });
      }),
    ),
  };
}

function whenListening(): Promise<void> {
  return expect.poll(() => existsSync(join(box.dir, "s.sock")), { timeout: 10_000 }).toBe(true);
}

function decryptThere(): Promise<RunResult> {
  const uri = `unix://${box.dir}/s.sock`;
  return box.run("decrypt", "--enable-local-keyservice=false", "--keyservice", uri, "e.yaml");
}

describe("I-44 a key service", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends with status 0 on %s, and takes its private socket along",
    async (name) => {
      const { ended, output } = serve();
      await whenListening();
      expect(statSync(join(box.dir, "s.sock")).mode & 0o777).toBe(0o600);
      expect(await decryptThere()).toMatchObject({ status: 0, stdout: "a: 1\n" });
      service?.kill(name);
      expect(await ended).toEqual({ status: 0, signal: null });
      expect(box.exists("s.sock")).toBe(false);
      expect(output()).toBe("");
    },
  );

  it("ends with status 0 however soon the signal comes", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { ended } = serve();
      await whenListening();
      service?.kill("SIGTERM");
      expect(await ended).toEqual({ status: 0, signal: null });
    }
  });

  it("takes the place of a socket that nobody listens on", async () => {
    const first = serve();
    await whenListening();
    service?.kill("SIGKILL");
    await first.ended;
    expect(box.exists("s.sock")).toBe(true);
    const { ended } = serve();
    await expect.poll(async () => (await decryptThere()).status, { timeout: 10_000 }).toBe(0);
    service?.kill("SIGTERM");
    expect(await ended).toEqual({ status: 0, signal: null });
  });

  it("K-13 cannot start where another one listens", async () => {
    serve();
    await whenListening();
    const result = await box.run("keyservice", "--network", "unix", "--address", "s.sock");
    expect(result).toMatchObject({ status: 1, stdout: "" });
    expect(result.stderr).toContain("Error running keyservice: ");
  });

  it("asks before a key is used, and names the key", async () => {
    const { type, output, ended } = serve("--prompt");
    await whenListening();
    const refused = decryptThere();
    const question = `Received decrypt request using age key with recipient ${recipient}. Respond to request? (y/n): `;
    await expect.poll(output, { timeout: 10_000 }).toContain(question);
    type("what\nn\n");
    expect(await refused).toMatchObject({ status: 128 });
    expect(output().split(question).length).toBe(3);
    const allowed = decryptThere();
    type("y\n");
    expect(await allowed).toMatchObject({ status: 0, stdout: "a: 1\n" });
    service?.kill("SIGTERM");
    expect(await ended).toEqual({ status: 0, signal: null });
  });

  it("ends on a signal while it asks, and the end of input is a no", async () => {
    const { output, ended } = serve("--prompt");
    await whenListening();
    const waiting = decryptThere();
    await expect.poll(output, { timeout: 10_000 }).toContain("(y/n)");
    service?.kill("SIGTERM");
    expect(await ended).toEqual({ status: 0, signal: null });
    expect(await waiting).toMatchObject({ status: 128 });
  });
});
