import { defineConfig, type ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/{unit,interop,e2e}/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    setupFiles: ["test/support/frozen-prototype.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});

export default config;
