import type { Encoding, Lane } from '../model/batch.ts';
import { messageOf } from '../runtime/errors.ts';
import { bodyHash } from './batcher.ts';
import { decompress } from './compression.ts';

/** What a receiver got under one number. */
export interface ReceivedBatch {
  readonly gateway: string;
  readonly stream: string;
  readonly epoch: string;
  readonly seq: number;
  readonly sha256: string;
  /** `unknown` over MQTT 3.1.1. */
  readonly lane: Lane | 'unknown';
  readonly createdAt: string;
  readonly records: readonly Readonly<Record<string, unknown>>[];
  /** It takes the place of a refused batch, whose records are in other batches or not sent. */
  readonly isReplaced: boolean;
  /** Uncompressed. */
  readonly body: Uint8Array;
  readonly wireBytes: number;
}

export type ReadResult =
  | { readonly kind: 'batch'; readonly batch: ReceivedBatch }
  | { readonly kind: 'bad-hash' | 'malformed'; readonly detail: string };

/** Topic levels after the prefix: gateway, stream, `batch`, and over MQTT 3.1.1 number and hash. */
export interface BatchAddress {
  readonly gateway: string;
  readonly stream: string;
  readonly seq?: string;
  readonly sha256?: string;
}

const ENCODINGS: ReadonlySet<string> = new Set(['identity', 'deflate', 'zstd']);

/** Unpacks a publish and checks it against number and hash; bad input is a result, never a throw. */
export async function readBatch(
  address: BatchAddress,
  payload: Uint8Array,
  properties: Readonly<Record<string, string>>,
): Promise<ReadResult> {
  const encoding = properties['encoding'] ?? 'identity';
  if (!isEncoding(encoding)) return { kind: 'malformed', detail: `unknown encoding ${encoding.slice(0, 40)}` };
  let body: Uint8Array;
  try {
    body = await decompress(payload, encoding);
  } catch (error) {
    return { kind: 'malformed', detail: `the body does not unpack: ${messageOf(error)}` };
  }
  const sha256 = bodyHash(body);
  const announced = properties['sha256'] ?? address.sha256;
  if (announced !== sha256) return { kind: 'bad-hash', detail: `announced ${announced ?? 'none'}, is ${sha256}` };
  const head = readHead(body);
  if (typeof head === 'string') return { kind: 'malformed', detail: head };
  const told: readonly [string, unknown, unknown][] = [
    ['gateway', head.gateway, address.gateway],
    ['stream', head.stream, address.stream],
    ['seq', String(head.seq), properties['seq'] ?? address.seq],
    ['epoch', head.epoch, properties['epoch'] ?? head.epoch],
  ];
  const lie = told.find(([, inBody, outside]) => inBody !== outside);
  if (lie !== undefined) return { kind: 'malformed', detail: `${lie[0]} of the body and of the message differ` };
  const lane = properties['lane'] === 'live' || properties['lane'] === 'backlog' ? properties['lane'] : 'unknown';
  return { kind: 'batch', batch: { ...head, sha256, lane, body, wireBytes: payload.byteLength } };
}

const isEncoding = (text: string): text is Encoding => ENCODINGS.has(text);

type Head = Pick<ReceivedBatch, 'gateway' | 'stream' | 'epoch' | 'seq' | 'createdAt' | 'records' | 'isReplaced'>;

function readHead(body: Uint8Array): Head | string {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString());
  } catch (error) {
    return `the body is not JSON: ${messageOf(error)}`;
  }
  if (typeof value !== 'object' || value === null) return 'the body is not an object';
  const { v, gateway, stream, epoch, seq, createdAt, records, replacedBy, parked } = value as Partial<
    Record<string, unknown>
  >;
  if (v !== 1) return 'the body has an unknown version';
  if (typeof gateway !== 'string' || typeof stream !== 'string' || typeof epoch !== 'string')
    return 'names are missing';
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1) return 'the number is missing';
  if (typeof createdAt !== 'string' || !Array.isArray(records)) return 'instant or records are missing';
  const isReplaced = records.length === 0 && (Array.isArray(replacedBy) || Array.isArray(parked));
  return { gateway, stream, epoch, seq, createdAt, records, isReplaced };
}
