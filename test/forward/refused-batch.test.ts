import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishOutcome } from '../../src/forward/publisher.ts';
import { settle } from '../fakes/manual-clock.ts';
import { ManualPublisher, type Published } from '../fakes/manual-publisher.ts';
import { sampleEntries } from '../fakes/memory-outbox.ts';
import { run, Sending } from './sending.ts';

const TO = ['stream:ville'] as const;
const MINUTE_MS = 60_000;
const acknowledged: PublishOutcome = { kind: 'acknowledged' };
const refused = (reasonCode: number): PublishOutcome => ({ kind: 'refused', reasonCode });

interface Body {
  readonly seq: number;
  readonly records: readonly { readonly id: string }[];
  readonly replacedBy?: readonly [number, number];
  readonly parked?: readonly string[];
}

const bodyOf = ({ payload }: Pick<Published, 'payload'>): Body => JSON.parse(Buffer.from(payload).toString()) as Body;
const idsOf = (message: Pick<Published, 'payload'>): number[] => bodyOf(message).records.map(({ id }) => Number(id));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const without = (count: number, poisoned: readonly number[]): number[] =>
  upTo(count).filter((id) => !poisoned.includes(id));

/** A broker that answers `refusal` to every batch that holds one of the poisoned records. */
class Refusing {
  readonly sending: Sending;
  readonly taken: number[] = [];
  readonly refusal: (message: Published) => Promise<PublishOutcome>;
  isPoisoned: (message: Published) => boolean;

  constructor(
    sending: Sending,
    isPoisoned: (message: Published) => boolean,
    reasonCode: number | 'close',
    publisher = sending.publisher,
  ) {
    this.sending = sending;
    this.isPoisoned = isPoisoned;
    this.refusal = () => (reasonCode === 'close' ? this.#close() : Promise.resolve(refused(reasonCode)));
    publisher.answer = async (message) => {
      await settle();
      if (!publisher.online) return { kind: 'connection-lost' };
      if (this.isPoisoned(message)) return this.refusal(message);
      this.taken.push(...idsOf(message));
      return acknowledged;
    };
    publisher.become(true);
  }

  get parked(): readonly number[] {
    return (this.sending.disk.outboxes.get('ville')?.parked ?? []).map(({ id }) => Number(id));
  }

  get takenIds(): readonly number[] {
    return this.taken.toSorted((a, b) => a - b);
  }

  get seqs(): readonly number[] {
    return this.sending.disk.sealed('ville').map(({ seq }) => seq);
  }

  #close(): Promise<PublishOutcome> {
    this.sending.publisher.become(false);
    this.sending.clock.after(1000, () => this.sending.publisher.become(true));
    return Promise.resolve({ kind: 'connection-lost' });
  }
}

const holds = (poisoned: readonly number[]) => (message: Published) =>
  idsOf(message).some((id) => poisoned.includes(id));

describe('a record that the broker refuses', () => {
  it.each([1, 500, 1000])('is found among a thousand at place %i, and everything else is delivered', async (poison) => {
    const sending = new Sending({ maxRecords: 1000 });
    const broker = new Refusing(sending, holds([poison]), 0x99);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(1000, TO));
    await run(sending, MINUTE_MS, 500);
    expect(broker.takenIds).toEqual(without(1000, [poison]));
    expect(broker.parked).toEqual([poison]);
    expect(broker.seqs).toEqual(upTo(broker.seqs.length));
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([]);
    expect(sender.status()).toMatchObject({ state: 'sending', unacknowledged: 0, backlogRecords: 0, parkedRecords: 1 });
    expect(sending.publisher.seqs.length).toBeLessThanOrEqual(34);
    await run(sending, 60 * MINUTE_MS, MINUTE_MS);
    expect(sending.publisher.seqs.length).toBeLessThanOrEqual(34);
    expect(sending.metrics.value('cigale_records_parked_total', { stream: 'ville' })).toBe(1);
    expect(sending.log.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await sender.stop();
  });

  it('leaves under each number that was refused a body that says where its records are', async () => {
    const sending = new Sending({ maxRecords: 4 });
    const broker = new Refusing(sending, holds([3]), 0x99);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(4, TO));
    await run(sending, MINUTE_MS, 500);
    const bodies = sending.disk.sealed('ville').map(({ body }) => bodyOf({ payload: body }));
    expect(
      bodies.map(({ records, replacedBy, parked }) => ({ ids: records.map(({ id }) => id), replacedBy, parked })),
    ).toEqual([
      { ids: [], replacedBy: [2, 3], parked: undefined },
      { ids: ['1', '2'], replacedBy: undefined, parked: undefined },
      { ids: [], replacedBy: [4, 5], parked: undefined },
      { ids: [], replacedBy: undefined, parked: ['3'] },
      { ids: ['4'], replacedBy: undefined, parked: undefined },
    ]);
    expect(broker.taken).toEqual([1, 2, 4]);
    const kept = await sending.disk.process().parkedRecords('ville', 10);
    expect(kept).toMatchObject([
      { id: '3', seq: 4, reasonCode: 0x99, naturalKey: `gw-istres-01/${sending.disk.epoch}/3/0` },
    ]);
    expect(JSON.parse(kept[0]!.record)).toMatchObject({ kind: 'sample', id: '3', value: 50.2 });
    await sender.stop();
  });

  it.each([0x99, 0x95, 0x80, 0x83, 'close'] as const)(
    'stops nothing, whatever the broker says (%s)',
    async (reasonCode) => {
      await fc.assert(
        fc.asyncProperty(
          fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 3 }),
          async (poisoned) => {
            const sending = new Sending({ maxRecords: 50, maxAgeMs: 1000 });
            const broker = new Refusing(sending, holds(poisoned), reasonCode);
            const { sender } = await sending.life();
            sending.disk.commit(sampleEntries(200, TO));
            let next = 200;
            let isLate = false;
            for (let second = 0; second < 600 && sender.status().parkedRecords < poisoned.length; second += 5) {
              sending.disk.commit(sampleEntries(5, TO, next));
              next += 5;
              await run(sending, 5000, 500);
              isLate ||= second >= 60 && !broker.taken.includes(next - 60);
            }
            await run(sending, 10_000, 500);
            expect(isLate).toBe(false);
            expect(broker.parked.toSorted((a, b) => a - b)).toEqual(poisoned.toSorted((a, b) => a - b));
            expect(broker.takenIds).toEqual(without(next, poisoned));
            expect(broker.seqs).toEqual(upTo(broker.seqs.length));
            expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([]);
            const perRecord = reasonCode === 0x99 || reasonCode === 0x95 ? 30 : 80;
            expect(sending.publisher.seqs.length).toBeLessThan(next / 5 + 10 + perRecord * poisoned.length);
            await sender.stop();
          },
        ),
        { numRuns: 20 },
      );
    },
    120_000,
  );

  it('is parked with its neighbours when they are refused too, however many stand side by side', async () => {
    const poisoned = upTo(400).slice(200, 230);
    const sending = new Sending({ maxRecords: 400 });
    const broker = new Refusing(sending, holds(poisoned), 0x99);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(400, TO));
    await run(sending, 2 * MINUTE_MS, 500);
    expect(broker.parked.toSorted((a, b) => a - b)).toEqual(poisoned);
    expect(broker.takenIds).toEqual(without(400, poisoned));
    await sender.stop();
  });

  it('waits, with its stream, once a thousand others were parked', async () => {
    const sending = new Sending({ maxRecords: 100, maxAgeMs: 1000 });
    const broker = new Refusing(sending, (message) => idsOf(message).some((id) => id > 10), 0x99);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(10, TO));
    await run(sending, 2000, 500);
    sending.disk.commit(sampleEntries(1100, TO, 10));
    await run(sending, 60 * MINUTE_MS, 2000);
    expect(broker.parked).toHaveLength(1000);
    expect(sender.status()).toMatchObject({ state: 'refused', parkedRecords: 1000 });
    broker.isPoisoned = () => false;
    await run(sending, 20 * MINUTE_MS, 2000);
    expect(sender.status()).toMatchObject({ state: 'sending', unacknowledged: 0, backlogRecords: 0 });
    expect([...broker.taken, ...broker.parked].toSorted((a, b) => a - b)).toEqual(upTo(1110));
    await sender.stop();
  }, 60_000);
});

describe('a broker with a fault of its own', () => {
  it.each([0x99, 0x95, 0x80, 0x83, 0x87, 0x90, 0x97, 0x91])(
    'that answers %i to everything gets everything once it is corrected',
    async (reasonCode) => {
      for (let trial = 0; trial < 20; trial += 1) {
        const sending = new Sending({ maxRecords: 10 + trial, maxAgeMs: 1000 });
        const broker = new Refusing(sending, () => true, reasonCode);
        const { sender } = await sending.life();
        sending.disk.commit(sampleEntries(100, TO));
        await run(sending, 30 * MINUTE_MS, 5000);
        expect(sending.publisher.seqs.length).toBeLessThan(8 * 20);
        expect(sender.status()).toMatchObject({ state: 'refused', parkedRecords: 0 });
        broker.isPoisoned = () => false;
        await run(sending, 10 * MINUTE_MS, 5000);
        expect(broker.takenIds).toEqual(upTo(100));
        expect(broker.parked).toEqual([]);
        expect(broker.seqs).toEqual(upTo(broker.seqs.length));
        await sender.stop();
      }
    },
    60_000,
  );

  it.each([0x87, 0x90, 0x97])('keeps a batch whole that is refused with %i while others get through', async (code) => {
    const sending = new Sending({ maxRecords: 10, maxAgeMs: 1000 });
    const broker = new Refusing(sending, holds([5]), code);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(100, TO));
    await run(sending, 30 * MINUTE_MS, 5000);
    expect(broker.takenIds).toEqual(upTo(100).slice(10));
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([1]);
    expect(sender.status()).toMatchObject({ state: 'refused', refusal: { seq: 1, reasonCode: code }, lastSeq: 10 });
    broker.isPoisoned = () => false;
    await run(sending, 6 * MINUTE_MS, 5000);
    expect(broker.takenIds).toEqual(upTo(100));
    await sender.stop();
  });
});

describe('a refusal of topic, rights or quota', () => {
  it.each([0x87, 0x90, 0x91, 0x97])(
    '%i lets the stream wait and ask with one batch at a time, and all flows within a minute of the cure',
    async (code) => {
      const sending = new Sending({ maxRecords: 10, maxAgeMs: 1000 });
      const broker = new Refusing(sending, () => true, code);
      const { sender } = await sending.life();
      sending.disk.commit(sampleEntries(100, TO));
      await run(sending, 60_000, 500);
      const before = sending.publisher.seqs.length;
      for (let probe = 0; probe < 10; probe += 1) {
        const asked = sending.publisher.seqs.length;
        sending.disk.commit(sampleEntries(5, TO, 100 + 5 * probe));
        await run(sending, 30_500, 500);
        const count = sending.publisher.seqs.length - asked;
        expect(count).toBeGreaterThanOrEqual(1);
        expect(count).toBeLessThanOrEqual(2);
      }
      expect(before).toBeLessThan(12);
      expect(sender.status()).toMatchObject({ state: 'refused', refusal: { seq: 1, reasonCode: code } });
      expect(sender.status().refusal?.text.fr).toContain(`(0x${code.toString(16)})`);
      broker.isPoisoned = () => false;
      await run(sending, MINUTE_MS, 500);
      expect(broker.takenIds).toEqual(upTo(150));
      expect(broker.seqs).toEqual(upTo(broker.seqs.length));
      expect(sender.status()).toMatchObject({ state: 'sending', parkedRecords: 0 });
      await sender.stop();
    },
  );

  it('is found cured within a minute although the oldest batch is still refused', async () => {
    const sending = new Sending({ maxRecords: 10, maxAgeMs: 1000 });
    const broker = new Refusing(sending, () => true, 0x97);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(60, TO));
    await run(sending, 10 * MINUTE_MS, 1000);
    const oldest = Math.min(...sending.publisher.seqs);
    const ids = idsOf(sending.publisher.batches.find(({ seq }) => seq === oldest)!);
    broker.isPoisoned = holds(ids);
    await run(sending, MINUTE_MS, 500);
    expect(broker.takenIds).toEqual(without(60, ids));
    await sender.stop();
  });
});

describe('a batch that is too large', () => {
  it('for the setting is split without being tried, and new ones keep to it', async () => {
    const sending = new Sending({ maxRecords: 500 });
    sending.publisher.answer = () => new Promise(() => undefined);
    sending.publisher.become(true);
    const first = await sending.life();
    sending.disk.commit(sampleEntries(500, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 1);
    first.store.kill();
    const lowered = new Sending({ maxRecords: 500, maxBytes: 8192 }, new ManualPublisher(), sending.disk);
    const broker = new Refusing(lowered, ({ payload }) => payload.byteLength > 8192, 0x95);
    const { sender } = await lowered.life();
    lowered.disk.commit(sampleEntries(500, TO, 500));
    await run(lowered, MINUTE_MS, 500);
    expect(broker.takenIds).toEqual(upTo(1000));
    expect(lowered.publisher.batches.filter(({ payload }) => payload.byteLength > 8192)).toEqual([]);
    await sender.stop();
  });

  it.each([2000, 5000])(
    'is split to what a broker takes that does not say its limit (%i bytes), which is learnt',
    async (limit) => {
      const sending = new Sending({ maxRecords: 1000, maxAgeMs: 1000 });
      const broker = new Refusing(sending, ({ payload }) => payload.byteLength > limit, 0x95);
      const { sender } = await sending.life();
      sending.disk.commit(sampleEntries(1000, TO));
      await run(sending, 5 * MINUTE_MS, 500);
      expect(broker.takenIds).toEqual(upTo(1000));
      expect(broker.parked).toEqual([]);
      const refusals = sending.publisher.batches.filter(({ payload }) => payload.byteLength > limit).length;
      expect(refusals).toBeLessThanOrEqual(40);
      sending.disk.commit(sampleEntries(1000, TO, 1000));
      await run(sending, 5 * MINUTE_MS, 500);
      expect(broker.takenIds).toEqual(upTo(2000));
      expect(sending.publisher.batches.filter(({ payload }) => payload.byteLength > limit)).toHaveLength(refusals);
      await sender.stop();
    },
  );

  it('is split when the broker comes back with a smaller limit', async () => {
    const sending = new Sending({ maxRecords: 500 });
    sending.publisher.answer = () => new Promise(() => undefined);
    sending.publisher.become(true);
    const first = await sending.life();
    sending.disk.commit(sampleEntries(500, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 1);
    first.store.kill();
    const publisher = new ManualPublisher();
    publisher.maxPacketBytes = 8000;
    const broker = new Refusing(sending, ({ payload }) => payload.byteLength + 300 > 8000, 0x95, publisher);
    const { sender } = await sending.life(publisher);
    await run(sending, MINUTE_MS, 500);
    expect(broker.takenIds).toEqual(upTo(500));
    expect(publisher.batches.filter((message) => broker.isPoisoned(message))).toHaveLength(1);
    expect(broker.parked).toEqual([]);
    await sender.stop();
  });
});

describe('the replacement of a refused batch', () => {
  it.each(['refuses', 'commits-and-fails'] as const)('is one of the two, whole, when its write %s', async (fault) => {
    const sending = new Sending({ maxRecords: 100 });
    const broker = new Refusing(sending, holds([42]), 0x99);
    const { sender } = await sending.life();
    sending.disk.replaceFault = fault;
    sending.disk.commit(sampleEntries(100, TO));
    await run(sending, MINUTE_MS, 500);
    expect(broker.takenIds).toEqual(without(100, [42]));
    expect(broker.parked).toEqual([42]);
    expect(broker.seqs).toEqual(upTo(broker.seqs.length));
    expect(sender.status()).toMatchObject({ state: 'sending', unacknowledged: 0 });
    await sender.stop();
  });
});
