import { describe, expect, it } from 'vitest';
import { until } from '../e2e/running-gateway.ts';
import { foreign, rule, type Json } from '../flow/flow-builder.ts';
import { GatewayChild } from './gateway-child.ts';
import { flowParts, folder } from './parts.ts';

const NOBODY = 9;
const MINUTE = Date.parse('2026-06-01T10:00:00Z');

const flow = [
  flowParts.gateway({ commitInterval: '50ms' }),
  flowParts.broker(NOBODY),
  foreign('f', [['noise', 'count', 'heat']]),
  rule('noise', { periods: ['1m'] }),
  rule('count', { periods: ['1m'] }),
  rule('heat', { periods: ['1m'] }),
  flowParts.send(),
];

const sample = (quantity: string, second: number, value: number | null): Json => ({
  place: 'mairie',
  quantity,
  value,
  observedAt: MINUTE + second * 1000,
  periodMs: 1000,
  key: `${quantity} ${second}`,
});

/** Seconds `from` to `to`, both included, of the minute: 60 dB and 70 dB in turn. */
const levels = (from: number, to: number): Json[] =>
  Array.from({ length: to - from + 1 }, (_, index) => sample('LAeq', from + index, (from + index) % 2 === 0 ? 60 : 70));

const levelOf = (window: Record<string, unknown> = {}): unknown => (window['values'] as Json)['LAeq'];

async function inject(child: GatewayChild, node: string, samples: Json[]): Promise<void> {
  expect((await child.request('POST', '/v1/samples', { node, samples })).status).toBe(202);
}

async function windowsOf(
  child: GatewayChild,
  domain: string,
  count: number,
): Promise<readonly Record<string, unknown>[]> {
  let found: readonly Record<string, unknown>[] = [];
  await until(`${count} ${domain} windows are written`, async () => {
    found = (await child.records('aggregates')).filter((one) => one['domain'] === domain);
    return found.length >= count;
  });
  return found;
}

describe('right arithmetic', () => {
  it('over a kill a window is written once, as energy, and late samples revise it under the next number', async () => {
    const child = new GatewayChild(await folder());
    await child.start(flow);
    await inject(child, 'noise', levels(1, 30));
    await child.end('SIGKILL');
    await child.start();
    const [first] = await windowsOf(child, 'noise', 1);
    expect(first).toMatchObject({
      start: '2026-06-01T10:00:00.000Z',
      end: '2026-06-01T10:01:00.000Z',
      period: 'PT1M',
      revision: 0,
      count: 30,
      coverage: 0.5,
      valid: false,
    });
    const energyMean = 10 * Math.log10((10 ** 6 + 10 ** 7) / 2);
    expect(levelOf(first)).toBeCloseTo(energyMean, 6);
    await child.end('SIGKILL');
    await child.start();
    const next = { ...sample('LAeq', 0, 55), observedAt: MINUTE + 60_500, key: 'next' };
    await inject(child, 'noise', [...levels(31, 60), next]);
    const written = await windowsOf(child, 'noise', 3);
    expect(written.map(({ start, revision, count, coverage }) => [start, revision, count, coverage])).toEqual([
      ['2026-06-01T10:00:00.000Z', 0, 30, 0.5],
      ['2026-06-01T10:00:00.000Z', 1, 60, 1],
      ['2026-06-01T10:01:00.000Z', 0, 1, 1 / 60],
    ]);
    expect(levelOf(written[1])).toBeCloseTo(energyMean, 6);
    expect(written[1]?.['flags']).toContain('late');
  });

  it('a missing value is never zero: it lowers the coverage and stands as a flag', async () => {
    const child = new GatewayChild(await folder());
    await child.start(flow);
    await inject(child, 'count', [sample('pedestrianCount', 1, 4), sample('pedestrianCount', 2, null)]);
    await inject(child, 'heat', [sample('airTemperature', 1, 20), sample('airTemperature', 2, null)]);
    await inject(child, 'noise', [sample('LAeq', 1, null)]);
    const [count] = await windowsOf(child, 'count', 1);
    expect(count).toMatchObject({ count: 1, coverage: 1 / 60, values: { sum: 4 } });
    expect(count?.['flags']).toContain('missing');
    const [heat] = await windowsOf(child, 'heat', 1);
    expect(heat).toMatchObject({ count: 1, values: { mean: 20, min: 20, max: 20 } });
    const [noise] = await windowsOf(child, 'noise', 1);
    expect(noise).toMatchObject({ count: 0, coverage: 0, valid: false, values: { LAeq: null } });
  });
});
