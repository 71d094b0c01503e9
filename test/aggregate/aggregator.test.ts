import { describe, expect, it } from 'vitest';
import { Gateway } from './gateway.ts';
import {
  bicycles,
  countRule,
  heatRule,
  HOUR,
  MINUTE,
  noiseRule,
  sample,
  seconds,
  sentTo,
  temperature,
  TEN,
} from './records.ts';

const LATENESS = 4000;
const minute = (level: number): number[] => Array.from({ length: 60 }, () => level);

describe('closing', () => {
  it('writes a window once the clock has passed its end and the lateness', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    await gateway.until(TEN + MINUTE + LATENESS - 1);
    expect(gateway.aggregates()).toEqual([]);
    await gateway.until(TEN + MINUTE + LATENESS + 1000);
    expect(gateway.aggregates()).toMatchObject([{ start: TEN, revision: 0, count: 60, coverage: 1 }]);
    expect(gateway.store.entries.at(-1)?.to).toEqual(['stream:ville']);
    await gateway.until(TEN + HOUR);
    expect(gateway.aggregates()).toHaveLength(1);
    expect(gateway.aggregator.openWindows).toBe(0);
  });

  it('keeps apart places, channels, quantities and periods', async () => {
    const gateway = await new Gateway([noiseRule({ periodsMs: [MINUTE, 15 * MINUTE] })]).start();
    await gateway.accept([
      sample(),
      sample({ place: 'place-b' }),
      sample({ channel: 'nord' }),
      sample({ quantity: 'LAFmax' }),
    ]);
    await gateway.until(TEN + HOUR);
    const keys = gateway
      .aggregates()
      .map(({ place, channel, quantity, periodMs }) => [place, channel, quantity, periodMs].join());
    expect(keys).toHaveLength(8);
    expect(new Set(keys).size).toBe(8);
  });

  it('closes many windows in one write', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(Array.from({ length: 300 }, (_, index) => sample({ place: `place-${index}` })));
    await gateway.until(TEN + HOUR);
    expect(gateway.store.writes).toEqual([{ windows: 300, cursor: 301 }]);
  });

  it('waits with a window until every committed entry has been fed', async () => {
    const gateway = new Gateway();
    gateway.store.announces = false;
    gateway.store.readLimit = 7;
    await gateway.start();
    await gateway.until(TEN + MINUTE + LATENESS - 10);
    await gateway.accept(seconds(TEN, minute(60)));
    await gateway.until(TEN + HOUR);
    expect(gateway.aggregates()).toMatchObject([{ count: 60, revision: 0 }]);
  });

  it('tries again when the store refuses, and loses nothing', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    gateway.store.fateOf = () => 'lost';
    await gateway.until(TEN + 2 * MINUTE);
    expect(gateway.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    gateway.store.fateOf = () => 'committed';
    await gateway.until(TEN + 3 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([{ count: 60, revision: 0 }]);
  });

  it('does not write a window again whose commit succeeded without an answer', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    gateway.store.fateOf = () => 'unanswered';
    await gateway.until(TEN + HOUR);
    expect(gateway.aggregates()).toHaveLength(1);
  });
});

describe('following the log', () => {
  it('takes each entry once, whether it was there before, came while it was read, or was announced', async () => {
    const gateway = new Gateway([countRule()]);
    gateway.store.readLimit = 3;
    const counts = Array.from({ length: 40 }, (_, index) => bicycles(TEN + index + 1, 1));
    await gateway.accept(counts.slice(0, 10));
    const starting = gateway.aggregator.start();
    for (let index = 10; index < 40; index += 3) await gateway.accept(counts.slice(index, index + 3));
    await starting;
    await gateway.until(TEN + 2 * HOUR);
    expect(gateway.aggregates()).toMatchObject([{ count: 40, values: { sum: 40 } }]);
    expect(gateway.aggregator.position).toBe(gateway.store.head());
  });

  it('takes an entry once that is announced after it was read', async () => {
    const gateway = await new Gateway([countRule()]).start();
    gateway.store.announces = false;
    await gateway.accept([bicycles(TEN + 1, 1), bicycles(TEN + 2, 1)]);
    await gateway.clock.advance(1000);
    await gateway.accept([bicycles(TEN + 3, 1)]);
    gateway.store.announce(gateway.store.entries);
    gateway.store.announce(gateway.store.entries.slice(1));
    await gateway.until(TEN + 2 * HOUR);
    expect(gateway.aggregates()).toMatchObject([{ count: 3, values: { sum: 3 } }]);
  });

  it('ignores and counts quantities that are not of the domain, and rules that nobody set', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept([temperature(TEN, 20), sample({ quantity: 'battery', value: 90 })]);
    await gateway.accept([sample()], 'gone');
    await gateway.until(TEN + HOUR);
    expect(gateway.aggregates()).toEqual([]);
    const ignored = (reason: string): number =>
      gateway.metrics.value('cigale_aggregate_samples_ignored_total', { reason });
    expect([ignored('other-domain'), ignored('unknown-rule')]).toEqual([2, 1]);
  });

  it('passes over what goes to streams only', async () => {
    const gateway = await new Gateway().start();
    await gateway.store.append(sentTo([sample()], 'stream:ville'));
    await gateway.until(TEN + HOUR);
    expect(gateway.aggregates()).toEqual([]);
  });

  it('does not put an average of 15 minutes into one of its minutes', async () => {
    const gateway = await new Gateway([countRule({ periodsMs: [MINUTE, HOUR] })]).start();
    await gateway.accept([bicycles(TEN + 15 * MINUTE, 7)]);
    await gateway.until(TEN + 2 * HOUR);
    expect(gateway.aggregates()).toMatchObject([{ periodMs: HOUR, values: { sum: 7 } }]);
    expect(gateway.metrics.total('cigale_aggregate_samples_ignored_total')).toBe(1);
  });

  it('ends without closing windows, twice if asked, and goes on at the next start', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    await gateway.aggregator.stop();
    await gateway.aggregator.stop();
    await gateway.until(TEN + HOUR);
    expect(gateway.aggregates()).toEqual([]);
    await gateway.restart();
    expect(gateway.aggregates()).toMatchObject([{ count: 60, revision: 0 }]);
  });

  it('ends although a write hangs', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    gateway.store.fateOf = () => 'hung';
    await gateway.until(TEN + 2 * MINUTE);
    const stopping = gateway.aggregator.stop();
    await gateway.clock.advance(2000);
    await stopping;
    gateway.store.fateOf = () => 'committed';
    await gateway.restart();
    await gateway.until(TEN + 3 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([{ count: 60, revision: 0 }]);
  });

  it('moves its position over a log that has nothing for it', async () => {
    const gateway = await new Gateway().start();
    await gateway.store.append(
      sentTo(
        Array.from({ length: 12_000 }, () => sample()),
        'stream:ville',
      ),
    );
    await gateway.clock.advance(2000);
    expect(await gateway.store.aggregateCursor()).toBe(12_001);
  });
});

describe('late samples', () => {
  it('revise a window under the next number, with the flag "late"', async () => {
    const gateway = await new Gateway().start();
    const level = seconds(TEN, minute(60));
    await gateway.accept(level.slice(0, 50));
    await gateway.until(TEN + 2 * MINUTE);
    await gateway.accept(level.slice(50, 55));
    await gateway.accept(level.slice(55));
    await gateway.until(TEN + 3 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([
      { start: TEN, revision: 0, count: 50, flags: [] },
      { start: TEN, revision: 1, count: 60, flags: ['late'], coverage: 1 },
    ]);
  });

  it('that change nothing write nothing', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept([...seconds(TEN, minute(60)), sample({ value: null, flags: ['missing'] })]);
    await gateway.until(TEN + 2 * MINUTE);
    await gateway.accept([sample({ value: null, flags: ['missing'] })]);
    await gateway.until(TEN + 3 * MINUTE);
    expect(gateway.aggregates()).toHaveLength(1);
  });

  it('of a window that was never written are its first revision', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept([sample({ observedAt: TEN - 300 * 24 * HOUR })]);
    await gateway.clock.advance(10_000);
    expect(gateway.aggregates()).toMatchObject([{ revision: 0, count: 1, flags: ['low-coverage'] }]);
  });

  it('do not replace an aggregate whose raw samples are gone', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    await gateway.until(TEN + 2 * MINUTE);
    for (const [index, entry] of gateway.store.entries.entries()) {
      if (entry.record.kind === 'sample') gateway.store.entries[index] = { ...entry, to: ['stream:ville'] };
    }
    await gateway.accept([sample({ value: 90 })]);
    await gateway.until(TEN + 3 * MINUTE);
    expect(gateway.aggregates()).toHaveLength(1);
    expect(gateway.metrics.total('cigale_aggregate_revisions_refused_total')).toBe(1);
  });

  it('that trickle into a day have it computed again every five minutes at most', async () => {
    const gateway = await new Gateway([heatRule({ periodsMs: [24 * HOUR] })]).start();
    await gateway.accept([temperature(TEN - 48 * HOUR, 20)]);
    await gateway.until(TEN + HOUR);
    for (let second = 1; second <= 600; second += 1) {
      await gateway.accept([temperature(TEN - 48 * HOUR + second, 20)]);
      await gateway.clock.advance(1000);
    }
    expect(gateway.aggregates().length).toBeLessThanOrEqual(3);
    await gateway.until(TEN + 2 * HOUR);
    expect(gateway.aggregates().at(-1)).toMatchObject({ count: 601 });
  });
});

describe('the wall clock', () => {
  it('may step forward: what the window still lacked revises it', async () => {
    const gateway = await new Gateway().start();
    const level = seconds(TEN, minute(60));
    await gateway.accept(level.slice(0, 30));
    gateway.clock.step(HOUR);
    await gateway.clock.advance(2000);
    await gateway.accept(level.slice(30));
    await gateway.clock.advance(MINUTE);
    expect(gateway.aggregates()).toMatchObject([
      { revision: 0, count: 30 },
      { revision: 1, count: 60 },
    ]);
  });

  it('may step back by a year: windows do not stay open for a year', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    gateway.clock.step(-365 * 24 * HOUR);
    await gateway.clock.advance(2 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([{ revision: 0, count: 60 }]);
    gateway.clock.step(365 * 24 * HOUR);
    await gateway.clock.advance(HOUR);
    expect(gateway.aggregates()).toHaveLength(1);
  });

  it('may step back into a window that was written: it is revised, not doubled', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)));
    await gateway.until(TEN + 2 * MINUTE);
    gateway.clock.step(-2 * MINUTE);
    await gateway.accept(seconds(TEN + 500, [70]));
    await gateway.clock.advance(2 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([
      { revision: 0, count: 60 },
      { revision: 1, count: 61 },
    ]);
  });
});

describe('a changed rule', () => {
  it('holds from the next window; the open one finishes as it began', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)).slice(0, 30));
    gateway.setRules([noiseRule({ levels: [5] })]);
    await gateway.accept(seconds(TEN, minute(60)).slice(30));
    await gateway.accept(seconds(TEN + MINUTE, minute(60)));
    await gateway.until(TEN + 3 * MINUTE);
    const [first, second, ...rest] = gateway.aggregates();
    expect(first).toMatchObject({ count: 60, values: { LA10: 60 } });
    expect(second).toMatchObject({ count: 60, values: { LA5: 60 } });
    expect(rest).toEqual([]);
  });

  it('that drops a period lets its open windows finish, and opens no more of them', async () => {
    const gateway = await new Gateway([noiseRule({ periodsMs: [MINUTE, 15 * MINUTE] })]).start();
    await gateway.accept(seconds(TEN, minute(60)));
    gateway.setRules([noiseRule({ periodsMs: [MINUTE, HOUR] })]);
    await gateway.accept(seconds(TEN + 5 * MINUTE, minute(60)));
    await gateway.accept(seconds(TEN + 20 * MINUTE, minute(60)));
    await gateway.until(TEN + 2 * HOUR);
    const counts = (periodMs: number): number[] =>
      gateway
        .aggregates()
        .filter((one) => one.periodMs === periodMs)
        .map((one) => one.count);
    expect([counts(MINUTE), counts(15 * MINUTE), counts(HOUR)]).toEqual([[60, 60, 60], [120], [120]]);
  });

  it('does not revise windows that are closed, nor after a restart', async () => {
    const gateway = await new Gateway([noiseRule({ periodsMs: [MINUTE, HOUR] })]).start();
    await gateway.accept(seconds(TEN, minute(60)));
    await gateway.until(TEN + 5 * MINUTE);
    gateway.setRules([noiseRule({ periodsMs: [MINUTE, HOUR], levels: [95], minCoverage: 0.1 })]);
    await gateway.restart();
    await gateway.until(TEN + 10 * MINUTE);
    expect(gateway.aggregates()).toHaveLength(1);
  });

  it('that did not change is not touched, but for where its aggregates go', async () => {
    let stream: 'stream:a' | 'stream:b' = 'stream:a';
    const gateway = await new Gateway([noiseRule()], {}, () => [stream]).start();
    await gateway.accept(seconds(TEN, minute(60)).slice(0, 30));
    stream = 'stream:b';
    gateway.setRules([noiseRule()]);
    await gateway.accept(seconds(TEN, minute(60)).slice(30));
    await gateway.until(TEN + 2 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([{ count: 60 }]);
    expect(gateway.store.entries.at(-1)?.to).toEqual(['stream:b']);
  });
});

describe('a removed rule', () => {
  it('has its open windows written at once, as they are', async () => {
    const gateway = await new Gateway().start();
    await gateway.accept(seconds(TEN, minute(60)).slice(0, 30));
    gateway.setRules([]);
    await gateway.clock.advance(0);
    expect(gateway.aggregates()).toMatchObject([{ count: 30, valid: false }]);
    expect(gateway.store.entries.at(-1)?.to).toEqual(['stream:ville']);
    expect(gateway.aggregator.openWindows).toBe(0);
  });

  it('that is drawn again under another id goes on with the same window', async () => {
    const gateway = await new Gateway().start();
    const level = seconds(TEN, minute(60));
    await gateway.accept(level.slice(0, 30));
    gateway.setRules([noiseRule({ nodeId: 'n2' })]);
    await gateway.accept(level.slice(30));
    await gateway.until(TEN + 2 * MINUTE);
    expect(gateway.aggregates()).toMatchObject([
      { revision: 0, count: 30 },
      { revision: 1, count: 60, valid: true },
    ]);
  });

  it('that comes back before its windows were written does not write a revision twice', async () => {
    const gateway = await new Gateway().start();
    const level = seconds(TEN, minute(60));
    gateway.store.fateOf = () => 'lost';
    await gateway.accept(level.slice(0, 30));
    gateway.setRules([]);
    gateway.setRules([noiseRule()]);
    await gateway.accept(level.slice(30));
    await gateway.until(TEN + 2 * MINUTE);
    gateway.store.fateOf = () => 'committed';
    await gateway.until(TEN + 3 * MINUTE);
    expect(gateway.aggregates().map(({ revision }) => revision)).toEqual([0, 1]);
    expect(gateway.aggregates().at(-1)?.count).toBe(60);
  });
});

describe('the bound on memory', () => {
  it('closes the oldest windows early, counts them, and revises them when more comes', async () => {
    const gateway = await new Gateway([noiseRule({ minCoverage: 0 })], { maxOpenWindows: 20 }).start();
    const ages = Array.from({ length: 100 }, (_, index) => TEN - index * 24 * HOUR + 1000);
    for (const observedAt of ages) await gateway.accept([sample({ observedAt })]);
    for (const observedAt of ages) await gateway.accept([sample({ observedAt: observedAt + 1000 })]);
    await gateway.clock.advance(0);
    expect(gateway.aggregator.openWindows).toBeLessThanOrEqual(20);
    expect(gateway.metrics.total('cigale_aggregate_windows_spilled_total')).toBeGreaterThan(100);
    await gateway.until(TEN + HOUR);
    const last = new Map(gateway.aggregates().map((aggregate) => [aggregate.start, aggregate.count]));
    expect([...last.values()]).toEqual(Array.from({ length: 100 }, () => 2));
  });

  it('stops reading, rather than grow, while the store refuses', async () => {
    const gateway = new Gateway([noiseRule()], { maxOpenWindows: 20 });
    gateway.store.readLimit = 10;
    await gateway.accept(Array.from({ length: 200 }, (_, index) => sample({ observedAt: TEN - index * HOUR })));
    gateway.store.fateOf = () => 'lost';
    await gateway.start();
    await gateway.clock.advance(30_000);
    expect(gateway.aggregator.openWindows).toBeLessThanOrEqual(30);
    gateway.store.fateOf = () => 'committed';
    await gateway.clock.advance(30_000);
    expect(gateway.aggregates()).toHaveLength(200);
  });
});
