import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixtures, programFolder, sandbox, type Sandbox } from "../support/sandbox.ts";
import { freePort } from "./support/process.ts";
import { SOPS } from "./support/scenarios.ts";

const PLAIN = "a: secret\n";
const RECIPIENT = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";
const IDENTITY = { SOPS_AGE_KEY_FILE: `${fixtures}/keys/age1.txt` };
const LEAFCRYPT = join(programFolder(), "leafcrypt");

let box: Sandbox;
let children: ChildProcess[] = [];

beforeEach(() => {
  box = sandbox({ "a.yaml": PLAIN });
});
afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  box.remove();
});

/** Starts a key service that holds the identity, and waits until it listens. */
async function serve(
  program: string,
  args: readonly string[],
  isListening: () => Promise<boolean>,
  input?: string,
): Promise<ChildProcess> {
  const child = spawn(program, ["keyservice", ...args], {
    cwd: box.dir,
    env: { ...box.env, ...IDENTITY },
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  if (input !== undefined) child.stdin.end(input);
  for (let waited = 0; !(await isListening()); waited += 50) {
    if (waited > 15_000) throw new Error("the key service does not listen");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

function ended(child: ChildProcess): Promise<number | null> {
  return child.exitCode === null
    ? new Promise((resolve) => child.once("exit", resolve))
    : Promise.resolve(child.exitCode);
}

const socketExists = (): Promise<boolean> => Promise.resolve(existsSync(join(box.dir, "s.sock")));

async function answers(port: number): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => {
      resolve(false);
    });
  });
}

const programs = [
  { name: "leafcrypt", path: LEAFCRYPT },
  { name: "sops", path: SOPS },
];
const pairs = programs.flatMap((server) => programs.map((client) => ({ server, client })));

describe.each(pairs.filter(({ server, client }) => server.name === "leafcrypt" || client.name === "leafcrypt"))(
  "$client.name asks the key service of $server.name",
  ({ server, client }) => {
    const isMissing = server.path === null || client.path === null;
    const reason = isMissing ? " (skipped: sops is not on PATH)" : "";

    it.skipIf(isMissing)(`over a socket, for encryption and decryption${reason}`, async () => {
      await serve(server.path ?? "", ["--network", "unix", "--address", join(box.dir, "s.sock")], socketExists);
      const only = ["--enable-local-keyservice=false", "--keyservice", `unix://${box.dir}/s.sock`];
      const encrypted = await box.start([client.path ?? "", "encrypt", ...only, "--age", RECIPIENT, "a.yaml"]);
      expect(encrypted).toMatchObject({ status: 0 });
      box.write("e.yaml", encrypted.stdout);
      expect(await box.start([client.path ?? "", "decrypt", ...only, "e.yaml"])).toMatchObject({
        status: 0,
        stdout: PLAIN,
      });
    });

    it.skipIf(isMissing)(`over TCP${reason}`, async () => {
      const port = await freePort();
      await serve(server.path ?? "", ["--address", `127.0.0.1:${String(port)}`], () => answers(port));
      const encrypted = await box.run("encrypt", "--age", RECIPIENT, "a.yaml");
      box.write("e.yaml", encrypted.stdout);
      const service = `tcp://127.0.0.1:${String(port)}`;
      expect(await box.start([client.path ?? "", "decrypt", "--keyservice", service, "e.yaml"])).toMatchObject({
        status: 0,
        stdout: PLAIN,
      });
    });
  },
);

describe("keyservice", () => {
  const unix = (): string[] => ["--network", "unix", "--address", "s.sock"];

  it.each(["SIGTERM", "SIGINT"] as const)("ends with status 0 on %s and removes its socket", async (signal) => {
    const child = await serve(LEAFCRYPT, unix(), socketExists);
    expect(statSync(join(box.dir, "s.sock")).mode & 0o777).toBe(0o600);
    child.kill(signal);
    expect(await ended(child)).toBe(0);
    expect(await socketExists()).toBe(false);
  });

  it("starts again where a killed one has left its socket", async () => {
    const first = await serve(LEAFCRYPT, unix(), socketExists);
    first.kill("SIGKILL");
    await ended(first);
    expect(await socketExists()).toBe(true);
    const second = await serve(LEAFCRYPT, unix(), socketExists);
    const encrypted = await box.run("encrypt", "--age", RECIPIENT, "a.yaml");
    box.write("e.yaml", encrypted.stdout);
    for (let attempt = 0; ; attempt++) {
      const result = await box.run("decrypt", "--keyservice", `unix://${box.dir}/s.sock`, "e.yaml");
      if (result.status === 0 || attempt === 20) {
        expect(result).toMatchObject({ status: 0, stdout: PLAIN });
        break;
      }
    }
    second.kill("SIGTERM");
  });

  it("asks with --prompt, and a no reaches the client", async () => {
    const encrypted = await box.run("encrypt", "--age", RECIPIENT, "a.yaml");
    box.write("e.yaml", encrypted.stdout);
    const child = await serve(LEAFCRYPT, [...unix(), "--prompt"], socketExists, "n\n");
    let asked = "";
    child.stdout?.on("data", (chunk: Buffer) => (asked += chunk.toString()));
    const result = await box.run("decrypt", "--keyservice", `unix://${box.dir}/s.sock`, "e.yaml");
    expect(result).toMatchObject({ status: 128, stdout: "" });
    expect(result.stderr.replaceAll(/\s+\|?\s*/g, " ")).toContain(
      "rpc error: code = PermissionDenied desc = Request rejected by user",
    );
    expect(asked).toBe(
      `\nReceived decrypt request using age key with recipient ${RECIPIENT}. Respond to request? (y/n): `,
    );
  });

  it("says why it cannot listen", async () => {
    const result = await box.run("keyservice", "--network", "unix", "--address", "no/such/s.sock");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain(
      "Error running keyservice: listen unix no/such/s.sock: bind: no such file or directory",
    );
  });
});
