import { describe, expect, it } from 'vitest';
import { runOutage } from '../fault/long-outage.ts';

describe('old data loses resolution, never existence', () => {
  it('an outage that does not fit: each hour keeps its level and its counts, and accepted = received + declared drops', async () => {
    const result = await runOutage({ days: 1.5, quotaMb: 0.375, seed: 7, commitSeconds: 120, restartEvery: 400 });
    expect(result).toMatchObject({ failures: [], refused: 0, repeated: 0, wrongSums: 0 });
    expect(result.declaredDrops).toBeGreaterThan(10_000);
    expect(result.receivedSamples + result.declaredDrops).toBe(result.accepted);
    expect(result.worstLevelDb).toBeLessThan(0.01);
    expect(result.worstComputedDb).toBeLessThan(0.01);
    expect(result.resolutions['PT1M']).toBeGreaterThan(0);
  });

  it('an outage that fits loses nothing', async () => {
    const result = await runOutage({ days: 0.5, quotaMb: 8, seed: 8, commitSeconds: 300 });
    expect(result).toMatchObject({ failures: [], refused: 0, declaredDrops: 0 });
    expect(result.receivedSamples).toBe(result.accepted);
  });
});
