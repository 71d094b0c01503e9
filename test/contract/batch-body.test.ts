import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { recordJson } from '../../src/model/record-json.ts';
import {
  GAP_CAUSES,
  type Aggregate,
  type Flag,
  type GapRecord,
  type LogEntry,
  type Sample,
} from '../../src/model/record.ts';
import { bodyHash, buildBatch } from '../../src/forward/batcher.ts';
import { decompress } from '../../src/forward/compression.ts';
import { bodyText, emptyBodyText, recordText } from '../../src/forward/formats/json.ts';

type Json = Record<string, unknown>;

const schemaFile = (name: string): Json =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../../docs/schema', name), 'utf8'));

/** The batch schema with the record schema in its place: the validator knows no other files. */
function wholeSchema(): Json {
  const batch = schemaFile('batch.schema.json') as { properties: Json };
  const { $defs, oneOf } = schemaFile('record.schema.json');
  return { ...batch, $defs, properties: { ...batch.properties, records: { type: 'array', items: { oneOf } } } };
}

const validator = z.fromJSONSchema(wholeSchema());

const sample: Sample = {
  kind: 'sample',
  place: 'place-hotel-de-ville',
  channel: '',
  device: 'sonometre-1',
  quantity: 'LAeq',
  unit: 'dB(A)',
  observedAt: Date.UTC(2026, 10, 23, 9, 59, 59),
  receivedAt: Date.UTC(2026, 10, 23, 9, 59, 59, 20),
  periodMs: 1000,
  intervalMs: 1000,
  value: 61.2,
  quality: 'good',
  flags: [],
  revision: 0,
};

const aggregate: Aggregate = {
  kind: 'aggregate',
  place: 'place-hotel-de-ville',
  channel: '',
  domain: 'noise',
  quantity: 'LAeq',
  periodMs: 60_000,
  part: '',
  start: Date.UTC(2026, 10, 23, 9, 58),
  end: Date.UTC(2026, 10, 23, 9, 59),
  revision: 0,
  count: 60,
  coverage: 1,
  valid: true,
  flags: [],
  values: { LAeq: 62.4, LAeq1sMax: 71, LAeq1sMin: 55.1, LA10: 65.1, LA50: 60.9, LA90: 56 },
  at: { LAeq1sMax: Date.UTC(2026, 10, 23, 9, 58, 31) },
};

const gap: GapRecord = {
  kind: 'gap',
  place: 'place-hotel-de-ville',
  stream: '',
  from: Date.UTC(2026, 10, 23, 9),
  to: Date.UTC(2026, 10, 23, 9, 30),
  cause: 'store-full',
  count: 1800,
};

const head = {
  gateway: 'gw-istres-01',
  stream: 'ville',
  epoch: '01KACIGALETEST000000000000',
  seq: 42,
  createdAt: Date.UTC(2026, 10, 23, 10),
};

const entry = (id: number, record: LogEntry['record']): LogEntry => ({ id, record, to: ['stream:ville'] });

const bodyOf = (...entries: LogEntry[]): Json => JSON.parse(bodyText(head, entries.map(recordText)));

describe('the body of a batch', () => {
  it('is byte for byte the example of the contract', () => {
    expect(bodyText(head, [entry(8123, sample), entry(8124, aggregate)].map(recordText))).toBe(
      '{"v":1,"gateway":"gw-istres-01","stream":"ville","epoch":"01KACIGALETEST000000000000","seq":42,' +
        '"createdAt":"2026-11-23T10:00:00.000Z","records":[' +
        '{"kind":"sample","id":"8123","place":"place-hotel-de-ville","channel":"","device":"sonometre-1",' +
        '"quantity":"LAeq","unit":"dB(A)","observedAt":"2026-11-23T09:59:59.000Z","period":"PT1S","value":61.2,' +
        '"quality":"good","flags":[],"revision":0},' +
        '{"kind":"aggregate","id":"8124","place":"place-hotel-de-ville","channel":"","domain":"noise",' +
        '"quantity":"LAeq","period":"PT1M","part":"","start":"2026-11-23T09:58:00.000Z",' +
        '"end":"2026-11-23T09:59:00.000Z","revision":0,"count":60,"coverage":1,"valid":true,"flags":[],' +
        '"values":{"LAeq":62.4,"LAeq1sMax":71,"LAeq1sMin":55.1,"LA10":65.1,"LA50":60.9,"LA90":56},' +
        '"at":{"LAeq1sMax":"2026-11-23T09:58:31.000Z"}}]}',
    );
  });

  it('meets the schema, and the schema notices when it does not', () => {
    const body = bodyOf(
      entry(1, sample),
      entry(2, aggregate),
      entry(3, { ...sample, value: null, flags: ['missing'] }),
      entry(4, gap),
      entry(5, { ...gap, place: '', cause: 'gateway-off', count: null }),
    );
    expect(validator.safeParse(body).error).toBeUndefined();
    const [first, second, , fourth] = body['records'] as Json[];
    const broken: Json[] = [
      { ...body, seq: 0 },
      { ...body, createdAt: '2026-11-23' },
      { ...body, records: [{ ...first, id: 7 }] },
      { ...body, records: [{ ...first, value: '61.2' }] },
      { ...body, records: [{ ...first, flags: ['nonsense'] }] },
      { ...body, records: [{ ...second, period: '60 s' }] },
      { ...body, records: [{ kind: 'sample' }] },
      { ...body, records: [{ ...fourth, cause: 'nonsense' }] },
      { ...body, records: [{ ...fourth, count: 0.5 }] },
    ];
    for (const wrong of broken) expect(validator.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
  });

  it('names every cause of a gap that the gateway knows, in the schema and in docs/batches.md', () => {
    const { $defs } = schemaFile('record.schema.json') as { $defs: { cause: { enum: string[] } } };
    expect($defs.cause.enum).toEqual(GAP_CAUSES);
    const page = readFileSync(join(import.meta.dirname, '../../docs/batches.md'), 'utf8');
    for (const cause of GAP_CAUSES) expect(page).toContain(`\n| \`${cause}\` | `);
  });

  it('leaves out what a gap has nothing to say in', () => {
    const text = recordText(entry(7, { ...gap, place: '', cause: 'gateway-off', count: null }));
    expect(text).toBe(
      '{"kind":"gap","id":"7","from":"2026-11-23T09:00:00.000Z","to":"2026-11-23T09:30:00.000Z","cause":"gateway-off"}',
    );
  });

  it('says a record over the API and in a batch with the same words', () => {
    for (const record of [sample, aggregate, gap, { ...gap, place: '', stream: 'ville', count: null }])
      expect(JSON.parse(recordText(entry(9, record)))).toEqual(recordJson(entry(9, record)));
  });

  it('without records says where they are', () => {
    const replaced = JSON.parse(emptyBodyText(head, { replacedBy: [43, 44] })) as Json;
    const parked = JSON.parse(emptyBodyText(head, { parked: ['8123'] })) as Json;
    expect(replaced).toMatchObject({ v: 1, seq: 42, records: [], replacedBy: [43, 44] });
    expect(parked).toMatchObject({ v: 1, seq: 42, records: [], parked: ['8123'] });
    for (const body of [replaced, parked]) expect(validator.safeParse(body).error).toBeUndefined();
    for (const wrong of [
      { ...replaced, replacedBy: [43] },
      { ...parked, parked: [8123] },
      { ...parked, parked: [] },
    ])
      expect(validator.safeParse(wrong).success).toBe(false);
  });

  it('says whatever a record holds, and never a number that is none', () => {
    const flags: fc.Arbitrary<Flag[]> = fc.array(fc.constantFrom<Flag>('missing', 'late', 'injected'), {
      maxLength: 3,
    });
    const text = fc.string({ unit: 'binary', minLength: 1 });
    const instant = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) });
    const record = fc.record({
      place: text,
      channel: fc.string({ unit: 'binary' }),
      device: text,
      observedAt: instant,
      periodMs: fc.option(fc.integer({ min: 1, max: 1e9 })),
      value: fc.option(fc.double()),
      flags,
      revision: fc.nat(),
    });
    fc.assert(
      fc.property(record, fc.integer({ min: 1 }), (some, id) => {
        const body = bodyOf(entry(id, { ...sample, ...some }));
        expect(validator.safeParse(body).error).toBeUndefined();
        const [said] = body['records'] as [Json];
        expect(said).toMatchObject({ id: String(id), place: some.place, channel: some.channel, flags: some.flags });
        expect(said['value']).toBe(some.value === null || !Number.isFinite(some.value) ? null : some.value + 0);
        expect(Date.parse(String(said['observedAt']))).toBe(some.observedAt);
      }),
    );
  });
});

describe('a batch', () => {
  const entries = Array.from({ length: 50 }, (_, index) => entry(index + 1, { ...sample, value: index }));
  const limits = { maxRecords: 1000, maxBodyBytes: 1_000_000 };

  it.each(['identity', 'deflate', 'zstd'] as const)('unpacks from %s to the body of its hash', async (encoding) => {
    const batch = await buildBatch({ ...head, lane: 'live', encoding }, entries, limits);
    const body = await decompress(batch.body, encoding);
    expect(bodyHash(body)).toBe(batch.sha256);
    expect(batch.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.parse(Buffer.from(body).toString()).records).toHaveLength(50);
  });

  it('is a zlib stream (RFC 1950) when it says deflate', async () => {
    const { body } = await buildBatch({ ...head, lane: 'live', encoding: 'deflate' }, entries, limits);
    const [method = 0, flags = 0] = body;
    expect([method & 0x0f, (method * 256 + flags) % 31]).toEqual([8, 0]);
  });

  it('is the same for the same records, and bounded by count and size', async () => {
    const order = { ...head, lane: 'live', encoding: 'identity' } as const;
    const [one, two] = await Promise.all([buildBatch(order, entries, limits), buildBatch(order, entries, limits)]);
    expect(one).toEqual(two);
    expect((await buildBatch(order, entries, { ...limits, maxRecords: 7 })).recordCount).toBe(7);
    const small = await buildBatch(order, entries, { ...limits, maxBodyBytes: 4096 });
    expect(small.body.byteLength).toBeLessThanOrEqual(4096);
    expect((await buildBatch(order, entries, { ...limits, maxBodyBytes: 1 })).recordCount).toBe(1);
  });
});
