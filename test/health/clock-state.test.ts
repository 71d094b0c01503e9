import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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

/** Lines as `chronyc -c tracking` of chrony 4.3 gives them. */
const TRACKING = 'C0A80101,192.168.1.1,3,1764000000.12,0.00001,0.00002,0.00003,1.0,0.0,0.1,0.02,0.001,64.2';

it.each([
  [`${TRACKING},Normal`, true],
  [`${TRACKING},Insert second`, true],
  ['00000000,,0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised', false],
])('is told by chrony where that runs: %s', async (tracking, isSet) => {
  await mkdir(join(run, 'chrony'));
  const chronyc = join(run, 'chronyc');
  await writeFile(chronyc, `#!/bin/sh\necho '${tracking}'\n`);
  await chmod(chronyc, 0o755);
  expect(await isClockSynchronized(run, chronyc)).toBe(isSet);
});

it('is not told by a chrony that does not answer', async () => {
  await mkdir(join(run, 'chrony'));
  expect(await isClockSynchronized(run, join(run, 'no-chronyc'))).toBeNull();
});
