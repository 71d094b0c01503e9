import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { isClockSynchronized } from '../../src/health/clock-state.ts';

let run: string;
beforeEach(async () => {
  run = await mkdtemp(join(tmpdir(), 'cigale-run-'));
});
afterEach(() => rm(run, { recursive: true, force: true }));

it('is told by the mark of systemd-timesyncd, and not guessed without it', async () => {
  expect(await isClockSynchronized(run)).toBeNull();
  await mkdir(join(run, 'systemd/timesync'), { recursive: true });
  expect(await isClockSynchronized(run)).toBe(false);
  await writeFile(join(run, 'systemd/timesync/synchronized'), '');
  expect(await isClockSynchronized(run)).toBe(true);
});
