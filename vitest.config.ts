import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    maxWorkers: 2, // on two cores vitest would take one
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
