import { describe, expect, it } from 'vitest';
import type { Destination, LogEntry } from '../../src/model/record.ts';
import { GatewayError } from '../../src/runtime/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { Acceptance } from '../../src/wiring/acceptance.ts';
import { GapRecorder } from '../../src/wiring/gap-recorder.ts';
import { LiveHub } from '../../src/wiring/live.ts';
import type { RecordTime } from '../../src/wiring/record-time.ts';
import { settle } from '../fakes/manual-clock.ts';
import { broker, gateway, planOf, port, rule, send, serial } from '../flow/flow-builder.ts';
import { aggregate, entry, sample, uplink } from '../store/records.ts';
import { StoreFixture, all } from '../store/store-fixture.ts';

const SECOND = 1000;
const plan = planOf([
  gateway({ commitInterval: '1s' }),
  broker(),
  port(),
  serial({ wires: [['send'], []] }),
  send(),
  send({ id: 'other', stream: 'metropole' }),
]);

const gapsOf = (store: Store): Promise<readonly LogEntry[]> => all(store, { kind: 'gap' });
const OFF = { kind: 'gap', place: '', stream: '', cause: 'gateway-off', count: null };

/** A store that commits at once, whatever its clock says. */
async function opened(fixture: StoreFixture): Promise<Store> {
  const store = await fixture.open();
  store.drain();
  return store;
}

/** Time passes, and what was to be written by then is on disk. */
async function pass(fixture: StoreFixture, store: Store, ms: number): Promise<void> {
  await fixture.clock.advance(ms);
  await expect.poll(async () => (await store.status()).pendingEntries).toBe(0);
  await settle();
}

/** A run of the recorder on the store, from its start to its plan; the clock stands still meanwhile. */
async function run(fixture: StoreFixture, store: Store, time?: RecordTime): Promise<GapRecorder> {
  const { clock, log, metrics } = fixture;
  const recorder = new GapRecorder(store, { clock, log, metrics, random: () => 0.5, ...(time && { time }) });
  await recorder.start();
  recorder.setRoutes(plan.routes);
  recorder.planRuns(plan);
  await pass(fixture, store, 0);
  return recorder;
}

/** A line of time that was wrong by so much until now, or is not known yet. */
const timeOf = (wrongByMs: number, isOffTimeUnknown: boolean): RecordTime => ({
  stamp: (measurement) => measurement,
  settled: (at) => at + wrongByMs,
  heard: () => undefined,
  isOffTimeUnknown,
  onSet: () => undefined,
});

/** The recorder is forgotten, as a kill does. */
async function reopened(fixture: StoreFixture, store: Store): Promise<Store> {
  await store.stop();
  return opened(fixture);
}

describe('the time without a gateway', () => {
  it('begins in the line of time as it stands now, where the clock was set meanwhile', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    let store = await opened(fixture);
    await run(fixture, store);
    const aliveAt = fixture.clock.nowMs();
    store = await reopened(fixture, store);
    const wrongByMs = 3600 * SECOND;
    fixture.clock.step(wrongByMs);
    await fixture.clock.advance(60 * SECOND);
    await run(fixture, store, timeOf(wrongByMs, false));
    expect((await gapsOf(store)).map(({ record }) => record)).toEqual([
      { ...OFF, from: aliveAt + wrongByMs, to: fixture.clock.nowMs() },
    ]);
  });

  it('is a gap of whatever length in a boot whose time is not known: its end is put right later', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    let store = await opened(fixture);
    await run(fixture, store);
    store = await reopened(fixture, store);
    await run(fixture, store, timeOf(0, true));
    expect(await gapsOf(store)).toMatchObject([{ record: { cause: 'gateway-off' } }]);
  });

  it('comes with the time of samples that nobody will ever know', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const store = await opened(fixture);
    const { clock, log, metrics } = fixture;
    const recorder = new GapRecorder(store, { clock, log, metrics, random: () => 0.5 });
    await recorder.start();
    recorder.timeUnknown(5000, 9000);
    recorder.planRuns(plan);
    await pass(fixture, store, 0);
    expect((await gapsOf(store)).map(({ record }) => record)).toEqual([
      { ...OFF, cause: 'clock', from: 5000, to: 9000 },
    ]);
  });

  it('is one gap of the whole gateway, from the last record to the start, for every stream of the plan', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock } = fixture;
    let store = await opened(fixture);
    await run(fixture, store);
    await clock.advance(20 * SECOND);
    const receivedAt = clock.nowMs();
    await store.append([{ record: sample(1, { receivedAt }), to: [] }]);
    store = await reopened(fixture, store);
    await clock.advance(3600 * SECOND);
    const startedAt = clock.nowMs();
    await run(fixture, store);
    const [gap, ...others] = await gapsOf(store);
    expect(gap?.record).toEqual({ ...OFF, from: receivedAt, to: startedAt });
    expect(gap?.to.toSorted()).toEqual(['stream:metropole', 'stream:ville']);
    expect(others).toEqual([]);
    store = await reopened(fixture, store);
    await run(fixture, store);
    expect(await gapsOf(store)).toHaveLength(1);
  });

  it('begins at most a minute early when no record came before the kill', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock } = fixture;
    let store = await opened(fixture);
    await run(fixture, store);
    for (let times = 0; times < 10; times += 1) await pass(fixture, store, 29 * SECOND);
    const killedAt = clock.nowMs();
    store = await reopened(fixture, store);
    await clock.advance(600 * SECOND);
    await run(fixture, store);
    const [gap] = await gapsOf(store);
    const from = gap?.record.kind === 'gap' ? gap.record.from : 0;
    expect(killedAt - from).toBeGreaterThanOrEqual(0);
    expect(killedAt - from).toBeLessThanOrEqual(60 * SECOND);
  });

  it('begins exactly at a clean stop', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock } = fixture;
    let store = await opened(fixture);
    const recorder = await run(fixture, store);
    await clock.advance(33 * SECOND);
    const stoppedAt = clock.nowMs();
    await recorder.stop();
    store = await reopened(fixture, store);
    await clock.advance(10 * SECOND);
    await run(fixture, store);
    expect(await gapsOf(store)).toMatchObject([{ record: { from: stoppedAt, to: stoppedAt + 10 * SECOND } }]);
  });

  it('is no gap after a restart within two seconds and the commit interval, nor at the first start', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    let store = await opened(fixture);
    await (await run(fixture, store)).stop();
    store = await reopened(fixture, store);
    await fixture.clock.advance(3 * SECOND);
    await run(fixture, store);
    expect(await gapsOf(store)).toEqual([]);
  });

  it('has no length when the clock was set back meanwhile', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    let store = await opened(fixture);
    await (await run(fixture, store)).stop();
    store = await reopened(fixture, store);
    fixture.clock.step(-86_400 * SECOND);
    const startedAt = fixture.clock.nowMs();
    await run(fixture, store);
    expect(await gapsOf(store)).toMatchObject([{ record: { from: startedAt, to: startedAt } }]);
  });

  it('holds no time of which samples are on disk, also where a frame waited for the disk and its samples came last', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock } = fixture;
    let store = await opened(fixture);
    await run(fixture, store);
    const frameAt = clock.nowMs();
    await clock.advance(5 * SECOND);
    const lineAt = clock.nowMs();
    await store.append([
      { record: sample(1, { receivedAt: lineAt }), to: [] },
      { record: sample(2, { receivedAt: frameAt }), to: [] },
    ]);
    store = await reopened(fixture, store);
    await clock.advance(60 * SECOND);
    await run(fixture, store);
    expect(await gapsOf(store)).toMatchObject([{ record: { ...OFF, from: lineAt, to: clock.nowMs() } }]);
  });

  it('begins with the last frame that was accepted, decoded or not', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock } = fixture;
    let store = await opened(fixture);
    await run(fixture, store);
    await clock.advance(5 * SECOND);
    const receivedAt = clock.nowMs();
    await store.acceptUplink(uplink(1, { receivedAt }), 'now');
    store = await reopened(fixture, store);
    await clock.advance(60 * SECOND);
    await run(fixture, store);
    expect(await gapsOf(store)).toMatchObject([{ record: { ...OFF, from: receivedAt, to: clock.nowMs() } }]);
  });

  it('is not told by aggregates, whose times are those of their samples', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const store = await opened(fixture);
    const far = { record: aggregate(fixture.clock.nowMs() + 1e9), to: [] };
    await store.append([entry(0), far]);
    const startedAt = fixture.clock.nowMs();
    await run(fixture, store);
    expect(await gapsOf(store)).toMatchObject([{ record: { cause: 'gateway-off', to: startedAt } }]);
  });
});

describe('a gap of a line', () => {
  const watched = (recorder: GapRecorder): void => {
    recorder.watch('port', plan.serialSources);
    recorder.portChanged('port', true);
  };

  it('goes to the streams of the place, once, and also when only aggregates of it are sent', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const store = await opened(fixture);
    const recorder = await run(fixture, store);
    const { routes } = planOf([
      gateway(),
      broker(),
      port(),
      serial({ wires: [['noise', 'send'], []] }),
      rule('noise', { wires: [['send', 'other']] }),
      send(),
      send({ id: 'other', stream: 'metropole' }),
    ]);
    recorder.setRoutes(routes);
    watched(recorder);
    recorder.portChanged('port', false);
    await fixture.clock.advance(10 * SECOND);
    recorder.portChanged('port', true);
    recorder.heard('serial');
    recorder.heard('serial');
    await pass(fixture, store, 0);
    const [gap, ...others] = await gapsOf(store);
    expect(others).toEqual([]);
    expect(gap?.record).toMatchObject({ cause: 'port-gone', place: 'mairie', count: null });
    expect(gap?.to.toSorted()).toEqual(['stream:metropole', 'stream:ville']);
  });

  it('is as long as it was, however the clock was set meanwhile', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const store = await opened(fixture);
    const recorder = await run(fixture, store);
    watched(recorder);
    recorder.portChanged('port', false);
    await fixture.clock.advance(5 * SECOND);
    fixture.clock.step(20 * 365 * 86_400 * SECOND);
    await fixture.clock.advance(5 * SECOND);
    recorder.portChanged('port', true);
    recorder.heard('serial');
    const to = fixture.clock.nowMs();
    await pass(fixture, store, 0);
    expect(await gapsOf(store)).toMatchObject([{ record: { from: to - 10 * SECOND, to } }]);
  });

  it('that is still open when the gateway stops is written as far as it goes', async () => {
    const fixture = await StoreFixture.create('sqlite3');
    const store = await opened(fixture);
    const recorder = await run(fixture, store);
    watched(recorder);
    recorder.portChanged('port', false);
    await fixture.clock.advance(10 * SECOND);
    await recorder.stop();
    const to = fixture.clock.nowMs();
    expect(await gapsOf(store)).toMatchObject([{ record: { from: to - 10 * SECOND, to, cause: 'port-gone' } }]);
  });
});

describe('samples that the store refuses', () => {
  const refusing = (store: Store, refuses: () => GatewayError | null): Store =>
    Object.create(store, {
      append: {
        value: (...given: Parameters<Store['append']>) => {
          const error = refuses();
          return error === null ? store.append(...given) : Promise.reject(error);
        },
      },
    }) as Store;

  it.each([
    ['store-full', new GatewayError('STORE_BACKPRESSURE', 'full', { context: { fault: 'STORE_FULL' } })],
    ['backpressure', new GatewayError('STORE_BACKPRESSURE', 'full', { context: { fault: null } })],
    ['refused', new GatewayError('STORE_CONSTRAINT', 'wrong')],
  ])('are a gap with their number and the cause %s, once the store takes records again', async (cause, error) => {
    const fixture = await StoreFixture.create('sqlite3');
    const { clock, log, metrics } = fixture;
    let fault: GatewayError | null = null;
    const real = await opened(fixture);
    const store = refusing(real, () => fault);
    const acceptance = new Acceptance(store, new LiveHub(), { clock, log, metrics, random: () => 0.5 });
    acceptance.setRoutes(plan.routes);
    const measurement = sample(1, { place: 'mairie' });
    const accept = async (): Promise<void> => {
      acceptance.accept('serial', [measurement, measurement]);
      await pass(fixture, real, 2 * SECOND);
    };
    await accept();
    fault = error;
    const from = clock.nowMs();
    await accept();
    await accept();
    const to = clock.nowMs() - 2 * SECOND;
    expect(await gapsOf(real)).toEqual([]);
    fault = null;
    await accept();
    await pass(fixture, real, 0);
    const gaps = await gapsOf(real);
    expect(gaps.map(({ record }) => record)).toEqual([
      { kind: 'gap', place: 'mairie', stream: '', from, to, cause, count: 4 },
    ]);
    expect(gaps[0]?.to).toEqual<Destination[]>(['stream:ville']);
    expect((await all(real, { kind: 'sample' })).length).toBe(4);
  });
});
