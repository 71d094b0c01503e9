import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { rfc3339 } from '../model/instant.ts';
import { GatewayError } from '../runtime/errors.ts';
import { checked } from './check.ts';
import type { DeployResult, GatewayPort } from './gateway-port.ts';
import { problem } from './problem.ts';

const author = z.string().max(100).default('');
const credentials = z.record(z.string(), z.record(z.string(), z.string()));
const deployBody = z.strictObject({ flow: z.array(z.unknown()), credentials: credentials.optional(), author });
const checkBody = z.strictObject({ flow: z.unknown() });
const rollbackBody = z.strictObject({ version: z.int().positive(), author });
const secretBody = z.strictObject({ node: z.string().min(1), field: z.string().min(1), value: z.string() });
const limitQuery = z.object({ limit: z.coerce.number().int().min(1).max(1000).default(50) });

/** A flow of the greatest size that is compiled, with its author and credentials. */
const MAX_FLOW_BYTES = 8 * 1024 * 1024 + 65_536;

/** The version that `If-Match` names, null when the header is absent. */
function expectedVersion(header: string | undefined): number | null {
  if (header === undefined) return null;
  const digits = /^"(\d+)"$/.exec(header)?.[1];
  if (digits === undefined) throw new GatewayError('API_BAD_REQUEST', 'If-Match must be a quoted version number');
  return Number(digits);
}

function sendDeployed(reply: FastifyReply, result: DeployResult): FastifyReply {
  if (result.kind === 'deployed') return reply.send({ version: result.version });
  const body = problem('FLOW_INVALID', `the flow has ${result.faults.length} fault(s)`, { faults: result.faults });
  return reply.code(body.status).type('application/problem+json').send(body);
}

/** `/v1/flow`: the flow as versions; a deploy is compiled, stored and run, or refused whole. */
export function addFlowRoutes(app: FastifyInstance, gateway: GatewayPort): void {
  app.get('/v1/flow', async (_request, reply) => {
    const current = await gateway.currentFlow();
    return reply.header('etag', `"${current.version}"`).send(current);
  });
  app.put('/v1/flow', { bodyLimit: MAX_FLOW_BYTES }, async (request, reply) => {
    const body = checked(deployBody, request.body);
    const result = await gateway.deploy({
      flow: body.flow,
      credentials: body.credentials ?? null,
      author: body.author,
      expectedVersion: expectedVersion(request.headers['if-match']),
    });
    return sendDeployed(reply, result);
  });
  app.post('/v1/flow/check', { bodyLimit: MAX_FLOW_BYTES }, async (request) =>
    gateway.checkFlow(checked(checkBody, request.body).flow),
  );
  app.get('/v1/flow/credentials', async () => gateway.store.credentials());
  app.post('/v1/flow/secret', async (request, reply) => {
    const { node, field, value } = checked(secretBody, request.body);
    await gateway.setSecret(node, field, value);
    return reply.code(204).send();
  });
  app.get('/v1/flow/versions', async (request) => {
    const versions = await gateway.store.flowVersions(checked(limitQuery, request.query).limit);
    return versions.map((version) => ({ ...version, createdAt: rfc3339(version.createdAt) }));
  });
  app.post('/v1/flow/rollback', async (request, reply) => {
    const body = checked(rollbackBody, request.body);
    return sendDeployed(reply, await gateway.rollback(body.version, body.author));
  });
}
