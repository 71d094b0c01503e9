import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Statement } from '../../src/store/database.ts';
import { openDriver } from '../../src/store/open-driver.ts';
import type { Store } from '../../src/store/store.ts';
import { entry, sample } from './records.ts';
import { sealed } from './salvage-fixture.ts';
import { StoreFixture, all } from './store-fixture.ts';

const COMMITS = 12;

/** Twelve commits of ten records; `ville` has sealed the first thirty, `metropole` nothing. */
async function filled(): Promise<StoreFixture> {
  const fixture = await StoreFixture.create('node:sqlite');
  const store = await fixture.open();
  await store.openStream('ville', 1);
  await store.openStream('metropole', 1);
  for (let commit = 0; commit < COMMITS; commit += 1) {
    await store.append(
      Array.from({ length: 10 }, (_, index) => entry(commit * 10 + index, ['stream:ville', 'stream:metropole'])),
      'now',
    );
  }
  await store.sealBatch(sealed(1, 1, 31), { liveFrom: 31, backlog: [] });
  const acknowledged = store.acknowledge('ville', 1, 5000);
  await store.stop();
  await acknowledged;
  return fixture;
}

/** Changes the closed store and marks it as damaged, so that the next start salvages it. */
async function damage(fixture: StoreFixture, ...sql: readonly string[]): Promise<void> {
  const { dataDir, driver, log } = fixture;
  const editor = await openDriver({ path: join(dataDir, 'cigale.db'), driver, log });
  await editor.transaction(sql.map((text): Statement => ({ sql: text, params: [] })));
  await editor.close();
  await fixture.clock.advance(1000);
  const name = new Date(fixture.clock.nowMs()).toISOString().replaceAll(/[:.]/g, '-');
  await writeFile(join(dataDir, 'cigale.db-damaged'), `damaged-${name}`);
}

async function gapsOf(store: Store): Promise<readonly object[]> {
  const entries = await all(store, { kind: 'gap' });
  return entries.map(({ record, to }) =>
    record.kind === 'gap' ? { from: record.from, to: record.to, cause: record.cause, streams: to.toSorted() } : {},
  );
}

const takenAt = (index: number): number => sample(index).receivedAt;
const destroyed = (firstId: number): string => `UPDATE log SET data = zeroblob(9) WHERE first_id = ${firstId}`;

describe('what a salvage cannot carry over', () => {
  it('is declared from the record before it to the record after it, to the streams that had not sent it', async () => {
    const fixture = await filled();
    await damage(fixture, destroyed(11), destroyed(51), destroyed(61));
    const store = await fixture.open();
    expect(await gapsOf(store)).toEqual([
      { from: takenAt(9), to: takenAt(20), cause: 'store-damaged', streams: ['stream:metropole'] },
      {
        from: takenAt(49),
        to: takenAt(70),
        cause: 'store-damaged',
        streams: ['stream:metropole', 'stream:ville'],
      },
    ]);
    expect((await store.status()).salvage).toMatchObject({ lostRecords: 30 });
    for (const { liveFrom } of await store.listStreams()) expect(liveFrom).toBeLessThanOrEqual(121);
  });

  it('is declared up to the salvage where the end of the log is lost', async () => {
    const fixture = await filled();
    await damage(fixture, destroyed(101), destroyed(111));
    const store = await fixture.open();
    const streams = ['stream:metropole', 'stream:ville'];
    const to = fixture.clock.nowMs();
    expect(await gapsOf(store)).toEqual([{ from: takenAt(99), to, cause: 'store-damaged', streams }]);
    expect((await store.status()).salvage).toMatchObject({ lostRecords: 20 });
  });

  it('is declared before the first record that is left, with a length that is not known', async () => {
    const fixture = await filled();
    await damage(
      fixture,
      destroyed(1),
      destroyed(11),
      destroyed(21),
      destroyed(31),
      "DELETE FROM stream WHERE stream = 'metropole'",
    );
    const store = await fixture.open();
    const [gap] = await gapsOf(store);
    expect(gap).toMatchObject({
      from: takenAt(40),
      to: takenAt(40),
      streams: expect.arrayContaining(['stream:ville']),
    });
  });

  it('is declared once: a second salvage does not say it again', async () => {
    const fixture = await filled();
    await damage(fixture, destroyed(51));
    await (await fixture.open()).stop();
    await damage(fixture, destroyed(81));
    const store = await fixture.open();
    expect((await gapsOf(store)).map((gap) => ({ ...gap, streams: 0 }))).toEqual([
      { from: takenAt(49), to: takenAt(60), cause: 'store-damaged', streams: 0 },
      { from: takenAt(79), to: takenAt(90), cause: 'store-damaged', streams: 0 },
    ]);
  });

  it('is declared in at most 500 gaps, longer ones where there are more holes', async () => {
    const fixture = await filled();
    const store = await fixture.open();
    for (let commit = 0; commit < 1202; commit += 1) await store.append([entry(200 + commit)], 'now');
    await store.stop();
    await damage(fixture, 'DELETE FROM log WHERE first_id > 120 AND first_id % 2 = 0');
    const again = await fixture.open();
    const gaps = await gapsOf(again);
    expect(gaps.length).toBeLessThanOrEqual(500);
    expect(gaps.length).toBeGreaterThan(250);
    expect(gaps.at(-1)).toMatchObject({ to: fixture.clock.nowMs() });
  });
});
