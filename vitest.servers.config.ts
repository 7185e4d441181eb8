import { defineConfig, type ViteUserConfig } from "vitest/config";

/** The suite that talks to real servers and programs; `scripts/test-servers` installs them. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ["test/servers/**/*.test.ts"],
    globalSetup: ["test/support/global-setup.ts"],
    pool: "forks",
    testTimeout: 90_000,
    hookTimeout: 60_000,
  },
});

export default config;
