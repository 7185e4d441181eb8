import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A command that writes a file, to be stopped at each of its system calls. */
export interface Sweep {
  /** What the command starts from; it runs in a copy, whose path takes the place of `{}` in its words. */
  readonly folder: string;
  /** The name of the file in it that is written; other files the command may not leave behind. */
  readonly file: string;
  readonly command: readonly string[];
  /** `{}` stands for the copy here, too. */
  readonly env?: NodeJS.ProcessEnv;
  /** Whether the file holds new content, for commands that never write the same twice; looks at the copy. */
  readonly accept?: (copy: string) => boolean;
  /** What no file that the command leaves may hold, unless it is the file that is written. */
  readonly secret?: string;
  /** Whether a failure may come after the new content is in place: `edit` has its folder of plaintext still to remove. */
  readonly failsLate?: boolean;
  /** Disturbs only every n-th call, beginning with a random one of the first n. */
  readonly every?: number;
  /** Errno names with which the calls fail in further runs; without any, the command is only killed. */
  readonly errors?: readonly string[];
}

/** What a sweep found. */
export interface SweepResult {
  /** How many runs were disturbed. */
  readonly runs: number;
  /** One line for each run after which the file was neither old nor new, or something was left behind. */
  readonly failures: readonly string[];
}

/** Whether sweeps are possible here: they need Linux and strace. */
export const canSweep: boolean =
  process.platform === "linux" && spawnSync("strace", ["-V"], { stdio: "ignore" }).status === 0;

/**
 * Proves that a command keeps the old or the new content of a file, whole, whatever ends it.
 *
 * The command runs once under strace to learn its system calls. Then, for each of them from the first that names the
 * file on, it runs again on a fresh copy of the folder and is killed at that call, or sees it fail.
 */
export function killSweep(sweep: Sweep): SweepResult {
  const undisturbed = runTraced(sweep, ["-e", `trace=${CALLS.join(",")}`], (run) => {
    if (run.status !== 0) throw new Error(`the undisturbed command ended with ${String(run.status)}`);
    return { steps: stepsOf(run.trace, sweep.file), content: readFileSync(join(run.copy, sweep.file)) };
  });
  const disturbances = ["signal=KILL", ...(sweep.errors ?? []).map((error) => `error=${error}`)];
  const failures = disturbances.flatMap((disturbance) =>
    sampleOf(undisturbed.steps, sweep.every).flatMap(({ call, count }) => {
      const inject = ["-e", `trace=${call}`, "-e", `inject=${call}:${disturbance}:when=${String(count)}`];
      const fault = runTraced(sweep, inject, (run) => faultIn(run, sweep, undisturbed.content));
      return fault === null ? [] : [`${disturbance} at ${call} number ${String(count)}: ${fault}`];
    }),
  );
  return { runs: disturbances.length * Math.ceil(undisturbed.steps.length / (sweep.every ?? 1)), failures };
}

function sampleOf<T>(steps: readonly T[], every = 1): readonly T[] {
  const first = Math.floor(Math.random() * every);
  return steps.filter((_, index) => index % every === first);
}

const CALLS = (
  "openat,write,pwrite64,fsync,fdatasync,fchmod,fchown,ftruncate,rename,renameat,renameat2,link,linkat,unlink," +
  "unlinkat,mkdir,close"
).split(",");

interface Run {
  /** The folder after the run. */
  readonly copy: string;
  /** Exit status; null if the command was ended by a signal. */
  readonly status: number | null;
  readonly trace: string;
}

/** Runs the command under strace in a fresh copy of the folder, and lets `look` see what became of it. */
function runTraced<T>(sweep: Sweep, straceOptions: readonly string[], look: (run: Run) => T): T {
  const parent = mkdtempSync(join(tmpdir(), "leafcrypt-sweep-"));
  const copy = join(parent, "copy");
  try {
    cpSync(sweep.folder, copy, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
    const words = sweep.command.map((word) => word.replaceAll("{}", copy));
    const trace = join(parent, "trace");
    const { status } = spawnSync("strace", ["-qq", "-I2", "-o", trace, ...straceOptions, "--", ...words], {
      cwd: copy,
      env: environmentIn(copy, sweep.env ?? process.env),
      stdio: "ignore",
      // Node waits without end where its own message about the end of a child could not be written.
      timeout: 15_000,
    });
    return look({ copy, status, trace: readFileSync(trace, "latin1") });
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function environmentIn(copy: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value?.replaceAll("{}", copy)]));
}

/** The calls to disturb, each with how many of its name were made up to it. */
function stepsOf(trace: string, file: string): { readonly call: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  const steps: { call: string; count: number }[] = [];
  for (const line of trace.split("\n")) {
    const call = /^[a-z0-9]+/.exec(line)?.[0];
    if (call === undefined || !CALLS.includes(call)) continue;
    const count = (counts.get(call) ?? 0) + 1;
    counts.set(call, count);
    if (steps.length > 0 || line.includes(file)) steps.push({ call, count });
  }
  if (steps.length === 0) throw new Error(`the command makes no call that names ${file}`);
  return steps;
}

/** Where `edit` keeps, encrypted, what it could not save. */
const KEPT_EDIT = ".leafcrypt-edit";

/** What is wrong after a disturbed run; null if nothing is. */
function faultIn({ copy, status }: Run, sweep: Sweep, fresh: Buffer): string | null {
  const old = contentOf(join(sweep.folder, sweep.file));
  const content = contentOf(join(copy, sweep.file));
  const isOld = old === null || content === null ? old === content : content.equals(old);
  const isNew = (): boolean => sweep.accept?.(copy) ?? content?.equals(fresh) ?? false;
  // Not only by us: Node aborts when its own messages between threads cannot be written.
  const killed = status === null;
  const mayBeNew = killed || sweep.failsLate === true;
  if (status === 0 ? !isNew() : !isOld && !(mayBeNew && isNew())) return "the file is neither old nor new";
  const known = new Set([...readdirSync(sweep.folder), sweep.file]);
  // A lock that could not be removed is void once its process is gone.
  const left = readdirSync(copy).filter((name) => !known.has(name) && !name.endsWith("-lock"));
  const forgotten = left.filter((name) => !name.endsWith(KEPT_EDIT));
  if (!killed && forgotten.length > 0) return `left behind: ${forgotten.join(", ")}`;
  const telling = left.find((name) => holds(join(copy, name), sweep.secret));
  if (telling !== undefined) return `left in clear: ${telling}`;
  // Whatever is in clear was found above; what is encrypted anybody may read.
  if (sweep.secret !== undefined) return null;
  const open = left.find((name) => (statSync(join(copy, name)).mode & 0o077) !== 0 && isPartial(copy, name, fresh));
  return open === undefined ? null : `readable to others: ${open}`;
}

function holds(path: string, secret: string | undefined): boolean {
  return secret !== undefined && statSync(path).isFile() && readFileSync(path).includes(secret);
}

function contentOf(path: string): Buffer | null {
  return existsSync(path) ? readFileSync(path) : null;
}

/** A temporary file gets the mode of its target only when it is whole; locks hold no content at all. */
function isPartial(copy: string, name: string, fresh: Buffer): boolean {
  return name.endsWith("-tmp") && readFileSync(join(copy, name)).length < fresh.length;
}
