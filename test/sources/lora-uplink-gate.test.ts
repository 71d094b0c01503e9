import { beforeEach, describe, expect, it } from 'vitest';
import type { StoredUplink } from '../../src/model/frame.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { UplinkGate } from '../../src/sources/lora/uplink-gate.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { heard, hex, MemoryUplinkStore, OTHER_KEYS, session, uplinkFrame } from './lora-frames.ts';

let clock: ManualClock;
let store: MemoryUplinkStore;
let metrics: Metrics;
let accepted: StoredUplink[];
let gate: UplinkGate;

const newGate = (): UplinkGate =>
  new UplinkGate({ store, onAccepted: (uplink) => accepted.push(uplink), clock, log: memoryLog(), metrics });
const rejected = (reason: string): number => metrics.value('cigale_frames_rejected_total', { source: 'lora', reason });
const counters = (): number[] => accepted.map((uplink) => uplink.fCnt);
/** Hears frames one after the other, each past the window of the one before. */
async function hearAll(...frames: Uint8Array[]): Promise<void> {
  for (const frame of frames) {
    gate.hear([heard(frame)]);
    await clock.advance(300);
  }
}

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryUplinkStore();
  metrics = new Metrics();
  accepted = [];
  gate = newGate();
  gate.setSessions([session()]);
});

describe('what the gate accepts', () => {
  it('takes a genuine frame once the store has it', async () => {
    store.held = true;
    await hearAll(uplinkFrame({ fCnt: 0 }));
    expect(accepted).toEqual([]);
    store.release();
    await clock.advance(0);
    expect(accepted).toMatchObject([{ device: 'sensor-1', devAddr: '49be7df1', fCnt: 0, confirmed: false, id: 1 }]);
  });

  it('commits a confirmed frame at once and others within the interval', async () => {
    await hearAll(uplinkFrame({ fCnt: 0 }), uplinkFrame({ fCnt: 1, confirmed: true }));
    expect(store.urgencies).toEqual(['interval', 'now']);
  });

  it('tells apart by MIC two devices that share an address', async () => {
    gate.setSessions([session(), session({ device: 'sensor-2', keys: OTHER_KEYS })]);
    await hearAll(uplinkFrame({ fCnt: 4, keys: OTHER_KEYS }), uplinkFrame({ fCnt: 1 }));
    expect(accepted.map(({ device, fCnt }) => [device, fCnt])).toEqual([
      ['sensor-2', 4],
      ['sensor-1', 1],
    ]);
  });

  it('follows the counter over its 16 bits', async () => {
    gate.setSessions([session({ nextFCntUp: 65_534 })]);
    await hearAll(...[65_534, 65_535, 65_536, 65_539].map((fCnt) => uplinkFrame({ fCnt })));
    expect(counters()).toEqual([65_534, 65_535, 65_536, 65_539]);
  });

  it('keeps the counter over a restart', async () => {
    await hearAll(uplinkFrame({ fCnt: 0 }), uplinkFrame({ fCnt: 1 }));
    gate = newGate();
    gate.setSessions([session({ nextFCntUp: store.nextFCntUp('sensor-1') })]);
    await hearAll(uplinkFrame({ fCnt: 0 }), uplinkFrame({ fCnt: 1 }), uplinkFrame({ fCnt: 2 }));
    expect(counters()).toEqual([0, 1, 2]);
    expect([rejected('replay'), rejected('retransmission')]).toEqual([1, 1]);
  });

  it('hands over what waits when it stops, and takes nothing more', async () => {
    gate.hear([heard(uplinkFrame({ fCnt: 0 }))]);
    await gate.stop();
    gate.hear([heard(uplinkFrame({ fCnt: 1 }))]);
    expect(counters()).toEqual([0]);
    expect(rejected('stopped')).toBe(1);
  });
});

describe('one frame heard several times', () => {
  it('is accepted once within the window, with the best reception', async () => {
    const frame = uplinkFrame({ fCnt: 0 });
    gate.hear([
      heard(frame, { snrDb: 2 }),
      heard(frame, { snrDb: 9.5, gatewayEui: 'bb' }),
      heard(frame, { snrDb: -3 }),
    ]);
    await clock.advance(300);
    expect(accepted).toHaveLength(1);
    expect(accepted[0]!.reception).toMatchObject({ snrDb: 9.5, gatewayEui: 'bb' });
    expect(rejected('duplicate')).toBe(2);
  });

  it('is a retransmission after the window and is not published again', async () => {
    const frame = uplinkFrame({ fCnt: 3, confirmed: true });
    await hearAll(frame, frame, frame);
    expect(accepted).toHaveLength(1);
    expect(rejected('retransmission')).toBe(2);
  });

  it('is a replay once another frame came between', async () => {
    await hearAll(uplinkFrame({ fCnt: 3 }), uplinkFrame({ fCnt: 4 }), uplinkFrame({ fCnt: 3 }));
    expect(counters()).toEqual([3, 4]);
    expect(rejected('replay')).toBe(1);
  });

  it('is a replay after the counter passed 65,536 too', async () => {
    gate.setSessions([session({ nextFCntUp: 65_530 })]);
    await hearAll(uplinkFrame({ fCnt: 65_530 }), uplinkFrame({ fCnt: 65_540 }), uplinkFrame({ fCnt: 65_530 }));
    expect(counters()).toEqual([65_530, 65_540]);
    expect(rejected('replay')).toBe(1);
  });

  it('does not pass twice while the store is still committing', async () => {
    store.held = true;
    await hearAll(uplinkFrame({ fCnt: 0 }), uplinkFrame({ fCnt: 0 }));
    store.release();
    await clock.advance(300);
    expect(counters()).toEqual([0]);
  });
});

describe('a device that loses its counter', () => {
  it('is refused when the registry does not allow it', async () => {
    await hearAll(uplinkFrame({ fCnt: 100 }), uplinkFrame({ fCnt: 0 }));
    expect(counters()).toEqual([100]);
    expect(rejected('replay')).toBe(1);
  });

  it('starts again where the registry allows it, even above 65,536', async () => {
    gate.setSessions([session({ relaxedCounter: true, nextFCntUp: 70_000 })]);
    await hearAll(uplinkFrame({ fCnt: 70_000 }), uplinkFrame({ fCnt: 0 }), uplinkFrame({ fCnt: 1 }));
    expect(counters()).toEqual([70_000, 0, 1]);
  });

  it('does not start again for an old frame that the store knows', async () => {
    gate.setSessions([session({ relaxedCounter: true, nextFCntUp: 10 })]);
    store.knows.add(3);
    await hearAll(uplinkFrame({ fCnt: 10 }), uplinkFrame({ fCnt: 3 }), uplinkFrame({ fCnt: 10 }));
    expect(counters()).toEqual([10]);
    expect([rejected('duplicate'), rejected('retransmission')]).toEqual([1, 1]);
  });
});

describe('a store that refuses', () => {
  it('gives the counter back, so that the same frame passes later, and counts the loss', async () => {
    store.refusing = true;
    await hearAll(uplinkFrame({ fCnt: 0 }));
    store.refusing = false;
    await hearAll(uplinkFrame({ fCnt: 0 }));
    expect(counters()).toEqual([0]);
    expect(rejected('store-refused')).toBe(1);
  });
});

describe('sessions given again', () => {
  it('keep the higher counter of memory and store', async () => {
    await hearAll(uplinkFrame({ fCnt: 10 }));
    gate.setSessions([session({ nextFCntUp: 3 })]);
    await hearAll(uplinkFrame({ fCnt: 5 }));
    gate.setSessions([session({ nextFCntUp: 20 })]);
    await hearAll(uplinkFrame({ fCnt: 15 }), uplinkFrame({ fCnt: 20 }));
    expect(counters()).toEqual([10, 20]);
  });

  it('start afresh under other keys', async () => {
    await hearAll(uplinkFrame({ fCnt: 10 }));
    gate.setSessions([session({ keys: OTHER_KEYS })]);
    await hearAll(uplinkFrame({ fCnt: 0, keys: OTHER_KEYS }));
    expect(counters()).toEqual([10, 0]);
  });

  it('leave out a device whose key cannot be one', async () => {
    gate.setSessions([session({ keys: { nwkSKey: 'not a key', appSKey: '' } })]);
    await hearAll(uplinkFrame({ fCnt: 0 }));
    expect(rejected('unknown-device')).toBe(1);
  });
});

describe('devices heard but not accepted', () => {
  const JOIN = hex('00010000d07ed5b3700100cc00bb00aa0001002794eb74');

  it('are listed with how well they were heard, last heard first', async () => {
    await hearAll(uplinkFrame({ fCnt: 0, devAddr: '0badcafe' }), JOIN, uplinkFrame({ fCnt: 1, devAddr: '0badcafe' }));
    expect(gate.heard()).toMatchObject([
      { kind: 'data', devAddr: '0badcafe', count: 2, reason: 'unknown-device', rssiDbm: -80, snrDb: 5 },
      { kind: 'join', devEui: '00aa00bb00cc0001', joinEui: '70b3d57ed0000001', count: 1, reason: 'unknown-join' },
    ]);
    expect([rejected('unknown-device'), rejected('join-request')]).toEqual([2, 1]);
  });

  it('tell a join-request of a device of the registry from a stranger’s', async () => {
    gate.setJoinDevices(['00aa00bb00cc0001']);
    await hearAll(JOIN);
    expect(gate.heard()).toMatchObject([{ reason: 'known-join' }]);
  });

  it('include a known address with a wrong key', async () => {
    await hearAll(uplinkFrame({ fCnt: 0, keys: OTHER_KEYS }));
    expect(gate.heard()).toMatchObject([{ devAddr: '49be7df1', reason: 'bad-mic' }]);
    expect(rejected('bad-mic')).toBe(1);
  });

  it('leave the list when the registry learns of them', async () => {
    await hearAll(uplinkFrame({ fCnt: 0, devAddr: '0badcafe' }));
    gate.setSessions([session({ devAddr: '0BADCAFE' })]);
    expect(gate.heard()).toEqual([]);
  });

  it('are at most 500, the oldest leaving first', () => {
    for (let n = 0; n < 600; n += 1)
      gate.hear([heard(uplinkFrame({ fCnt: 0, devAddr: (n + 1).toString(16).padStart(8, '0') }))]);
    expect(gate.heard()).toHaveLength(500);
    expect(gate.heard().at(-1)).toMatchObject({ devAddr: (101).toString(16).padStart(8, '0') });
    expect(metrics.value('cigale_heard_forgotten_total')).toBe(100);
  });
});

describe('hostile radio traffic', () => {
  it('never accepts one of 100,000 random or damaged frames, and does not throw', () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    process.stderr.write(`fuzz seed ${seed}\n`);
    const random = generator(seed);
    const genuine = uplinkFrame({ fCnt: 9 });
    for (let round = 0; round < 100_000; round += 1) gate.hear([heard(hostileFrame(random, genuine))]);
    expect(store.urgencies).toEqual([]);
    expect(metrics.total('cigale_frames_rejected_total')).toBe(100_000);
    expect(gate.heard().length).toBeLessThanOrEqual(500);
  });
});

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function hostileFrame(random: () => number, genuine: Buffer): Uint8Array {
  const byte = (): number => Math.floor(random() * 256);
  if (random() < 0.5) return Uint8Array.from({ length: Math.floor(random() * 60) }, byte);
  const damaged = Buffer.from(genuine.subarray(0, random() < 0.2 ? byte() % genuine.length : genuine.length));
  if (damaged.length > 0) damaged[byte() % damaged.length]! ^= 1 + (byte() % 255);
  return damaged;
}
