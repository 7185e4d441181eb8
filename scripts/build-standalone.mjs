// The standalone executable: Bun, the program and every SDK in one file, with the notices of all that is in it beside it.
//
// What its options gain stands in docs/performance.md.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { arch, platform } from "node:process";
import { bundleProgram } from "./program.mjs";
import { placeTestKey } from "./test-key.mjs";

const FOLDER = "dist/standalone";

/** openpgp is under the LGPL, which asks for the means to exchange it; there PGP keys are for gpg. */
const REPLACED = { openpgp: resolve("scripts/standalone/absent-openpgp.mjs") };

const HEAD = `leafcrypt is under the Apache License 2.0. This executable also contains Bun, under the MIT license and those of what it
is made of (https://bun.com/docs/project/licensing: JavaScriptCore is under the LGPL 2.1, and Bun's build says how to link it
anew), and the packages below.
`;

const work = join(FOLDER, "work");
const metafile = join(work, "meta.json");
const name = `leafcrypt-${platform}-${arch}`;
const executable = join(work, name);
const bun = findBun();

mkdirSync(work, { recursive: true });
// Packages are left to Bun, which puts each into chunks of its own and says which ones it took.
await bundleProgram({
  input: "src/cli/standalone.ts",
  external: [/^(?!openpgp$)[^./]/],
  replaced: REPLACED,
  folder: work,
  minify: false,
});
compile();
compile(`--bytecode-order=${orderOfDecryption()}`);
// A copy, written from start to end, lies in the cache of pages so that it starts 1.5 ms earlier than what Bun pieced together.
rmSync(join(FOLDER, name), { force: true });
copyFileSync(executable, join(FOLDER, name));
writeFileSync(join(FOLDER, "LICENSES.txt"), notices(bundledPackages()));
rmSync(work, { recursive: true });

function compile(...options) {
  execFileSync(
    bun,
    [
      ...["build", join(work, "main.cjs"), "--compile", `--outfile=${executable}`, `--metafile=${metafile}`],
      ...["--minify", "--splitting", "--format=esm", "--bytecode"],
      // Most runs are over before the code that a compiler made of a loop has run as long as the compiler did.
      "--compile-jit-policy=10",
      // What lies in the folder it is called in must not set its environment or its options.
      ...["--no-compile-autoload-dotenv", "--no-compile-autoload-bunfig"],
      ...options,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
}

/** Lets the executable decrypt a file, and gives the file in which it wrote the order of the functions that ran. */
function orderOfDecryption() {
  const order = resolve(work, "order.txt");
  const env = { BUN_BYTECODE_ORDER_OUT: order, SOPS_AGE_KEY_FILE: placeTestKey(work).file };
  execFileSync(executable, ["decrypt", "fixtures/interop/encrypted/helm-values-yaml--age--default.yaml"], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return order;
}

/** Bun from its npm packages: where a postinstall script puts it, or, where none may run, in the platform's package. */
function findBun() {
  const packages = existsSync("node_modules/@oven") ? readdirSync("node_modules/@oven") : [];
  const candidates = ["node_modules/bun/bin/bun.exe", ...packages.map((name) => `node_modules/@oven/${name}/bin/bun`)];
  const found = candidates.find(isBun);
  if (found === undefined) throw new Error("there is no Bun for this platform among the development dependencies");
  return found;
}

function isBun(path) {
  try {
    return /^\d+\./.test(execFileSync(path, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  } catch {
    return false; // not there, for another libc, or a script that only says how to install it
  }
}

/** The folders of the packages of which something was put in. */
function bundledPackages() {
  const { inputs } = JSON.parse(readFileSync(metafile, "utf8"));
  const folders = Object.keys(inputs).flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return [...new Set(folders)].sort();
}

/** Name, version, licence and the texts of the licences of packages. */
function notices(folders) {
  const texts = folders.map((folder) => {
    const { name, version, license = "see below" } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file));
    const text = files.map((file) => readFileSync(join(folder, file), "utf8").trim()).join("\n\n");
    return `${name} ${version} (${license})\n\n${text}\n`;
  });
  return [HEAD, ...texts].join(`\n${"-".repeat(100)}\n\n`);
}
