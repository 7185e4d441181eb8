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
  return { table: `${table}\n\n${growthTable}`, markdown: page(machine, table, growthTable, timings, isQuick) };
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

function tableOf(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

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
`;
}
