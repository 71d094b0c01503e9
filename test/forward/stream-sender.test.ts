import { describe, expect, it } from 'vitest';
import type { PublishOutcome } from '../../src/forward/publisher.ts';
import { ManualPublisher } from '../fakes/manual-publisher.ts';
import { sampleEntries, sampleEntry } from '../fakes/memory-outbox.ts';
import { run, Sending } from './sending.ts';

const TO = ['stream:ville'] as const;
const acknowledged: PublishOutcome = { kind: 'acknowledged' };

const idsOf = (payload: Uint8Array): number[] => {
  const body = JSON.parse(Buffer.from(payload).toString());
  return body.records.map(({ id }: { id: string }) => Number(id));
};

const allIds = (sending: Sending): number[] => sending.disk.sealed('ville').flatMap(({ body }) => idsOf(body));

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a stream with its broker connected', () => {
  it('seals when maxRecords wait, and the rest when the oldest has waited maxAge', async () => {
    const sending = new Sending();
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(130, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 1);
    expect(sending.disk.sealed('ville').map(({ recordCount }) => recordCount)).toEqual([100]);
    await run(sending, 9000, 1000);
    expect(sending.publisher.seqs).toEqual([1]);
    await run(sending, 2000, 1000);
    await sending.quiet(() => sending.publisher.seqs.length === 2);
    expect(sending.disk.sealed('ville').map(({ recordCount }) => recordCount)).toEqual([100, 30]);
    expect(sender.status()).toMatchObject({ state: 'sending', lastSeq: 2, unacknowledged: 0, backlogRecords: 0 });
    expect(sending.metrics.value('cigale_batches_sealed_total', { stream: 'ville' })).toBe(2);
    expect(sending.metrics.value('cigale_batches_acknowledged_total', { stream: 'ville' })).toBe(2);
    await sender.stop();
  });

  it('sends only records that were accepted for it, and counts them', async () => {
    const sending = new Sending({ maxRecords: 10 });
    const { sender } = await sending.life();
    sending.disk.commit(
      Array.from({ length: 40 }, (_, index) => sampleEntry(index, index % 2 === 0 ? TO : ['rule:n'])),
    );
    expect(sender.status()).toMatchObject({ state: 'offline', backlogRecords: 20 });
    sending.publisher.become(true);
    await run(sending, 1000);
    expect(sender.status()).toMatchObject({ lastSeq: 2, unacknowledged: 0, backlogRecords: 0 });
    expect(allIds(sending).toSorted((a, b) => a - b)).toEqual(upTo(40).filter((id) => id % 2 === 1));
    await sender.stop();
  });

  it('carries number, epoch, hash, encoding and lane as the contract says', async () => {
    const sending = new Sending({ maxRecords: 1 });
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(1, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 1);
    const [batch] = sending.disk.sealed('ville');
    expect(sending.publisher.batches[0]).toMatchObject({
      topic: 'cigale/v1/gw-istres-01/ville/batch',
      properties: {
        contentType: 'application/vnd.cigale.batch+json',
        userProperties: {
          seq: '1',
          epoch: sending.disk.epoch,
          sha256: batch!.sha256,
          encoding: 'identity',
          lane: 'live',
        },
      },
    });
    await sender.stop();
  });

  it('speaks MQTT 3.1.1 uncompressed, with number and hash in the topic', async () => {
    const sending = new Sending({ maxRecords: 1 }, new ManualPublisher(4));
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(1, TO));
    await sending.quiet(() => sending.publisher.batches.length === 1);
    const [batch] = sending.disk.sealed('ville');
    const [message] = sending.publisher.batches;
    expect(message!.topic).toBe(`cigale/v1/gw-istres-01/ville/batch/1/${batch!.sha256}`);
    expect(JSON.parse(Buffer.from(message!.payload).toString())).toMatchObject({ v: 1, seq: 1 });
    await sender.stop();
  });

  it('keeps a body below what the broker takes in one packet', async () => {
    const sending = new Sending({ maxRecords: 1000, maxAgeMs: 1000 });
    sending.publisher.maxPacketBytes = 8192;
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(200, TO));
    await run(sending, 3000);
    await sending.quiet(() => sender.status().backlogRecords === 0);
    for (const { body } of sending.disk.sealed('ville')) expect(body.byteLength).toBeLessThan(8192 - 1024);
    expect(allIds(sending)).toEqual(upTo(200));
    await sender.stop();
  });

  it('tells receivers which numbers exist, at most once a minute', async () => {
    const sending = new Sending({ maxRecords: 1 });
    sending.publisher.become(true);
    const { sender } = await sending.life();
    const states = () => sending.publisher.published.filter(({ topic }) => topic.endsWith('/ville/state'));
    sending.disk.commit(sampleEntries(3, TO));
    await run(sending, 50_000, 5000);
    expect(states()).toHaveLength(1);
    await run(sending, 70_000, 5000);
    expect(states().map(({ payload }) => JSON.parse(Buffer.from(payload).toString()))).toEqual([
      { epoch: sending.disk.epoch, keptFrom: 0, lastSeq: 0 },
      { epoch: sending.disk.epoch, keptFrom: 1, lastSeq: 3 },
    ]);
    expect(states()[0]!.properties.retain).toBe(true);
    await sender.stop();
  });
});

describe('a stream without its broker', () => {
  it('shows how its backlog ages, also when the gateway started in the middle of the outage and nothing new comes', async () => {
    const sending = new Sending();
    sending.disk.commit(sampleEntries(1, ['rule:n']));
    const first = await sending.life();
    sending.disk.commit(sampleEntries(5, TO, 1));
    await first.sender.stop();
    first.store.kill();
    const { sender } = await sending.life();
    const age = (): number => sending.metrics.value('cigale_backlog_age_seconds', { stream: 'ville' }) ?? 0;
    await run(sending, 60_000, 5000);
    const before = age();
    expect(sender.status().oldestWaitingAt).not.toBeNull();
    await run(sending, 3_600_000, 10_000);
    expect(age() - before).toBeGreaterThanOrEqual(3580);
    await sender.stop();
  });
});

describe('delivered once', () => {
  it('marks a batch acknowledged only after the broker acknowledged it', async () => {
    const sending = new Sending({ maxRecords: 1 });
    const answered = new Set<number>();
    const tooEarly: number[] = [];
    sending.disk.onAcknowledge = (seq) => {
      if (!answered.has(seq)) tooEarly.push(seq);
    };
    sending.publisher.answer = async ({ seq }) => {
      await new Promise<void>((resolve) => void sending.clock.after(200, resolve));
      answered.add(seq);
      return acknowledged;
    };
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(20, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 4);
    expect(sending.publisher.seqs).toEqual([1, 2, 3, 4]);
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([1, 2, 3, 4]);
    await run(sending, 5000);
    await sending.quiet(() => sender.status().unacknowledged === 0);
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([]);
    expect(tooEarly).toEqual([]);
    await sender.stop();
  });

  it('sends the same body again after the acknowledgement was lost', async () => {
    const sending = new Sending({ maxRecords: 10 });
    let losses = 2;
    sending.publisher.answer = () => Promise.resolve(losses-- > 0 ? { kind: 'connection-lost' } : acknowledged);
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(10, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 3);
    expect(sending.publisher.seqs).toEqual([1, 1, 1]);
    const [first, ...again] = sending.publisher.batches;
    for (const message of again) expect(message).toEqual(first);
    await sending.quiet(() => sending.disk.unacknowledgedSeqs('ville').length === 0);
    await sender.stop();
  });

  it('sends the sealed body of the life before first when the process ended between seal and publish', async () => {
    const sending = new Sending({ maxRecords: 10 });
    sending.publisher.become(true);
    sending.publisher.answer = () => new Promise(() => undefined);
    const first = await sending.life();
    sending.disk.commit(sampleEntries(25, TO));
    await sending.quiet(() => sending.disk.sealed('ville').length === 2);
    const sealed = sending.disk.sealed('ville').map(({ sha256 }) => sha256);
    first.store.kill();

    sending.disk.commit(sampleEntries(5, TO, 25));
    const second = new ManualPublisher();
    second.become(true);
    const { sender } = await sending.life(second);
    await sending.quiet(() => second.seqs.length === 3);
    expect(second.seqs).toEqual([1, 2, 3]);
    expect(second.batches.map(({ properties }) => properties.userProperties?.['sha256']).slice(0, 2)).toEqual(sealed);
    expect(allIds(sending)).toEqual(upTo(30));
    await sender.stop();
  });

  it.each(['refuses', 'commits-and-fails'] as const)(
    'leaves no gap and no second body under a number when a seal %s',
    async (fault) => {
      const sending = new Sending({ maxRecords: 10 });
      sending.publisher.become(true);
      const { sender } = await sending.life();
      sending.disk.sealFault = fault;
      sending.disk.commit(sampleEntries(10, TO));
      await sending.quiet(() => sender.status().state === 'store fault');
      expect(sender.status()).toMatchObject({ state: 'store fault', fault: 'STORE_IO' });
      expect(sending.publisher.seqs).toEqual([]);
      await run(sending, 3000);
      await sending.quiet(() => sending.publisher.seqs.length === 1);
      expect(sending.publisher.seqs).toEqual([1]);
      expect(allIds(sending)).toEqual(upTo(10));
      expect(sender.status().state).toBe('sending');
      await sender.stop();
    },
  );
});

describe('a broker that does not take a batch', () => {
  it('keeps a refused batch, sends it again with growing delays, and lets the next ones pass', async () => {
    const sending = new Sending({ maxRecords: 10 });
    sending.publisher.answer = ({ seq }) =>
      Promise.resolve(seq === 1 ? { kind: 'refused', reasonCode: 0x87 } : acknowledged);
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(30, TO));
    await run(sending, 10_000, 500);
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([1]);
    await run(sending, 600_000, 1000);
    const tries = sending.publisher.seqs.filter((seq) => seq === 1).length;
    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(25);
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([1]);
    expect(sender.status()).toMatchObject({
      state: 'refused',
      unacknowledged: 1,
      refusal: { seq: 1, reasonCode: 0x87 },
    });
    expect(sending.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    await sender.stop();
  });

  it('takes 0x10 as no receiver: nothing is lost, and it is tried again ever more slowly, at least every minute', async () => {
    const sending = new Sending({ maxRecords: 10 });
    let somebodyListens = false;
    sending.publisher.answer = () => Promise.resolve(somebodyListens ? acknowledged : { kind: 'no-subscriber' });
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(100, TO));
    await sending.quiet(() => sending.publisher.seqs.length === 4);
    await run(sending, 600_000, 5000);
    expect(sending.publisher.seqs.length).toBeLessThan(4 * 20);
    expect(sending.disk.unacknowledgedSeqs('ville')).toEqual([1, 2, 3, 4]);
    expect(sender.status().state).toBe('no receiver');
    somebodyListens = true;
    await run(sending, 61_000, 1000);
    await sending.quiet(() => sender.status().unacknowledged === 0 && sender.status().lastSeq === 10);
    expect(allIds(sending)).toEqual(upTo(100));
    expect(sender.status().state).toBe('sending');
    await sender.stop();
  });
});

describe('an outage', () => {
  it('lets new data leave at once and the backlog follow at its rate', async () => {
    const sending = new Sending({ maxRecords: 100, maxAgeMs: 1000, backlogRate: 100 });
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(1000, TO));
    sending.publisher.become(true);
    await sending.quiet(() => sending.publisher.seqs.length === 1);
    sending.disk.commit(sampleEntries(100, TO, 1000));
    await sending.quiet(() => sending.publisher.seqs.length === 2);
    const [oldest, live] = sending.publisher.batches;
    expect(oldest!.properties.userProperties?.['lane']).toBe('backlog');
    expect(live!.properties.userProperties?.['lane']).toBe('live');
    expect(idsOf(live!.payload)).toEqual(upTo(1100).slice(1000));
    expect(sender.status().state).toBe('catching up');
    await run(sending, 5000);
    const sent = sending.publisher.batches.length;
    expect(sent).toBeGreaterThanOrEqual(6);
    expect(sent).toBeLessThanOrEqual(8);
    await run(sending, 6000);
    await sending.quiet(() => sender.status().lastSeq === 11);
    expect(allIds(sending).toSorted((a, b) => a - b)).toEqual(upTo(1100));
    expect(sending.disk.sealed('ville').map(({ seq }) => seq)).toEqual(upTo(11));
    await sender.stop();
  });

  it('keeps the lanes over a restart', async () => {
    const sending = new Sending({ maxRecords: 100, maxAgeMs: 1000, backlogRate: 100 });
    const first = await sending.life();
    sending.disk.commit(sampleEntries(1000, TO));
    sending.publisher.become(true);
    await sending.quiet(() => sending.publisher.seqs.length === 1);
    first.store.kill();
    const second = new ManualPublisher();
    second.become(true);
    const { sender } = await sending.life(second);
    sending.disk.commit(sampleEntries(100, TO, 1000));
    await run(sending, 15_000);
    await sending.quiet(() => sender.status().backlogRecords === 0);
    expect(allIds(sending).toSorted((a, b) => a - b)).toEqual(upTo(1100));
    await sender.stop();
  });

  it('sends everything in order, unpaced, where the stream is in-order', async () => {
    const sending = new Sending({ maxRecords: 100, order: 'in-order', backlogRate: 1 });
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(5000, TO));
    sending.publisher.become(true);
    sending.disk.commit(sampleEntries(100, TO, 5000));
    await sending.quiet(() => sender.status().lastSeq === 51);
    expect(allIds(sending)).toEqual(upTo(5100));
    await sender.stop();
  });

  it('numbers in sending order, without gap, over an outage of ten minutes at 100 records a second', async () => {
    const sending = new Sending({ maxRecords: 1000, maxAgeMs: 10_000, backlogRate: 2000 });
    sending.publisher.answer = async () => {
      await new Promise<void>((resolve) => void sending.clock.after(50, resolve));
      return acknowledged;
    };
    sending.publisher.become(true);
    const { sender } = await sending.life();
    let next = 0;
    let mostBuffered = 0;
    const second = async (): Promise<void> => {
      sending.disk.commit(sampleEntries(100, TO, next, sending.clock.nowMs() - (next + 100) * 1000));
      next += 100;
      await run(sending, 1000, 250);
      mostBuffered = Math.max(mostBuffered, sender.status().bufferedRecords);
    };
    for (let count = 0; count < 30; count += 1) await second();
    sending.publisher.become(false);
    for (let count = 0; count < 600; count += 1) await second();
    expect(sender.status().backlogRecords).toBeGreaterThan(59_000);
    expect(sending.metrics.value('cigale_backlog_records', { stream: 'ville' })).toBeGreaterThan(59_000);
    expect(sending.metrics.value('cigale_backlog_age_seconds', { stream: 'ville' })).toBeGreaterThan(500);
    sending.publisher.become(true);
    for (let count = 0; count < 60; count += 1) await second();
    await run(sending, 20_000, 250);
    await sending.quiet(() => sender.status().backlogRecords === 0);
    const ids = allIds(sending);
    expect(ids.toSorted((a, b) => a - b)).toEqual(upTo(next));
    const seqs = sending.disk.sealed('ville').map(({ seq }) => seq);
    expect(seqs).toEqual(upTo(seqs.length));
    expect(sending.publisher.seqs).toEqual(seqs);
    expect(mostBuffered).toBeLessThanOrEqual(2 * 2000);
    await sender.stop();
  });

  it('passes over the records of others without writing its position for each', async () => {
    const sending = new Sending();
    const { sender } = await sending.life();
    sending.publisher.become(true);
    for (let minute = 0; minute < 10; minute += 1) {
      sending.disk.commit(sampleEntries(11_000, ['rule:n'], minute * 11_000));
      await run(sending, 60_000, 10_000);
    }
    expect(sending.disk.moves).toBeGreaterThan(0);
    expect(sending.disk.moves).toBeLessThanOrEqual(10);
    expect(sending.publisher.seqs).toEqual([]);
    await sender.stop();
  });
});

describe('sending again', () => {
  it('sends the same bodies of a range again and says which numbers are gone', async () => {
    const sending = new Sending({ maxRecords: 10 });
    sending.publisher.become(true);
    const { sender } = await sending.life();
    sending.disk.commit(sampleEntries(50, TO));
    await sending.quiet(() => sender.status().lastSeq === 5 && sender.status().unacknowledged === 0);
    sending.disk.forget('ville', 2);
    const topic = 'cigale/v1/gw-istres-01/ville/resend';
    sending.publisher.tell(topic, { epoch: sending.disk.epoch, from: 1, to: 7 });
    sending.publisher.tell(topic, { epoch: 'another', from: 1, to: 2 });
    sending.publisher.tell(topic, { epoch: sending.disk.epoch, from: 'x' });
    await run(sending, 2000);
    expect(sending.publisher.seqs).toEqual([1, 2, 3, 4, 5, 1, 3, 4, 5]);
    const again = sending.publisher.batches.slice(5);
    expect(again[0]!.payload).toEqual(sending.publisher.batches[0]!.payload);
    expect(new Set(again.map(({ properties }) => properties.userProperties?.['lane']))).toEqual(new Set(['backlog']));
    const notices = sending.publisher.published
      .filter((message) => message.topic.endsWith('/notice'))
      .map(({ payload }) => JSON.parse(Buffer.from(payload).toString()));
    expect(notices).toEqual([
      { epoch: sending.disk.epoch, from: 6, to: 7, reason: 'not-sealed' },
      { epoch: sending.disk.epoch, from: 2, to: 2, reason: 'gone' },
      { epoch: 'another', from: 1, to: 2, reason: 'other-epoch' },
    ]);
    expect(sending.metrics.value('cigale_resend_requests_total', { stream: 'ville', result: 'malformed' })).toBe(1);
    await sender.stop();
  });
});
