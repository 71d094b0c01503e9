import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { PublishOutcome } from '../../src/forward/publisher.ts';
import { StreamSender } from '../../src/forward/stream-sender.ts';
import { openStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { ManualPublisher, type Published } from '../fakes/manual-publisher.ts';
import { sampleEntries } from '../fakes/memory-outbox.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { temporaryDirectory } from '../store/temporary-directory.ts';
import { streamSettings } from './sending.ts';

const TO = ['stream:ville'] as const;
const POISONED = 77;
const deps = { clock: systemClock, log: memoryLog(), metrics: new Metrics(), random: () => 0 };
const never = <Value>(): Promise<Value> => new Promise(() => undefined);
const soon = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 10));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

interface Body {
  readonly records: readonly { readonly id: string }[];
  readonly replacedBy?: readonly number[];
  readonly parked?: readonly string[];
}

/** What a receiver holds: the first body of each number. */
class Receiver {
  readonly bodies = new Map<number, string>();
  readonly faults: string[] = [];

  take({ seq, payload }: Published): void {
    const body = Buffer.from(payload).toString();
    const known = this.bodies.get(seq);
    if (known === undefined) this.bodies.set(seq, body);
    else if (known !== body) this.faults.push(`another body under ${seq}`);
  }

  get parsed(): readonly Body[] {
    return [...this.bodies].toSorted(([a], [b]) => a - b).map(([, body]) => JSON.parse(body) as Body);
  }

  get ids(): readonly number[] {
    return this.parsed.flatMap(({ records }) => records.map(({ id }) => Number(id))).toSorted((a, b) => a - b);
  }
}

/** One life of the sending side, which ends with its step number `lastStep`, before or after the step was done. */
class Life {
  readonly sender: StreamSender;
  readonly #lastStep: number;
  readonly #isDone: boolean;
  #steps = 0;
  isDead = false;

  constructor(store: Store, receiver: Receiver, lastStep: number, isDone: boolean) {
    this.#lastStep = lastStep;
    this.#isDone = isDone;
    const upstream = new ManualPublisher();
    upstream.become(true);
    upstream.answer = (message) => this.#step(() => answer(receiver, message));
    const mortal = {
      ...store,
      sealBatch: (batch, rest) => this.#step(() => store.sealBatch(batch, rest)),
      replaceBatch: (replacement) => this.#step(() => store.replaceBatch(replacement)),
      acknowledge: (stream, seq, atMs) => this.#step(() => store.acknowledge(stream, seq, atMs)),
    } satisfies Partial<Store> as Store;
    const settings = streamSettings({ maxRecords: 100, maxAgeMs: 10, order: 'in-order' });
    this.sender = new StreamSender(settings, { ...deps, store: mortal, upstream, gateway: 'gw', topicPrefix: 'p' });
  }

  async #step<Value>(work: () => Promise<Value>): Promise<Value> {
    this.#steps += 1;
    const isLast = this.#steps === this.#lastStep;
    if (this.isDead || (isLast && !this.#isDone)) {
      this.isDead = true;
      return never();
    }
    const value = await work();
    this.isDead ||= isLast;
    return this.isDead ? never() : value;
  }
}

async function answer(receiver: Receiver, message: Published): Promise<PublishOutcome> {
  await soon();
  const { records } = JSON.parse(Buffer.from(message.payload).toString()) as Body;
  if (records.some(({ id }) => Number(id) === POISONED)) return { kind: 'refused', reasonCode: 0x99 };
  receiver.take(message);
  return { kind: 'acknowledged' };
}

describe('a refused batch on the real store', () => {
  it('is split and its record set aside although the process dies at each step', async () => {
    const dataDir = await temporaryDirectory();
    const receiver = new Receiver();
    let next = 0;
    let store = await openStore({ ...deps, dataDir });
    onTestFinished(() => store.stop());
    const reopen = async (): Promise<void> => {
      await store.stop();
      store = await openStore({ ...deps, dataDir });
      store.setCommitInterval(5);
    };
    await store.openStream('ville', 0);
    const commit = async (count: number): Promise<void> => {
      await store.append(sampleEntries(count, TO, next), 'now');
      next += count;
    };
    await commit(300);
    let lives = 0;
    for (; lives < 400; lives += 1) {
      await reopen();
      const life = new Life(store, receiver, 1 + (lives % 12), lives % 2 === 0);
      await life.sender.start();
      while (!life.isDead) {
        await commit(1);
        await soon();
      }
      const [state] = await store.listStreams();
      if (state?.parkedRecords === 1) break;
    }
    await reopen();
    const last = new Life(store, receiver, Infinity, true);
    await last.sender.start();
    const giveUpAt = Date.now() + 15_000;
    while (last.sender.status().backlogRecords + last.sender.status().unacknowledged > 0 && Date.now() < giveUpAt)
      await soon();
    expect(lives).toBeGreaterThan(10);
    expect(receiver.faults).toEqual([]);
    expect(receiver.ids).toEqual(upTo(next).filter((id) => id !== POISONED));
    expect([...receiver.bodies.keys()].toSorted((a, b) => a - b)).toEqual(upTo(receiver.bodies.size));
    expect(receiver.parsed.filter(({ parked }) => parked !== undefined)).toMatchObject([
      { parked: [String(POISONED)] },
    ]);
    expect(receiver.parsed.filter(({ replacedBy }) => replacedBy !== undefined).length).toBeGreaterThanOrEqual(6);
    expect(await store.parkedRecords('ville', 10)).toMatchObject([{ id: String(POISONED), reasonCode: 0x99 }]);
    await last.sender.stop();
  }, 120_000);
});
