import { defineConfig, type RolldownOptions } from "rolldown";
import manifest from "./package.json" with { type: "json" };

/** SDKs stay packages of their own: they are large, optional, and loaded when a file names their keys. */
const external = [/^node:/, ...Object.keys(manifest.optionalDependencies).map((name) => new RegExp(`^${name}(/|$)`))];

const shared = {
  platform: "node",
  external,
  logLevel: "warn",
  // Some modules are loaded early by one part and lazily by another; that is no mistake.
  checks: { ineffectiveDynamicImport: false },
} as const;

/** Two outputs of one source: the program as CommonJS, which starts 4 ms earlier on Node, and the library as ES modules. */
const builds: RolldownOptions[] = [
  {
    ...shared,
    input: { main: "src/cli/start.ts" },
    output: { dir: "dist/cli", format: "cjs", entryFileNames: "[name].cjs", chunkFileNames: "[name]-[hash].cjs", cleanDir: true, minify: true },
  },
  {
    ...shared,
    input: { index: "src/index.ts" },
    output: { dir: "dist/lib", format: "esm", entryFileNames: "[name].js", chunkFileNames: "[name]-[hash].js", cleanDir: true },
  },
];

export default defineConfig(builds) as RolldownOptions[];
