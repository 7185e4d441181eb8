// Two outputs of one source: the program as CommonJS, which starts 4 ms earlier on Node, and the library as ES modules.
// Code that is loaded lazily goes into chunks of its own.
import { readFileSync, rmSync } from "node:fs";
import { rolldown } from "rolldown";
import { lazyChunks } from "./lazy-chunks.mjs";

const { optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));

/** SDKs stay packages of their own: they are large, optional, and loaded when a file names their keys. */
const external = [/^node:/, ...Object.keys(optionalDependencies).map((name) => new RegExp(`^${name}(/|$)`))];

/** Some modules are loaded early by one part and lazily by another; that is no mistake. */
const checks = { ineffectiveDynamicImport: false };

const program = lazyChunks();
const outputs = [
  {
    input: { main: "src/cli/start.ts" },
    plugins: [program.plugin],
    preserveEntrySignatures: "allow-extension",
    output: {
      ...{ dir: "dist/cli", format: "cjs", entryFileNames: "[name].cjs", chunkFileNames: "[name]-[hash].cjs" },
      ...{ minify: true, codeSplitting: program.codeSplitting },
    },
  },
  {
    input: { index: "src/index.ts" },
    output: { dir: "dist/lib", format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
  },
];

for (const { output, ...input } of outputs) {
  rmSync(output.dir, { recursive: true, force: true });
  const bundle = await rolldown({ ...input, platform: "node", external, checks });
  await bundle.write(output);
  await bundle.close();
}
