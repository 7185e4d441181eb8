import { spawn } from "node:child_process";
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../", import.meta.url));

/** The folder with everything the tests start from; read-only. */
export const fixtures: string = join(repository, "fixtures");

/** How a run of the program ended. */
export interface RunResult {
  /** null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
  /** Whether it had to be ended because it took too long. */
  readonly isTimedOut: boolean;
}

/** What a run gets beside its arguments. */
export interface RunOptions {
  /** Added to the sandbox's environment; undefined removes. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input; empty by default. */
  readonly input?: string | Uint8Array;
  /** Relative to the sandbox's folder. */
  readonly cwd?: string;
  /** Milliseconds, 20 s by default. */
  readonly timeout?: number;
  /** Ends the run with a signal as soon as a file exists (relative to the folder). */
  readonly signal?: { readonly name: NodeJS.Signals; readonly whenExists: string };
}

/** A fresh folder with an empty home, an empty environment, and the program on its PATH. */
export interface Sandbox {
  /** The working folder. */
  readonly dir: string;
  readonly home: string;
  readonly tmp: string;
  readonly env: Readonly<Record<string, string>>;
  /** Runs the program under its own name. */
  run(...args: readonly string[]): Promise<RunResult>;
  /** Runs the program under the reference's name. */
  sops(...args: readonly string[]): Promise<RunResult>;
  /** Runs any command of the PATH, `leafcrypt` and `sops` among them. */
  start(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  write(path: string, content: string | Uint8Array, mode?: number): void;
  read(path: string): string;
  exists(path: string): boolean;
  remove(): void;
}

/** Makes a sandbox with some files in it. */
export function sandbox(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  env: Readonly<Record<string, string>> = {},
): Sandbox {
  const root = mkdtempSync(join(tmpdir(), "lc-"));
  const [dir, home, tmp] = ["dir", "home", "tmp"].map((name) => join(root, name)) as [string, string, string];
  for (const folder of [dir, home, tmp]) mkdirSync(folder);
  const baseEnv = { PATH: [programFolder(), "/usr/bin", "/bin"].join(delimiter), HOME: home, TMPDIR: tmp, ...env };
  const box: Sandbox = {
    dir,
    home,
    tmp,
    env: baseEnv,
    run: (...args) => box.start(["leafcrypt", ...args]),
    sops: (...args) => box.start(["sops", ...args]),
    start: (argv, options = {}) => start(argv, dir, baseEnv, options),
    write(path, content, mode) {
      const full = resolve(dir, path);
      mkdirSync(dirname(full), { recursive: true });
      // Of a key that others can read the program warns.
      const isKey = /AGE-SECRET-KEY-|PRIVATE KEY-----/.test(Buffer.from(content).toString("latin1"));
      writeFileSync(full, content, isKey ? { mode: 0o600 } : {});
      if (mode !== undefined) chmodSync(full, mode);
    },
    read: (path) => readFileSync(resolve(dir, path), "utf8"),
    exists: (path) => existsSync(resolve(dir, path)),
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
  for (const [path, content] of Object.entries(files)) box.write(path, content);
  return box;
}

/** A file of the fixtures, as bytes. */
export function fixture(path: string): Buffer {
  return readFileSync(join(fixtures, path));
}

let madeProgramFolder: string | undefined;

/**
 * A folder with the program under both of its names: the standalone executable that LEAFCRYPT_BIN names, or
 * `bin/leafcrypt.cjs` with the Node that runs the tests.
 */
export function programFolder(): string {
  if (madeProgramFolder !== undefined) return madeProgramFolder;
  const folder = mkdtempSync(join(tmpdir(), "lc-bin-"));
  const program = resolve(process.env["LEAFCRYPT_BIN"] ?? join(repository, "bin/leafcrypt.cjs"));
  if (!existsSync(program)) throw new Error("the program is not built");
  for (const name of ["leafcrypt", "sops"]) symlinkSync(program, join(folder, name));
  if (program.endsWith(".cjs")) symlinkSync(process.execPath, join(folder, "node"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  madeProgramFolder = folder;
  return folder;
}

function start(
  argv: readonly string[],
  dir: string,
  baseEnv: Readonly<Record<string, string>>,
  options: RunOptions,
): Promise<RunResult> {
  const [command = "", ...args] = argv;
  const [program, ...prefix] = resolveProgram(command);
  const env = Object.fromEntries(
    Object.entries({ ...baseEnv, ...options.env }).filter(([, value]) => value !== undefined),
  );
  return new Promise((done, fail) => {
    const cwd = resolve(dir, options.cwd ?? "");
    const stdin = openInput(dir, options.input);
    // A process group of its own, so that what it leaves behind can be ended with it.
    const child = spawn(program, [...prefix, ...args], { cwd, env, stdio: [stdin, "pipe", "pipe"], detached: true });
    closeSync(stdin);
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let isTimedOut = false;
    const deadline = setTimeout(() => {
      isTimedOut = true;
      endGroup(child.pid);
    }, options.timeout ?? 20_000);
    const stopWaiting = signalWhenReady(child.pid, dir, options.signal);
    child.stdout?.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr?.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", fail);
    child.on("close", (status, signal) => {
      clearTimeout(deadline);
      stopWaiting();
      const stdoutBytes = Buffer.concat(out);
      const stderr = Buffer.concat(err).toString();
      done({ status, signal, stdout: stdoutBytes.toString(), stdoutBytes, stderr, isTimedOut });
    });
  });
}

/** The words that start the program by its path, with the Node of the tests: a test may leave nothing on the PATH. */
export function programWords(name: "leafcrypt" | "sops" = "leafcrypt"): readonly [string, ...string[]] {
  const path = join(programFolder(), name);
  return existsSync(join(programFolder(), "node")) ? [process.execPath, path] : [path];
}

function resolveProgram(command: string): readonly [string, ...string[]] {
  return command === "leafcrypt" || command === "sops" ? programWords(command) : [command];
}

/** Standard input from a file: Node's pipes are sockets, which `/dev/stdin` cannot open. */
function openInput(dir: string, input: string | Uint8Array = ""): number {
  const path = join(dirname(dir), "stdin");
  writeFileSync(path, input);
  return openSync(path, "r");
}

function signalWhenReady(pid: number | undefined, dir: string, signal: RunOptions["signal"]): () => void {
  if (signal === undefined || pid === undefined) return () => undefined;
  const poll = setInterval(() => {
    if (!existsSync(join(dir, signal.whenExists))) return;
    clearInterval(poll);
    process.kill(pid, signal.name);
  }, 20);
  return () => {
    clearInterval(poll);
  };
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
