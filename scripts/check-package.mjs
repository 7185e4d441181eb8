// Looks at the package as it would be published: what is in it, that nothing of ours runs when it is installed, and that
// a fresh clone of what is committed gives the same package, byte by byte.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** All that belongs into the package. */
const ALLOWED = [
  /^(package\.json|LICENSE|README\.md|SECURITY\.md|bin\/leafcrypt\.cjs)$/,
  /^dist\/cli\/[\w-]+\.cjs$/,
  /^dist\/lib\/[\w-]+\.js$/,
  /^dist\/types\/([\w-]+\/)*[\w-]+\.d\.ts$/,
];
const NEEDED = ["bin/leafcrypt.cjs", "dist/cli/main.cjs", "dist/lib/index.js", "dist/types/index.d.ts", "LICENSE"];
const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall", "prepare", "prepublish"];

const failures = [];
const here = packageOf(".");
const names = here.files.map(({ path }) => path);
for (const name of names.filter((path) => !ALLOWED.some((pattern) => pattern.test(path))))
  failures.push(`${name} is in it`);
for (const name of NEEDED.filter((path) => !names.includes(path))) failures.push(`${name} is not in it`);
const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
for (const name of INSTALL_SCRIPTS.filter((script) => script in scripts)) failures.push(`it has a script ${name}`);
const there = packageOfClone();
if (there.integrity !== here.integrity) failures.push(differenceOf(here, there));

for (const failure of failures) console.error(`package: ${failure}`);
console.log(`${here.id}: ${String(names.length)} files, ${String(here.size)} bytes, ${here.integrity}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function packageOf(folder) {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  const answer = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: folder, encoding: "utf8" });
  return JSON.parse(answer)[0];
}

/** The package of what is committed, built elsewhere with what the lockfile names and without the scripts of anybody. */
function packageOfClone() {
  const folder = mkdtempSync(join(tmpdir(), "leafcrypt-package-"));
  try {
    execFileSync("git", ["clone", "--quiet", "--local", ".", folder]);
    const install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    execFileSync("npm", install, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
    return packageOf(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function differenceOf(one, other) {
  const sizes = (pack) => new Set(pack.files.map(({ path, size }) => `${path} (${String(size)} bytes)`));
  const [ours, theirs] = [sizes(one), sizes(other)];
  const differing = [...ours].filter((file) => !theirs.has(file));
  return `a clone of what is committed gives another one: ${differing.join(", ") || "the same sizes, other bytes"}`;
}
