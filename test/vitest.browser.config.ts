import { defineConfig } from 'vitest/config';

/** Tests in a real Chromium (`/usr/bin/chromium`): `vitest run --config test/vitest.browser.config.ts`. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
