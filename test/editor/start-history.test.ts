import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { StartHistory } from '../../src/editor/start-history.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cigale-starts-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

const MINUTE = 60_000;

describe('an editor that systemd restarts', () => {
  it('leaves its flows stopped after three deaths within ten minutes, and until they are ten minutes old', async () => {
    const path = await folder();
    const starts = [1, 2, 3, 4, 5, 16].map((minute) => new StartHistory(path).begin(minute * MINUTE));
    expect(starts).toEqual([false, false, false, true, true, false]);
  });

  it('does not count a start that ended as it was told', async () => {
    const path = await folder();
    for (const minute of [1, 2, 3]) {
      const history = new StartHistory(path);
      expect(history.begin(minute * MINUTE)).toBe(false);
      history.endCleanly();
    }
    expect(new StartHistory(path).begin(4 * MINUTE)).toBe(false);
  });

  it('forgets the starts before the machine was booted', async () => {
    const path = await folder();
    for (const minute of [100, 101, 102]) new StartHistory(path).begin(minute * MINUTE);
    expect(new StartHistory(path).begin(1 * MINUTE)).toBe(false);
  });

  it('takes a file torn by a power cut for no history', async () => {
    const path = await folder();
    await writeFile(join(path, 'starts.json'), '[1000, 20');
    expect(new StartHistory(path).begin(MINUTE)).toBe(false);
  });
});
