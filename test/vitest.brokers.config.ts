import { defineConfig } from 'vitest/config';

/** Tests against real brokers, which they start themselves: `vitest run --config test/vitest.brokers.config.ts`. */
export default defineConfig({
  test: {
    include: ['test/brokers/**/*.test.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
