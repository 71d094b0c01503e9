import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planOf, broker, gateway, send } from '../flow/flow-builder.ts';
import { declareWholeLoss } from '../../src/wiring/whole-loss.ts';
import { entry } from '../store/records.ts';
import { StoreFixture, all } from '../store/store-fixture.ts';

const plan = planOf([gateway({}), broker(), send(), send({ id: 'other', stream: 'metropole' })]);
const streams = plan.streams.map(({ stream }) => `stream:${stream}`);

async function restarted(fixture: StoreFixture) {
  await fixture.clock.advance(60_000);
  const store = await fixture.open();
  const { clock, log, metrics } = fixture;
  const declare = () => declareWholeLoss(store, plan, { clock, log, metrics, random: () => 0.5 });
  return { store, declare };
}

describe('a store that is lost as a whole', () => {
  it.each([
    ['its file is gone', (dataDir: string) => rm(join(dataDir, 'cigale.db'))],
    [
      'nothing in it can be read',
      (dataDir: string) => writeFile(join(dataDir, 'cigale.db'), 'no database '.repeat(500)),
    ],
  ])('is declared once, from when it was made to the start, to every stream of the flow (%s)', async (_, lose) => {
    const fixture = await StoreFixture.create('node:sqlite');
    const madeAt = fixture.clock.nowMs();
    const first = await fixture.open();
    await first.append([entry(0)], 'now');
    await first.stop();
    await lose(fixture.dataDir);
    const { store, declare } = await restarted(fixture);
    expect(store.epoch).not.toBe(first.epoch);
    await declare();
    await declare();
    const gaps = (await all(store, { kind: 'gap' })).map(({ record, to }) => ({ record, to }));
    const times = { from: madeAt, to: fixture.clock.nowMs() };
    expect(gaps).toMatchObject([{ record: { cause: 'store-damaged', place: '', ...times }, to: streams }]);
    await store.stop();
    const again = await restarted(fixture);
    await again.declare();
    expect(await all(again.store, { kind: 'gap' })).toHaveLength(1);
  });

  it('is nothing that a new gateway, or one that had no record yet, speaks of', async () => {
    const fixture = await StoreFixture.create('node:sqlite');
    await (await fixture.open()).stop();
    await rm(join(fixture.dataDir, 'cigale.db'));
    const { store, declare } = await restarted(fixture);
    await declare();
    expect(await all(store)).toEqual([]);
  });
});
