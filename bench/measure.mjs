// Whole processes, one after the other: wall time, and the peak of their memory.
import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Milliseconds from the start of a program to its end; what it prints goes nowhere. Throws if it fails. */
export function timeOf({ program, args, env, cwd }) {
  const started = process.hrtime.bigint();
  const { status, stderr } = spawnSync(program, args, { env, cwd, stdio: ["ignore", "ignore", "pipe"] });
  const milliseconds = Number(process.hrtime.bigint() - started) / 1e6;
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${String(status)}: ${String(stderr)}`);
  return milliseconds;
}

/** The largest resident set of a program in MiB, looked up every 2 ms while it runs; undefined where there is no /proc. */
export function peakMemoryOf({ program, args, env, cwd }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, cwd, stdio: "ignore" });
    let peak;
    const look = setInterval(() => {
      peak = highWaterMark(child.pid) ?? peak;
    }, 2);
    child.once("error", reject);
    child.once("close", () => {
      clearInterval(look);
      resolve(peak);
    });
  });
}

function highWaterMark(pid) {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

/** The middle of some numbers, and the quarters around it. */
export function summarise(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}
