import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineGaps, offGap, type SourceGap, type WatchedSource } from '../../src/health/gaps.ts';
import { MAX_PLACES, Refusals } from '../../src/health/refusals.ts';

const node = (nodeId: string, place: string, silentAfterMs: number | null = null): WatchedSource => ({
  nodeId,
  place,
  silentAfterMs,
});
const short = ({ place, cause, fromMs, toMs }: SourceGap): unknown[] => [place, cause, fromMs, toMs];

/** A line that is open from 0 on. */
function openLine(...sources: WatchedSource[]): LineGaps {
  const line = new LineGaps(0);
  line.setSources(sources, 0);
  line.opened(0);
  return line;
}

describe('a port that goes', () => {
  it('is a gap of each place on it, from when it went to the next good line of the place', () => {
    const line = openLine(node('a', 'quai'), node('b', 'mairie'));
    line.left(1000);
    expect(line.opened(10_000)).toEqual([]);
    expect(line.heard('a', 11_000)).toEqual([
      { place: 'quai', nodes: ['a'], cause: 'port-gone', fromMs: 1000, toMs: 11_000 },
    ]);
    expect(line.heard('b', 12_000).map(short)).toEqual([['mairie', 'port-gone', 1000, 12_000]]);
    expect([...line.heard('a', 13_000), ...line.heard('b', 13_000), ...line.end(14_000)]).toEqual([]);
  });

  it('is one gap for all nodes of a place', () => {
    const line = openLine(node('a', 'quai'), node('b', 'quai'));
    line.left(1000);
    line.opened(10_000);
    expect(line.heard('b', 11_000)).toEqual([
      { place: 'quai', nodes: ['a', 'b'], cause: 'port-gone', fromMs: 1000, toMs: 11_000 },
    ]);
    expect(line.heard('a', 12_000)).toEqual([]);
  });

  it('for two seconds at most is no gap', () => {
    const line = openLine(node('a', 'quai'));
    line.left(1000);
    line.opened(3000);
    expect([...line.heard('a', 4000), ...line.end(5000)]).toEqual([]);
  });

  it('again before a line came is the same gap', () => {
    const line = openLine(node('a', 'quai'));
    line.left(1000);
    line.opened(10_000);
    line.left(11_000);
    line.left(12_000);
    line.opened(20_000);
    expect(line.heard('a', 21_000).map(short)).toEqual([['quai', 'port-gone', 1000, 21_000]]);
  });

  it('and was never there is a gap from the beginning', () => {
    const line = new LineGaps(500);
    line.setSources([node('a', 'quai')], 500);
    expect(line.end(60_000).map(short)).toEqual([['quai', 'port-gone', 500, 60_000]]);
  });

  it('is written as far as it goes when the last node of the place goes, and not by one that others stay for', () => {
    const line = openLine(node('a', 'quai'), node('b', 'quai'));
    line.left(1000);
    expect(line.setSources([node('b', 'quai')], 5000)).toEqual([]);
    expect(line.setSources([], 6000).map(short)).toEqual([['quai', 'port-gone', 1000, 6000]]);
    expect(line.end(9000)).toEqual([]);
  });

  it('lacks nothing of a place that came onto it later', () => {
    const line = openLine(node('a', 'quai'));
    line.left(1000);
    line.setSources([node('a', 'quai'), node('b', 'mairie')], 50_000);
    line.opened(60_000);
    expect(line.heard('b', 61_000).map(short)).toEqual([['mairie', 'port-gone', 50_000, 61_000]]);
  });
});

describe('a silent source', () => {
  it('is a gap from its last good line to the next', () => {
    const line = openLine(node('a', 'quai', 5000));
    line.heard('a', 1000);
    expect(line.heard('a', 6000)).toEqual([]);
    expect(line.heard('a', 11_001)).toEqual([
      { place: 'quai', nodes: ['a'], cause: 'silent', fromMs: 6000, toMs: 11_001 },
    ]);
  });

  it('is none where the node has no such time', () => {
    const line = openLine(node('a', 'quai'));
    line.heard('a', 1000);
    expect([...line.heard('a', 1e9), ...line.end(2e9)]).toEqual([]);
  });

  it('counts from the beginning when it never spoke, and to its end when it never speaks', () => {
    const line = openLine(node('a', 'quai', 5000));
    expect(line.end(20_000).map(short)).toEqual([['quai', 'silent', 0, 20_000]]);
  });

  it('ends where the port goes: from there the port is the cause', () => {
    const line = openLine(node('a', 'quai', 5000));
    line.heard('a', 1000);
    line.left(10_000);
    expect(line.opened(30_000).map(short)).toEqual([['quai', 'silent', 1000, 10_000]]);
    expect(line.heard('a', 50_000).map(short)).toEqual([['quai', 'port-gone', 10_000, 50_000]]);
  });

  it('goes on over a short absence of the port', () => {
    const line = openLine(node('a', 'quai', 5000));
    line.heard('a', 1000);
    line.left(4000);
    line.opened(5000);
    expect(line.heard('a', 9000).map(short)).toEqual([['quai', 'silent', 1000, 9000]]);
  });

  it('counts for each node of a place, whatever the others say', () => {
    const line = openLine(node('a', 'quai', 5000), node('b', 'quai', 5000));
    line.heard('a', 4000);
    line.heard('a', 8000);
    expect(line.heard('b', 9000)).toEqual([{ place: 'quai', nodes: ['b'], cause: 'silent', fromMs: 0, toMs: 9000 }]);
  });
});

describe('gaps of a line', () => {
  it('of one node never overlap, never end before they begin, and leave nothing of a long absence out', () => {
    const step = fc.tuple(fc.constantFrom('left', 'opened', 'heard', 'deploy'), fc.integer({ min: 0, max: 9000 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const line = openLine(node('a', 'quai', 4000));
        const gaps: SourceGap[] = [];
        let now = 0;
        let absence: number | null = null;
        const missing: [number, number][] = [];
        for (const [what, later] of steps) {
          now += later;
          if (what === 'left') {
            line.left(now);
            absence ??= now;
          } else if (what === 'opened') {
            gaps.push(...line.opened(now));
            if (absence !== null && now - absence > 2000) missing.push([absence, now]);
            absence = null;
          } else if (what === 'heard' && absence === null) gaps.push(...line.heard('a', now));
          else if (what === 'deploy') gaps.push(...line.setSources([node('a', 'quai', 4000)], now));
        }
        gaps.push(...line.end(now));
        const sorted = gaps.toSorted((one, other) => one.fromMs - other.fromMs);
        for (const [index, { fromMs, toMs }] of sorted.entries()) {
          expect(toMs).toBeGreaterThan(fromMs);
          expect(sorted[index + 1]?.fromMs ?? toMs).toBeGreaterThanOrEqual(toMs);
        }
        for (const [from, to] of missing)
          expect(gaps.some((gap) => gap.cause === 'port-gone' && gap.fromMs <= from && gap.toMs >= to)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the time without a gateway', () => {
  it('is a gap when it is longer than a restart', () => {
    expect(offGap(10_000, 13_000, 3000)).toBeNull();
    expect(offGap(10_000, 13_001, 3000)).toEqual({ from: 10_000, to: 13_001 });
  });

  it('has no length when the clock was set back meanwhile', () => {
    expect(offGap(10_000, 9000, 3000)).toBeNull();
    expect(offGap(1e12, 5000, 3000)).toEqual({ from: 5000, to: 5000 });
  });
});

describe('samples that the store refused', () => {
  it('are counted by place and cause, from the first to the last refusal', () => {
    const refusals = new Refusals();
    refusals.add('quai', 'backpressure', ['stream:a'], 10);
    refusals.add('quai', 'backpressure', ['stream:b'], 20);
    refusals.add('quai', 'store-full', [], 30);
    expect(refusals.take()).toEqual([
      {
        place: 'quai',
        cause: 'backpressure',
        count: 2,
        fromMs: 10,
        toMs: 20,
        destinations: new Set(['stream:a', 'stream:b']),
      },
      { place: 'quai', cause: 'store-full', count: 1, fromMs: 30, toMs: 30, destinations: new Set() },
    ]);
    expect(refusals.isEmpty).toBe(true);
  });

  it('of more places than are told apart count for the whole gateway', () => {
    const refusals = new Refusals();
    for (let place = 0; place < MAX_PLACES + 10; place += 1) refusals.add(`p${place}`, 'refused', [], place);
    const taken = refusals.take();
    expect(taken).toHaveLength(MAX_PLACES + 1);
    expect(taken.at(-1)).toMatchObject({ place: '', count: 10 });
  });
});
