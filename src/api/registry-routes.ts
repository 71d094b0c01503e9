import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { rfc3339 } from '../model/instant.ts';
import { QUANTITIES } from '../model/quantity.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { Role } from './access.ts';
import { checked } from './check.ts';
import type { GatewayPort } from './gateway-port.ts';

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');
const importQuery = z.object({ dryRun: flag, partial: flag });
const exportQuery = z.object({ keys: flag });
const replaceBody = z.strictObject({
  place: z.string().min(1),
  device: z.string().min(1),
  replaced: z.string().min(1).optional(),
});
const codecParams = z.object({ name: z.string().regex(/^[\w.-]{1,80}$/) });

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new GatewayError('API_BAD_REQUEST', 'the body must be sent as text/csv or application/javascript');
}

/** Checking a row takes far more memory than the row: a hostile file of a million commas must not take the gateway's. */
const MAX_CSV_LINES = 10_000;
const LINE_FEED = 10;

function csvOf(body: unknown): Buffer {
  const csv = bytesOf(body);
  let lines = 0;
  for (const byte of csv) if (byte === LINE_FEED) lines += 1;
  if (lines <= MAX_CSV_LINES) return csv;
  throw new GatewayError('API_TOO_LARGE', `the file has ${lines} lines, at most ${MAX_CSV_LINES} are taken at once`);
}

/** The inventory: places, devices, what was heard but is unknown, codecs. */
export function addRegistryRoutes(app: FastifyInstance, gateway: GatewayPort, role: Role): void {
  app.get('/v1/places', async () => gateway.store.places());
  app.get('/v1/devices', async () => {
    const [devices, assignments] = await Promise.all([gateway.store.devices(), gateway.store.assignments()]);
    const byDevice = Map.groupBy(assignments, ({ device }) => device);
    return devices.map((device) => ({
      ...device,
      assignments: (byDevice.get(device.id) ?? []).map(({ place, from, to }) => ({
        place,
        from: rfc3339(from),
        to: to === null ? null : rfc3339(to),
      })),
    }));
  });
  app.get('/v1/heard', async () =>
    gateway.heard().map((one) => ({ ...one, firstAt: rfc3339(one.firstAt), lastAt: rfc3339(one.lastAt) })),
  );
  app.get('/v1/quantities', () => Promise.resolve(QUANTITIES));
  app.post('/v1/registry/import', async (request) =>
    gateway.importRegistry(csvOf(request.body), checked(importQuery, request.query)),
  );
  app.get('/v1/registry/export', async (request, reply) => {
    const { keys } = checked(exportQuery, request.query);
    if (keys && role !== 'owner') throw new GatewayError('API_FORBIDDEN', `${role} may not have the keys`);
    return reply.type('text/csv; charset=utf-8').send(await gateway.exportRegistry(keys));
  });
  app.post('/v1/registry/replace', async (request, reply) => {
    const { place, device, replaced } = checked(replaceBody, request.body);
    await gateway.replaceDevice(place, device, replaced ?? null);
    return reply.code(204).send();
  });
  app.get('/v1/codecs', async () =>
    (await gateway.store.codecs()).map(({ name, script, addedAt }) => ({
      name,
      bytes: script.length,
      addedAt: rfc3339(addedAt),
    })),
  );
  app.put('/v1/codecs/:name', async (request, reply) => {
    await gateway.saveCodec(checked(codecParams, request.params).name, bytesOf(request.body).toString('utf8'));
    return reply.code(204).send();
  });
}
