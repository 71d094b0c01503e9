import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/browser/**', 'test/brokers/**', 'test/fault/**', 'test/bench/**'],
    pool: 'forks',
    // Tests wait for sockets, ptys and child processes more than they compute.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
