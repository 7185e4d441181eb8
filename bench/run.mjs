// npm run bench [-- --quick]: measures whole processes, interleaved, and writes docs/performance.md with a plot.
//
// `sops` is compared with when it is on PATH, the standalone executable when it was built (npm run build:standalone).
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { placeTestKey } from "../scripts/test-key.mjs";
import { peakMemoryOf, summarise, timeOf } from "./measure.mjs";
import { plot } from "./plot.mjs";
import { programs } from "./programs.mjs";
import { report } from "./report.mjs";
import { DECRYPTIONS, GROWTH, MANY_FILES, manyFile, workloads, writeInputs } from "./workloads.mjs";

const isQuick = process.argv.includes("--quick");
const repository = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "leafcrypt-bench-"));
const key = placeTestKey(folder);
// Nothing of the user's environment: a variable such as NODE_EXTRA_CA_CERTS costs Node 20 ms by itself.
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  SOPS_AGE_KEY_FILE: key.file,
};
const contestants = programs(folder);

try {
  const largest = Math.max(...GROWTH.flat());
  const sizes = [...new Set([...DECRYPTIONS, ...GROWTH.flat()])].filter((size) => !isQuick || size < largest);
  writeInputs(folder, key.recipient, sizes, (args) => timeOf(invocation("nodeReference", args)));
  const timings = workloads(key.recipient).map(timeWorkload);
  const results = {
    machine: `${cpus()[0]?.model ?? "unknown processor"}, ${String(cpus().length)} cores, ${process.platform}, Node ${process.version}`,
    contestants,
    timings: [...timings, timeManyFiles()],
    memory: await measureMemory(),
    growth: GROWTH.filter(([, to]) => sizes.includes(to)).map(measureGrowth),
    isQuick,
  };
  const { markdown, table, summary } = report(results);
  process.stdout.write(`${table}\n`);
  if (!isQuick) {
    writeFileSync(join(repository, "docs/performance.md"), markdown);
    if (summary !== undefined) writeSummary(summary);
    writeFileSync(join(repository, "docs/performance.svg"), plot(timings, contestants));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The README's table stands between two marks. */
function writeSummary(summary) {
  const path = join(repository, "README.md");
  const text = readFileSync(path, "utf8");
  const written = text.replace(
    /(<!-- bench -->\n\n)[^]*(\n\n<!-- \/bench -->)/,
    (_all, start, end) => start + summary + end,
  );
  writeFileSync(path, written);
}

function invocation(name, args) {
  const { program, prefix, isReference } = contestants[name];
  const [command, ...rest] = args;
  const layout = isReference === true ? ["--layout", "reference"] : [];
  return { program, args: [...prefix, command, ...layout, ...rest], env, cwd: folder };
}

/** One program after the other in every round, so that what else the machine does hits all of them. */
function timeWorkload({ name, size, rounds, copies, args }) {
  process.stderr.write(`${name}\n`);
  const times = Object.fromEntries(Object.keys(contestants).map((contestant) => [contestant, []]));
  for (let round = 0; round < (isQuick ? Math.ceil(rounds / 3) : rounds); round += 1) {
    for (const contestant of Object.keys(contestants)) {
      const copy = `copy-for-${contestant}.yaml`;
      if (copies !== undefined && round === 0) copyFileSync(join(folder, copies), join(folder, copy));
      times[contestant].push(timeOf(invocation(contestant, args(round, copy))));
    }
  }
  return { name, size, times: summaries(times) };
}

/** All files in one call, against a process of the reference for each (of which a tenth is timed in quick mode). */
function timeManyFiles() {
  const files = Array.from({ length: MANY_FILES }, (_, index) => manyFile(index));
  const times = Object.fromEntries(Object.keys(contestants).map((contestant) => [contestant, []]));
  const single = files.slice(0, isQuick ? MANY_FILES / 10 : MANY_FILES);
  process.stderr.write(`${String(MANY_FILES)} files\n`);
  for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
    for (const contestant of Object.keys(contestants).filter((key) => key !== "sops" && key !== "bare")) {
      times[contestant].push(timeOf(invocation(contestant, ["decrypt", ...files])));
    }
  }
  for (const contestant of ["sops", "bare"].filter((key) => key in contestants)) {
    const total = single.reduce((sum, file) => sum + timeOf(invocation(contestant, ["decrypt", file])), 0);
    times[contestant].push((total * MANY_FILES) / single.length);
  }
  return { name: `${MANY_FILES.toLocaleString("en")} files of 20 values, in one call`, times: summaries(times) };
}

function summaries(times) {
  return Object.fromEntries(Object.entries(times).map(([contestant, numbers]) => [contestant, summarise(numbers)]));
}

async function measureMemory() {
  process.stderr.write("memory\n");
  const work = {
    decrypt: ["decrypt", "100000.yaml"],
    encrypt: ["encrypt", "--age", key.recipient, "plain-100000.yaml"],
  };
  const rows = [];
  for (const [name, args] of Object.entries(work)) {
    const peaks = {};
    for (const contestant of Object.keys(contestants)) {
      const numbers = [];
      for (let round = 0; round < 3; round += 1)
        numbers.push((await peakMemoryOf(invocation(contestant, args))) ?? NaN);
      peaks[contestant] = summarise(numbers);
    }
    rows.push({ name: `${name} 100,000 values`, peaks });
  }
  return rows;
}

/** The quotient of the medians of two sizes. */
function measureGrowth([from, to]) {
  process.stderr.write(`growth from ${String(from)} to ${String(to)}\n`);
  const median = (contestant, size) =>
    summarise(Array.from({ length: 5 }, () => timeOf(invocation(contestant, ["decrypt", `${String(size)}.yaml`]))))
      .median;
  const names = Object.keys(contestants).filter((contestant) => contestant !== "bare");
  return {
    from,
    to,
    quotients: Object.fromEntries(names.map((name) => [name, median(name, to) / median(name, from)])),
  };
}
