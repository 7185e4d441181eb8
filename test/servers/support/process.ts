import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { listenOnLoopback } from "../../support/loopback.ts";

/** A server of ours, running. */
export interface Running {
  readonly port: number;
  /** Ends it as a crash does. */
  kill(): void;
  /** Ends it and waits. */
  stop(): Promise<void>;
}

/** How a server is started. */
export interface Spawn {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it answers. Asked every 50 ms for at most 20 s. */
  readonly isReady: () => Promise<boolean>;
}

/** A loopback port nobody listens on, with the next one free as well, which bao takes besides. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if ((await listenOnce(port + 1).catch(() => 0)) !== 0) return port;
  }
}

async function listenOnce(port: number): Promise<number> {
  const server = createServer();
  const taken = await listenOnLoopback(server, port);
  server.close();
  await once(server, "close");
  return taken;
}

/** Starts a server in a process group of its own, with nothing of our environment but PATH, and waits until it answers. */
export async function start({ command, args, folder, port, env, isReady }: Spawn): Promise<Running> {
  const child = spawn(command, args, {
    cwd: folder,
    detached: true,
    env: { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-2000);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const end = Date.now() + 20_000;
  while (!(await isReady().catch(() => false))) {
    if (child.exitCode !== null || Date.now() > end) {
      signalGroup(child, "SIGKILL");
      throw new Error(`${command} did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    kill: () => {
      signalGroup(child, "SIGKILL");
    },
    stop: () => stopChild(child),
  };
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  signalGroup(child, "SIGTERM");
  const force = setTimeout(() => {
    signalGroup(child, "SIGKILL");
  }, 3000);
  await ended;
  clearTimeout(force);
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended.
  }
}
