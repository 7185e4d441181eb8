// The results as Markdown.

/** A table for the terminal and the README, and the page around it. */
export function report({ machine, contestants, timings, memory, growth, isQuick }) {
  const names = Object.keys(contestants).filter((name) => name !== "bare");
  const table = [
    ...tableOf(
      ["", ...names.map((name) => contestants[name].label), ...ratioHeads(contestants)],
      [
        ...timings.map(({ name, times }) => rowOf(name, times, names, contestants, milliseconds)),
        ...memory.map(({ name, peaks }) => rowOf(`peak memory, ${name}`, peaks, names, contestants, mebibytes)),
      ],
    ),
  ].join("\n");
  const growthTable = tableOf(
    ["from → to", ...names.map((name) => contestants[name].label)],
    growth.map(({ from, to, quotients }) => [
      `${from.toLocaleString("en")} → ${to.toLocaleString("en")}`,
      ...names.map((name) => (quotients[name] ?? NaN).toFixed(2)),
    ]),
  ).join("\n");
  return {
    table: `${table}\n\n${growthTable}`,
    markdown: page(machine, table, growthTable, timings, isQuick),
    summary: summaryOf(timings, contestants),
  };
}

/** The README's table: shares of what the reference takes. Undefined where it, or the executable, was not there. */
function summaryOf(timings, contestants) {
  if (!("sops" in contestants) || !("standalone" in contestants)) return undefined;
  const share = (values, name) => (values[name].median / values.sops.median).toFixed(2);
  return tableOf(
    ["", "standalone executable", "Node"],
    timings.map(({ name, times }) => [name, share(times, "standalone"), share(times, "node")]),
  ).join("\n");
}

function ratioHeads(contestants) {
  if (!("sops" in contestants)) return ["Node ÷ bare Node"];
  return [...("standalone" in contestants ? ["standalone ÷ sops"] : []), "Node ÷ sops"];
}

function rowOf(name, values, names, contestants, unit) {
  const ratio = (a, b) => (a === undefined || b === undefined ? "" : (a.median / b.median).toFixed(2));
  const base = "sops" in contestants ? values.sops : values.bare;
  const ratios = ratioHeads(contestants).map((head) =>
    ratio(head.startsWith("standalone") ? values.standalone : values.node, base),
  );
  return [name, ...names.map((key) => unit(values[key])), ...ratios];
}

function milliseconds({ median, low, high }) {
  const digits = median < 100 ? 1 : 0;
  return `${median.toFixed(digits)} ms (${low.toFixed(digits)}–${high.toFixed(digits)})`;
}

function mebibytes({ median }) {
  return Number.isNaN(median) ? "" : `${median.toFixed(0)} MiB`;
}

/** Columns are as wide as their widest cell, as Prettier lays them out. */
function tableOf(head, rows) {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((cells) => cells[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}

const NOTES = `## What bounds it

- **Node starts in the time sops needs for a whole small file.** Of what leafcrypt adds, about a quarter is V8 compiling its
  code, whether that runs or not (1 ms for 35 kB), and a tenth the modules of \`node:crypto\`. So the start path is one file,
  and what it seldom needs is compiled on first use (\`scripts/lazy-chunks.mjs\`); \`node:tty\`, 1 ms or more, is asked only when
  something is to be said on standard error. A test freezes the list of what is loaded.
- **The executable starts in 3 ms** with nothing in it, and in 4.5 with the modules of \`node:crypto\`: a third of what sops takes for a
  whole small file. Its own code takes 2 ms to load and 4 to run once, cold: a value costs 10 µs then, and 4.5 once it is compiled.
- **A cipher of \`node:crypto\` costs 2.6 µs a value on Node**, and 1.4 µs in the standalone executable, base64 included, most of
  it making the object. That has to be paid for every value, so 100,000 values take Node 0.26 s at least, of the 0.65 s that
  decrypting them takes on a quiet machine; no one call of it takes more than one value.
- **Encrypting reads its result back** and compares it value by value, and writes the plain text once more to tell what would
  come back in another notation. That is a third of its time, and what it is for. \`--layout reference\` leaves the second out.
- **Memory** is the text, as bytes and as a string, and a tree for each of the two sides: by the sizes of its objects about 300 bytes a value.
  JavaScriptCore, in the standalone executable, lets more garbage gather before it collects than V8 does.

## What it was made faster by

- One object for the place of a value instead of two copies, edits sorted only where they are out of order, bytes for the
  MAC taken from the cell: decrypting 100,000 values on Node from 1.14 s and 252 MiB to 0.74 s and 193 MiB, encrypting them
  from 1.74 s and 441 MiB to 1.23 s and 286 MiB.
- The executable made of the same chunks as the program on Node, of which most are never decoded (10 % of its start); its bytecode
  in the order in which a decryption runs it (7 %); and compilers that wait ten times longer (15 %).
- One search for unusual characters instead of a loop, which takes ten times as long until it is compiled: 2.5 ms of 1,000 values.
- Base64 decoded into memory that is used again, or by the cipher: 25 ms of 100,000 values.
- A text put together by appending instead of joining a list of 200,000 pieces: 18 ms instead of 37.
- X25519 shares imported as JWK instead of DER: 29 µs instead of 92 for each file.
- The executable copied into its place, written from start to end: 12.6 ms instead of 14.5 for 20 values, as its pages are
  cached in longer runs than those of the file that Bun pieces together.
- Settings looked for once a folder instead of for each file, which had taken 125 ms of 1,000 files.
`;

function page(machine, table, growthTable, timings) {
  const bare = timings.find(({ size }) => size === 20)?.times.bare;
  return `# Performance

Made by \`npm run bench\`; run it on your machine. Whole processes, interleaved, with what they print thrown away:
median, and in brackets the quarters around it.

${machine}. An empty program takes Node ${bare === undefined ? "" : `${bare.median.toFixed(1)} ms`} there, which is part of every figure of
leafcrypt on Node.

${table}

![time against the number of values](performance.svg)

## Growth

How many times longer twice the values take to decrypt.

${growthTable}

${NOTES}`;
}
