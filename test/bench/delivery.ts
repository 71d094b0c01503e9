import { connectAsync, type MqttClient } from 'mqtt';
import { inflateSync, zstdDecompressSync } from 'node:zlib';
import { NUMBERS, numberOf } from './line-source.ts';

interface Body {
  readonly seq?: number;
  readonly records: readonly { readonly kind: string; readonly value: number }[];
}

const unpack: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  identity: (bytes) => bytes,
  deflate: (bytes) => inflateSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
};

/** The city's end: counts which numbered samples arrived. */
export class Delivery {
  #client: MqttClient | undefined;
  #counts = new Uint32Array(NUMBERS);
  /** Samples since the last `reset`, repeats included. */
  received = 0;
  /** Samples whose number is not the one after the sample before. */
  outOfOrder = 0;
  /** Batch numbers that did not follow each other (candidates that number batches). */
  seqJumps = 0;
  wireBytes = 0;
  #lastSeq = 0;
  #lastNumber: number | undefined;

  async connect(url: string): Promise<void> {
    this.#client = await connectAsync(url, {
      clientId: 'bench-receiver',
      protocolVersion: 5,
      clean: true,
      reconnectPeriod: 100,
    });
    this.#client.on('error', () => undefined);
    this.#client.on('message', (topic, payload, { properties }) => {
      if (!topic.endsWith('/batch')) return;
      this.wireBytes += payload.length;
      const encoding = properties?.userProperties?.['encoding'];
      this.#take(
        JSON.parse(
          Buffer.from((unpack[String(encoding ?? 'identity')] ?? unpack['identity']!)(payload)).toString(),
        ) as Body,
      );
    });
    await this.#client.subscribeAsync('bench/#', { qos: 1 });
  }

  reset(): void {
    this.#counts = new Uint32Array(NUMBERS);
    this.received = 0;
    this.outOfOrder = 0;
    this.wireBytes = 0;
    this.#lastNumber = undefined;
  }

  /** How many of `count` lines numbered from `from` have not arrived. */
  missing(from: number, count: number): number {
    const rounds = Math.floor(count / NUMBERS);
    let missing = 0;
    for (let index = 0; index < NUMBERS; index += 1) {
      const offset = (index - (from % NUMBERS) + NUMBERS) % NUMBERS;
      missing += Math.max(0, rounds + (offset < count % NUMBERS ? 1 : 0) - this.#counts[index]!);
    }
    return missing;
  }

  async stop(): Promise<void> {
    await this.#client?.endAsync(true);
  }

  #take({ seq, records }: Body): void {
    if (seq !== undefined) {
      if (seq !== this.#lastSeq + 1) this.seqJumps += 1;
      this.#lastSeq = seq;
    }
    for (const { kind, value } of records) {
      if (kind !== 'sample') continue;
      const number = numberOf(value);
      if (this.#lastNumber !== undefined && number !== (this.#lastNumber + 1) % NUMBERS) this.outOfOrder += 1;
      this.#lastNumber = number;
      this.#counts[number]! += 1;
      this.received += 1;
    }
  }
}
