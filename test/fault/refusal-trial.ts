import type { IPublishPacket } from 'mqtt-packet';
import { MqttStub, type StubAnswer } from '../fakes/mqtt-stub.ts';
import { DeliveryRig, passSeconds, PREFIX, secondsUntil } from './delivery-rig.ts';
import type { RefusalCase } from './refusal-cases.ts';

const STREAM = 'ville';
const OTHER = 'autre';
/** What the issue asks: the next batch within a minute of the cure, and the fast clock's own coarseness. */
const RECOVERY_SECONDS = 62;
const HEALTHY_SECONDS = 6;
const DRAIN_SECONDS = 240;
const UNDISTURBED_SECONDS = 20;
/** Publishes, and connections, of a stream that is refused: so many at once, and so many a second on the long run. */
const PUBLISH_BURST = 120;
const CONNECT_BURST = 12;
/** To find one record of a batch that ends connections takes six of them a halving, in each stream; then there is quiet. */
const SEARCH_BURST = 80;
const SEARCH_SECONDS = 600;
/** Smaller than a batch of the trial, larger than one record. */
const SIZE_LIMIT_BYTES = 2500;

export interface TrialResult {
  readonly name: string;
  readonly recoverySeconds: number;
  readonly publishesAMinute: number;
  readonly problems: readonly string[];
}

interface Body {
  readonly seq: number;
  readonly records: readonly { readonly id: string }[];
}

/** What one stream delivered. */
class Delivered {
  readonly ids = new Map<number, number>();
  readonly seqs = new Set<number>();
  repeated = 0;
  publishes = 0;
  lastMs = 0;
  longestPauseMs = 0;

  take({ seq, records }: Body, nowMs: number): void {
    this.longestPauseMs = Math.max(this.longestPauseMs, nowMs - this.lastMs);
    this.lastMs = nowMs;
    if (this.seqs.has(seq)) return;
    this.seqs.add(seq);
    for (const id of records.map((record) => Number(record.id))) {
      if (this.ids.has(id)) this.repeated += 1;
      this.ids.set(id, seq);
    }
  }
}

/** One gateway, one broker and one kind of refusal: healthy, refused, cured, drained. */
export class RefusalTrial {
  readonly #case: RefusalCase;
  readonly #random: () => number;
  readonly #broker = new MqttStub();
  readonly #main: string;
  readonly #streams = { [STREAM]: new Delivered(), [OTHER]: new Delivered() };
  readonly #problems: string[] = [];
  #rig: DeliveryRig | undefined;
  #isRefusing = false;
  #poisoned = Infinity;

  constructor(one: RefusalCase, { main, random }: { main: string; random: () => number }) {
    this.#case = one;
    this.#main = main;
    this.#random = random;
  }

  async run(): Promise<TrialResult> {
    const { packet } = this.#case.answer;
    this.#broker.answer = (publish) => this.#answer(publish);
    await this.#broker.start();
    const rig = new DeliveryRig({
      main: this.#main,
      brokerUrl: this.#broker.url,
      protocol: packet === 'CONNACK 3.1.1' ? 4 : 5,
      random: this.#random,
      streams: [STREAM, OTHER],
    });
    this.#rig = rig;
    await rig.start();
    try {
      return await this.#judge(rig);
    } finally {
      await rig.stop();
      await this.#broker.stop();
    }
  }

  async #judge(rig: DeliveryRig): Promise<TrialResult> {
    const { [STREAM]: own, [OTHER]: other } = this.#streams;
    const refusedSeconds = 60 + 120 * this.#random();
    await passSeconds(HEALTHY_SECONDS);
    const before = { publishes: own.publishes, connects: this.#broker.connects.length };
    other.longestPauseMs = 0;
    this.#refuse(rig);
    await passSeconds(refusedSeconds);
    const publishes = own.publishes - before.publishes;
    const connects = this.#broker.connects.length - before.connects;
    this.#expect(
      publishes <= PUBLISH_BURST + refusedSeconds,
      `${publishes} publishes in ${refusedSeconds.toFixed(0)} s`,
    );
    const burst = this.#case.kind === 'one record' ? SEARCH_BURST : CONNECT_BURST;
    this.#expect(connects <= burst + refusedSeconds / 4, `${connects} connections in ${refusedSeconds.toFixed(0)} s`);
    if (this.#case.answer.packet === 'PUBACK')
      this.#expect(other.longestPauseMs < UNDISTURBED_SECONDS * 1000, 'another stream was held up');
    const taken = own.seqs.size;
    if (this.#isCurable) this.#cure();
    const recoverySeconds = await secondsUntil(rig.clock, () => own.seqs.size > taken, RECOVERY_SECONDS);
    this.#expect(recoverySeconds <= RECOVERY_SECONDS, 'nothing flowed within a minute');
    await this.#drain(rig);
    return {
      name: this.#case.name,
      recoverySeconds,
      publishesAMinute: (publishes / refusedSeconds) * 60,
      problems: this.#problems,
    };
  }

  get #isCurable(): boolean {
    return this.#case.kind === 'every batch' || this.#case.kind === 'connection';
  }

  async #drain(rig: DeliveryRig): Promise<void> {
    // A record whose batch ends connections is only set aside while the broker takes others.
    const isFound = (): boolean => [...rig.senders.values()].every((sender) => sender.status().parkedRecords === 1);
    if (this.#case.kind === 'one record') await secondsUntil(rig.clock, isFound, SEARCH_SECONDS);
    rig.pauseFeeding();
    const missing = (delivered: Delivered, parked: number): number => rig.accepted - parked - delivered.ids.size;
    for (const [stream, delivered] of Object.entries(this.#streams)) {
      const parked = (): number => rig.senders.get(stream)?.status().parkedRecords ?? 0;
      await secondsUntil(rig.clock, () => missing(delivered, parked()) === 0, DRAIN_SECONDS);
      this.#expect(missing(delivered, parked()) === 0, `${stream}: ${missing(delivered, parked())} records missing`);
      this.#expect(delivered.repeated === 0, `${stream}: ${delivered.repeated} records in two batches`);
      const mayPark = this.#case.kind === 'one record' ? 1 : 0;
      this.#expect(parked() === mayPark, `${stream}: ${parked()} records parked instead of ${mayPark}`);
    }
    if (this.#case.kind === 'one record')
      this.#expect(!this.#streams[STREAM].ids.has(this.#poisoned), 'the refused record was taken');
  }

  #refuse(rig: DeliveryRig): void {
    this.#isRefusing = true;
    const { kind, answer } = this.#case;
    if (kind === 'one record') this.#poisoned = rig.accepted + 1 + Math.floor(this.#random() * 20);
    if (kind === 'connection') this.#broker.connackCode = Number(answer.code);
    if (kind === 'size' && answer.packet === 'CONNACK') this.#broker.limits = { maximumPacketSize: SIZE_LIMIT_BYTES };
    if (answer.packet.startsWith('CONNACK')) this.#broker.dropAll();
  }

  #cure(): void {
    this.#isRefusing = false;
    this.#broker.connackCode = 0;
  }

  #answer(publish: IPublishPacket): StubAnswer {
    const match = /^([^/]+\/[^/]+)\/[^/]+\/([^/]+)\/batch/.exec(publish.topic);
    const stream = match?.[2];
    if (match?.[1] !== PREFIX || (stream !== STREAM && stream !== OTHER)) return { reasonCode: 0 };
    const delivered = this.#streams[stream];
    delivered.publishes += 1;
    const body = JSON.parse(publish.payload.toString()) as Body;
    if (this.#isRefusing && this.#isRefused(stream, publish, body)) {
      const { packet, code } = this.#case.answer;
      return packet === 'DISCONNECT' ? { disconnect: Number(code) } : { reasonCode: Number(code) };
    }
    delivered.take(body, this.#rig?.clock.monotonicMs() ?? 0);
    return { reasonCode: 0 };
  }

  #isRefused(stream: string, { payload }: IPublishPacket, { records }: Body): boolean {
    const { kind, answer } = this.#case;
    if (kind === 'size') return answer.packet !== 'CONNACK' && payload.length > SIZE_LIMIT_BYTES;
    if (kind === 'one record') return records.some(({ id }) => Number(id) === this.#poisoned);
    return kind === 'every batch' && stream === STREAM;
  }

  #expect(isGood: boolean, problem: string): void {
    if (!isGood) this.#problems.push(problem);
  }
}
