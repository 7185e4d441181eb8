// Writes the table of docs/mutation.md from the report of the last `npm run mutate`, and lists what survived on request.
import { readFileSync, writeFileSync } from "node:fs";

const REPORT = "reports/mutation/mutation.json";
const PAGE = "docs/mutation.md";

/** What is mutated, part by part: the files as the page names them, and as they are found. */
const PARTS = {
  cell: [
    "`src/document/{cell,cell-memory,long-cell}.ts`, `src/bytes/{aes-gcm,base64}.ts`",
    /^src\/(document\/(cell|cell-memory|long-cell)|bytes\/(aes-gcm|base64))\.ts$/,
  ],
  walk: ["`src/document/walk.ts`", /^src\/document\/walk\.ts$/],
  seal: ["`src/document/{seal,integrity}.ts`", /^src\/document\/(seal|integrity)\.ts$/],
  Shamir: ["`src/bytes/shamir.ts`", /^src\/bytes\/shamir\.ts$/],
  rules: ["`src/config/rules.ts`, `src/document/selection.ts`", /^src\/(config\/rules|document\/selection)\.ts$/],
  storage: ["`src/storage/*.ts`", /^src\/storage\//],
};

const files = Object.entries(JSON.parse(readFileSync(REPORT, "utf8")).files).map(([path, file]) => ({ path, ...file }));

if (process.argv.includes("--survivors")) printSurvivors();
else writeFileSync(PAGE, withTable(readFileSync(PAGE, "utf8")));

function withTable(page) {
  const rows = Object.entries(PARTS).map(([part, [names, pattern]]) => {
    return `| ${part} | ${names} | ${figures(files.filter(({ path }) => pattern.test(path)))} |`;
  });
  const head = ["| part | files | mutants | killed | survived | killed, % |", "| --- | --- | --- | --- | --- | --- |"];
  const table = [...head, ...rows, `| all | | ${figures(files)} |`].join("\n");
  return page.replace(/(<!-- mutation -->\n)[^]*(\n<!-- \/mutation -->)/, `$1\n${table}\n$2`);
}

function figures(parts) {
  const counts = { killed: 0, survived: 0 };
  for (const { status } of parts.flatMap(({ mutants }) => mutants)) {
    if (status === "Killed" || status === "Timeout") counts.killed += 1;
    if (status === "Survived" || status === "NoCoverage") counts.survived += 1;
  }
  const all = counts.killed + counts.survived;
  return [all, counts.killed, counts.survived, ((100 * counts.killed) / all).toFixed(1)].join(" | ");
}

function printSurvivors() {
  for (const { path, mutants, source } of files) {
    const lines = source.split("\n");
    for (const { status, location, mutatorName, replacement } of mutants) {
      if (status !== "Survived" && status !== "NoCoverage") continue;
      const { start, end } = location;
      const first = lines[start.line - 1];
      const text = first.slice(start.column - 1, end.line === start.line ? end.column - 1 : undefined);
      console.log(`${path}:${start.line}:${start.column} ${mutatorName}: ${text} → ${replacement ?? ""}`);
    }
  }
}
