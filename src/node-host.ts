import { randomBytes, randomFillSync } from "node:crypto";
import { accessSync, constants, closeSync, openSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type * as Readline from "node:readline";
import { SopsError } from "./errors.ts";
import type { Host, ProcessOptions, ProcessResult } from "./host.ts";
import { readIfPresent } from "./storage/read.ts";

/** How warnings reach the user. */
export type Warn = (message: string, fields?: Readonly<Record<string, string>>) => void;

/** The real outside: this process's environment, clock, files and children. */
export function nodeHost(env: Readonly<Record<string, string | undefined>>, warn: Warn, inform?: Warn): Host {
  return {
    env,
    platform: process.platform,
    now: () => new Date(),
    randomBytes: pooledRandomness(),
    readFile: (path) => readIfPresent(path),
    run: (command, args, options = {}) => runProgram(command, args, options, env),
    askPassphrase: (prompt) => askOnTerminal(prompt),
    warn,
    ...(inform === undefined ? {} : { inform }),
  };
}

/** Whether every user can read a file. Windows has no such modes, and a pipe is what somebody made for this run. */
export function isReadableByAll(path: string): boolean {
  const status = process.platform === "win32" ? undefined : statSync(path, { throwIfNoEntry: false });
  return status?.isFile() === true && (status.mode & constants.S_IROTH) !== 0;
}

const POOL_SIZE = 8192;

/**
 * Draws from the system's generator in larger portions: 32 bytes at a time cost four times as much, and a file of
 * 100,000 values draws as many IVs. What was handed out is overwritten in the pool.
 */
function pooledRandomness(): Host["randomBytes"] {
  const pool = Buffer.alloc(POOL_SIZE);
  let used = POOL_SIZE;
  return (size) => {
    if (size > POOL_SIZE) return randomBytes(size);
    if (used + size > POOL_SIZE) {
      randomFillSync(pool);
      used = 0;
    }
    const drawn = Buffer.alloc(size);
    pool.copy(drawn, 0, used, used + size);
    pool.fill(0, used, used + size);
    used += size;
    return drawn;
  };
}

const DEFAULT_MAX_OUTPUT = 1024 * 1024;

async function runProgram(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
  env: Host["env"],
): Promise<ProcessResult> {
  const path = resolveProgram(command, env);
  const { spawn } = await import("node:child_process");
  const maxOutput = options.maxOutput ?? DEFAULT_MAX_OUTPUT;
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, {
      env: { ...(options.env ?? env) },
      stdio: ["pipe", "pipe", options.inheritStderr === true ? "inherit" : "pipe"],
      windowsHide: true,
      ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: "SIGKILL" as const }),
    });
    const chunks: Buffer[] = [];
    const messages: Buffer[] = [];
    let size = 0;
    child.stdout?.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxOutput) child.kill("SIGKILL");
      else chunks.push(chunk);
    });
    child.stderr?.on("data", (chunk: Buffer) => messages.push(chunk));
    child.on("error", () => {
      reject(new SopsError("ERR_PROCESS", `${command} could not be started`));
    });
    child.on("close", (code, signal) => {
      if (size > maxOutput)
        reject(new SopsError("ERR_PROCESS", `${command} wrote more than ${String(maxOutput)} bytes`));
      else
        resolve({
          status: code ?? signalStatus(signal),
          stdout: Buffer.concat(chunks),
          stderr: Buffer.concat(messages).toString("utf8"),
        });
    });
    child.stdin?.on("error", () => undefined); // a child that does not read its input closes it
    child.stdin?.end(options.input ?? "");
  });
}

const SIGNAL_NUMBERS: Readonly<Partial<Record<NodeJS.Signals, number>>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGTERM: 15,
};

function signalStatus(signal: NodeJS.Signals | null): number {
  return 128 + (signal === null ? 0 : (SIGNAL_NUMBERS[signal] ?? 0));
}

/**
 * Finds a program on PATH, never in the working directory, so that a repository cannot bring its own (safety.md 1.3).
 *
 * @throws {SopsError} ERR_PROCESS if there is none
 */
export function resolveProgram(command: string, env: Host["env"]): string {
  if (isAbsolute(command)) return command;
  if (command.includes("/") || command.includes("\\")) return join(process.cwd(), command);
  const endings = process.platform === "win32" ? (env["PATHEXT"] ?? ".EXE;.CMD;.BAT;.COM").split(";") : [""];
  for (const folder of (env["PATH"] ?? "").split(delimiter)) {
    if (folder === "" || !isAbsolute(folder)) continue;
    for (const ending of endings) {
      const candidate = join(folder, command + ending);
      if (isExecutable(candidate)) return candidate;
    }
  }
  throw new SopsError("ERR_PROCESS", `${command}: executable file not found in $PATH`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Asks on the controlling terminal, as standard input may be the file. */
async function askOnTerminal(prompt: string): Promise<string> {
  const [{ ReadStream, WriteStream }, readline] = await Promise.all([import("node:tty"), import("node:readline")]);
  let fd: number;
  try {
    fd = openSync(process.platform === "win32" ? "\\\\.\\CON" : "/dev/tty", "r+");
  } catch {
    throw new SopsError("ERR_PROCESS", "standard input is not a terminal, and /dev/tty is not available");
  }
  const input = new ReadStream(fd);
  const output = new WriteStream(fd);
  try {
    output.write(prompt);
    input.setRawMode(true);
    return await readSecretLine(input, readline);
  } finally {
    input.setRawMode(false);
    output.write("\n");
    input.destroy();
    closeQuietly(fd);
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // The stream has closed it.
  }
}

function readSecretLine(input: NodeJS.ReadableStream, readline: typeof Readline): Promise<string> {
  readline.emitKeypressEvents(input);
  return new Promise((resolve, reject) => {
    let line = "";
    const onKey = (text: string | undefined, key: { name?: string; ctrl?: boolean }): void => {
      const isEnd = key.name === "return" || key.name === "enter" || (key.ctrl === true && key.name === "d");
      const isCancel = key.ctrl === true && key.name === "c";
      if (isEnd || isCancel) {
        input.off("keypress", onKey);
        if (isCancel) reject(new SopsError("ERR_CANCELLED", "User canceled operation"));
        else resolve(line);
      } else if (key.name === "backspace") {
        line = Array.from(line).slice(0, -1).join("");
      } else if (text !== undefined && key.ctrl !== true) {
        line += text;
      }
    };
    input.on("keypress", onKey);
  });
}
