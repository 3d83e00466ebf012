import { defineConfig } from "vitest/config";

/** The browser test: needs Debian's Chromium, so it is no part of `npm test`. */
export default defineConfig({
  resolve: { conditions: ["sluice-source"] },
  ssr: { resolve: { conditions: ["sluice-source"] } },
  test: {
    include: ["test/browser/**/*.test.ts"],
    globalSetup: ["test/support/postgres.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
