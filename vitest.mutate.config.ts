import { defineConfig, type ViteUserConfig } from "vitest/config";

/** The tests that mutants are run against: quick ones, of one process, near what is mutated (docs/mutation.md). */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/unit/{bytes,config,document,storage}/**/*.test.ts", "test/unit/safety/{cells,tree}.test.ts"],
    // Another process of its own, or hundreds of runs: too slow to be repeated for each mutant.
    exclude: ["test/unit/storage/{kill-sweep,system}.test.ts"],
    setupFiles: ["test/support/frozen-prototype.ts"],
    testTimeout: 30_000,
  },
});

export default config;
