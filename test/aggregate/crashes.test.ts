import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Aggregate, Sample } from '../../src/model/record.ts';
import type { WriteFate } from '../fakes/memory-store.ts';
import { Gateway } from './gateway.ts';
import { HOUR, heatRule, MINUTE, noiseRule, sample, temperature } from './records.ts';

const RULES = [
  noiseRule({ periodsMs: [MINUTE, 15 * MINUTE, HOUR] }),
  heatRule({ periodsMs: [MINUTE, 15 * MINUTE, HOUR] }),
];

interface Given {
  /** Age of the sample when it is accepted. */
  readonly ageMs: number;
  readonly place: string;
  readonly value: number;
  readonly isNoise: boolean;
}

type Action =
  | { readonly do: 'accept'; readonly samples: readonly Given[] }
  | { readonly do: 'advance'; readonly ms: number }
  | { readonly do: 'step'; readonly ms: number }
  | { readonly do: 'kill' }
  | { readonly do: 'die-in-write'; readonly fate: WriteFate };

const given = fc.record<Given>({
  ageMs: fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    fc.integer({ min: -2 * MINUTE, max: 3 * HOUR }),
    fc.integer({ min: 0, max: 10 }).map((minutes) => minutes * MINUTE),
  ),
  place: fc.constantFrom('place-a', 'place-b'),
  value: fc.integer({ min: 300, max: 900 }).map((tenths) => tenths / 10),
  isNoise: fc.boolean(),
});

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      samples: fc.array(given, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 3 * MINUTE }) }),
  },
  fc.record({ do: fc.constant('step' as const), ms: fc.integer({ min: -10 * MINUTE, max: 10 * MINUTE }) }),
  fc.record({ do: fc.constant('kill' as const) }),
  fc.record({
    do: fc.constant('die-in-write' as const),
    fate: fc.constantFrom<WriteFate>('lost', 'unanswered'),
  }),
);

function toSample({ ageMs, place, value, isNoise }: Given, nowMs: number): Sample {
  const observedAt = nowMs - ageMs;
  return isNoise ? sample({ place, value, observedAt }) : temperature(observedAt, value, { place });
}

async function perform(gateway: Gateway, step: Action): Promise<void> {
  if (step.do === 'advance') await gateway.clock.advance(step.ms);
  else if (step.do === 'step') gateway.clock.step(step.ms);
  else if (step.do === 'kill') await gateway.restart();
  else if (step.do === 'accept') {
    await gateway.accept(step.samples.map((one) => toSample(one, gateway.clock.nowMs())));
  } else {
    let died = false;
    gateway.store.fateOf = () => {
      if (died) return 'committed';
      died = true;
      gateway.kill();
      return step.fate;
    };
    await gateway.clock.advance(2 * MINUTE);
    if (died) await gateway.start();
    gateway.store.fateOf = () => 'committed';
  }
}

/** What a window must come to, by its name, computed without any of the code under test. */
function expectedOf(samples: readonly Sample[]): Map<string, { count: number; main: number; max: number }> {
  const groups = new Map<string, number[]>();
  for (const { place, quantity, periodMs, observedAt, value } of samples) {
    for (const window of [MINUTE, 15 * MINUTE, HOUR]) {
      const instant = periodMs === null ? observedAt : observedAt - 1;
      const name = [place, quantity, window, instant - (instant % window)].join();
      groups.set(name, [...(groups.get(name) ?? []), value!]);
    }
  }
  const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length;
  return new Map(
    [...groups].map(([name, values]) => {
      const level = 10 * Math.log10(mean(values.map((one) => 10 ** (one / 10))));
      const main = name.includes('LAeq') ? level : mean(values);
      return [name, { count: values.length, main, max: Math.max(...values) }];
    }),
  );
}

const contents = ({ revision: _revision, flags, ...rest }: Aggregate): string =>
  JSON.stringify([flags.filter((flag) => flag !== 'late'), rest]);

it('writes each window once for each content, whatever the order of samples, steps of the clock and kills', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 40 }),
      fc.constantFrom(3, 1000),
      fc.constantFrom(15, 50_000),
      async (actions, readLimit, maxOpenWindows) => {
        const gateway = new Gateway(RULES, { maxOpenWindows });
        gateway.store.readLimit = readLimit;
        await gateway.start();
        for (const step of actions) await perform(gateway, step);
        await gateway.clock.advance(2 * HOUR);

        const byWindow = new Map<string, Aggregate[]>();
        for (const aggregate of gateway.aggregates()) {
          const name = [aggregate.place, aggregate.quantity, aggregate.periodMs, aggregate.start].join();
          byWindow.set(name, [...(byWindow.get(name) ?? []), aggregate]);
        }
        const samples = gateway.store.entries.map(({ record }) => record).filter((record) => record.kind === 'sample');
        const expected = expectedOf(samples);
        expect([...byWindow.keys()].toSorted()).toEqual([...expected.keys()].toSorted());
        for (const [name, revisions] of byWindow) {
          expect(revisions.map(({ revision }) => revision)).toEqual(revisions.map((_, index) => index));
          for (const [index, one] of revisions.entries()) {
            expect(contents(one)).not.toBe(index === 0 ? '' : contents(revisions[index - 1]!));
          }
          const { count, main, max } = expected.get(name)!;
          const { count: counted, values } = revisions.at(-1)!;
          expect(counted).toBe(count);
          expect(values['LAeq'] ?? values['mean']).toBeCloseTo(main, 9);
          expect(values['LAeq1sMax'] ?? values['max']).toBe(max);
        }
        expect(gateway.aggregator.openWindows).toBe(0);
        expect(await gateway.store.aggregateCursor()).toBeLessThanOrEqual(gateway.store.head());
      },
    ),
    { numRuns: Number(process.env['RUNS'] ?? 60) },
  );
});
