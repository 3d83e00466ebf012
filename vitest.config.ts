import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["sluice-source"] },
  ssr: { resolve: { conditions: ["sluice-source"] } },
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts", "proof/**/*.test.ts"],
    exclude: ["test/browser/**", "**/node_modules/**"],
    globalSetup: ["test/support/postgres.ts"],
    testTimeout: 20_000,
    // A busy machine is slow, not wrong.
    expect: { poll: { timeout: 10_000, interval: 20 } },
    hookTimeout: 60_000,
    maxWorkers: 2,
    coverage: {
      include: ["src/**/*.ts"],
      exclude: [
        "src/**/*.test.ts",
        "src/**/fixtures/**",
        // They run in processes of their own, which coverage does not see: the command line, and the sandbox's server.
        "src/cli/**",
        "src/sandbox/!(index|sandbox|record|fitting-json).ts",
      ],
      reporter: ["text-summary", "html"],
      thresholds: { lines: 85, "src/core/**": { lines: 100 } },
    },
  },
});
