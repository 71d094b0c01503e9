import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { DataRecord } from '../model/record.ts';
import { recordJson, type RecordJson } from '../model/record-json.ts';
import { rfc3339 } from '../model/instant.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { LogRange } from '../store/store.ts';
import { checked } from './check.ts';
import type { GatewayPort } from './gateway-port.ts';

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const rangeQuery = z.object({
  from: instant,
  to: instant,
  place: z.string().optional(),
  channel: z.string().optional(),
  quantity: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(5000).default(1000),
  cursor: z.coerce.number().int().min(0).default(0),
});
/** A gap is of a place, and of no series. */
const gapQuery = rangeQuery.omit({ channel: true, quantity: true });
const injected = z.object({
  place: z.string().min(1).max(200),
  quantity: z.string().min(1).max(100),
  value: z.number().nullable(),
  channel: z.string().max(100).default(''),
  device: z.string().max(200).default(''),
  unit: z.string().max(20).default(''),
  observedAt: z.union([instant, z.number().int()]).nullable().default(null),
  periodMs: z.number().int().positive().nullable().default(null),
  key: z.string().max(200).default(''),
});
const injectBody = z.object({ node: z.string().default(''), samples: z.array(injected).min(1).max(10_000) });
const clockBody = z.strictObject({ now: instant });
const streamParams = z.object({ stream: z.string() });

/** 10,000 samples of a few hundred bytes each. */
const MAX_SAMPLES_BYTES = 4 * 1024 * 1024;

interface Page {
  readonly records: readonly RecordJson[];
  /** Cursor of the next page; null at the end. */
  readonly cursor: string | null;
}

/** Reads one page and stops: the log is read block by block so that no commit waits for a long read. */
async function page(
  gateway: GatewayPort,
  kind: DataRecord['kind'],
  query: z.output<typeof rangeQuery> | z.output<typeof gapQuery>,
): Promise<Page> {
  const range: LogRange = {
    kind,
    fromMs: query.from,
    toMs: query.to,
    afterId: query.cursor,
    ...(query.place === undefined ? {} : { place: query.place }),
    ...('channel' in query && query.channel !== undefined ? { channel: query.channel } : {}),
    ...('quantity' in query && query.quantity !== undefined ? { quantity: query.quantity } : {}),
  };
  const records: RecordJson[] = [];
  let lastId = query.cursor;
  for await (const entries of gateway.store.readRange(range)) {
    for (const entry of entries) {
      if (records.length === query.limit) return { records, cursor: String(lastId) };
      records.push(recordJson(entry));
      lastId = entry.id;
    }
  }
  return { records, cursor: null };
}

/** What the gateway measured, computed and knows of itself. */
export function addDataRoutes(app: FastifyInstance, gateway: GatewayPort): void {
  app.get('/v1/status', async () => gateway.status());
  app.get('/v1/samples', async (request) => page(gateway, 'sample', checked(rangeQuery, request.query)));
  app.get('/v1/aggregates', async (request) => page(gateway, 'aggregate', checked(rangeQuery, request.query)));
  app.get('/v1/gaps', async (request) => page(gateway, 'gap', checked(gapQuery, request.query)));
  app.get('/v1/latest', async () => gateway.latest().map(recordJson));
  app.post('/v1/samples', { bodyLimit: MAX_SAMPLES_BYTES }, async (request, reply) => {
    const accepted = await gateway.inject(checked(injectBody, request.body));
    return reply.code(202).send({ accepted });
  });
  app.post('/v1/clock', async (request) => {
    await gateway.setClock(checked(clockBody, request.body).now);
    return (await gateway.status()).clock;
  });
  app.get('/v1/streams', async () => {
    const streams = await gateway.store.listStreams();
    const active = await gateway.streamsInUse();
    return streams.map((stream) => ({
      ...stream,
      createdAt: rfc3339(stream.createdAt),
      orphan: !active.has(stream.stream),
    }));
  });
  app.delete('/v1/streams/:stream', async (request, reply) => {
    const { stream } = checked(streamParams, request.params);
    if ((await gateway.streamsInUse()).has(stream))
      throw new GatewayError('STREAM_IN_USE', `stream ${stream} is in use by the flow`, { context: { stream } });
    if (!(await gateway.store.dropStream(stream))) {
      throw new GatewayError('STREAM_UNKNOWN', `there is no stream ${stream}`, { context: { stream } });
    }
    return reply.code(204).send();
  });
  app.get('/v1/serial-ports', async () => gateway.serialPorts());
  app.get('/v1/metrics', async (_request, reply) => {
    // Taking the status sets the gauges that are measured on demand.
    await gateway.status();
    return reply.type('application/openmetrics-text; version=1.0.0; charset=utf-8').send(gateway.metrics.render());
  });
}
