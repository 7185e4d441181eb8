// Two outputs of one source: the program as CommonJS, which starts 4 ms earlier on Node, and the library as ES modules.
// Code that is loaded lazily goes into chunks of its own.
import { readFileSync, rmSync } from "node:fs";
import { rolldown } from "rolldown";
import { bundleProgram, CHECKS } from "./program.mjs";

const { optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8"));

/** SDKs stay packages of their own: they are large, optional, and loaded when a file names their keys. */
const sdks = Object.keys(optionalDependencies).map((name) => new RegExp(`^${name}(/|$)`));

for (const folder of ["dist/cli", "dist/lib"]) rmSync(folder, { recursive: true, force: true });
await bundleProgram({ input: "src/cli/start.ts", external: sdks, folder: "dist/cli", minify: true });

const library = await rolldown({
  input: { index: "src/index.ts" },
  platform: "node",
  external: [/^node:/, ...sdks],
  checks: CHECKS,
});
await library.write({
  ...{ dir: "dist/lib", format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js" },
});
await library.close();
