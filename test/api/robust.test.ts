import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiToken } from '../../src/gateway.ts';
import { socketPath } from '../../src/runtime/socket-path.ts';
import { killFlow } from '../fault/kill-flow.ts';
import { RunningGateway, temporaryFolder, until, type Answer } from '../e2e/running-gateway.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let own: RunningGateway;

beforeEach(async () => {
  folder = await temporaryFolder();
  own = new RunningGateway(folder.path, { api: { host: '127.0.0.1', port: 0 }, editor: 'off' });
  await own.gateway.start();
});
afterEach(async () => {
  await own.gateway.stop();
  await folder.remove();
});

const expectProblem = (answer: Answer, status: number, code: string): void => {
  expect(answer.status, answer.body).toBe(status);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  expect(answer.json).toMatchObject({ type: `urn:cigale:error:${code}`, status, code });
  expect(answer.json['hint']).toMatchObject({ en: expect.any(String) as string, fr: expect.any(String) as string });
};

/** What a connection says to raw bytes, until it is closed. */
async function raw(bytes: string): Promise<string> {
  const socket = connect(socketPath(folder.path, 'cigale.sock'));
  let said = '';
  socket.on('data', (chunk: Buffer) => (said += chunk.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return said;
}

/** Asks for the events and does not read them. */
async function silentReader(): Promise<Socket> {
  const socket = connect(socketPath(folder.path, 'cigale.sock'));
  socket.on('error', () => undefined);
  socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  return socket;
}

describe('a request that cannot be served', () => {
  it('is a problem with a stable code, whatever is wrong with it', async () => {
    expectProblem(await own.request('GET', '/v1/nothing'), 404, 'API_NOT_FOUND');
    expectProblem(await own.request('OPTIONS', '/v1/status'), 404, 'API_NOT_FOUND');
    expectProblem(await own.request('GET', '/v1/%zz'), 400, 'API_BAD_REQUEST');
    expectProblem(await own.request('GET', '/v1/samples?from=2026-01-01'), 400, 'API_BAD_REQUEST');
    expectProblem(
      await own.request('GET', '/v1/samples?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&limit=9999'),
      400,
      'API_BAD_REQUEST',
    );
    expectProblem(
      await own.request('PUT', '/v1/flow', Buffer.from('{'), { type: 'application/json' }),
      400,
      'API_BAD_REQUEST',
    );
    expectProblem(
      await own.request('PUT', '/v1/flow', Buffer.from('x'), { type: 'text/html' }),
      415,
      'API_BAD_REQUEST',
    );
    expectProblem(
      await own.request('PUT', '/v1/flow', { flow: [] }, { headers: { 'if-match': '3' } }),
      400,
      'API_BAD_REQUEST',
    );
    expectProblem(await own.request('DELETE', '/v1/streams/none'), 404, 'STREAM_UNKNOWN');
    expectProblem(await own.request('POST', '/v1/flow/rollback', { version: 7 }), 404, 'FLOW_VERSION_UNKNOWN');
    expectProblem(
      await own.request('POST', '/v1/registry/replace', { place: 'a', device: 'b' }),
      404,
      'REGISTRY_NOT_FOUND',
    );
    expectProblem(
      await own.request('PUT', `/v1/codecs/${'x'.repeat(81)}`, Buffer.from(''), { type: 'application/javascript' }),
      400,
      'API_BAD_REQUEST',
    );
    expectProblem(
      await own.request('PUT', `/v1/codecs/${'x'.repeat(500)}`, Buffer.from(''), { type: 'application/javascript' }),
      414,
      'API_BAD_REQUEST',
    );
  });

  it('of more than its route takes is refused with the limit kept', async () => {
    const body = Buffer.alloc(1024 * 1024 + 1, 'a');
    expectProblem(await own.request('POST', '/v1/registry/import', body, { type: 'text/csv' }), 413, 'API_TOO_LARGE');
    expectProblem(
      await own.request('PUT', '/v1/codecs/a', body, { type: 'application/javascript' }),
      413,
      'API_TOO_LARGE',
    );
    expectProblem(await own.request('POST', '/v1/flow/secret', body), 413, 'API_TOO_LARGE');
    const lines = Buffer.from(`place,device\n${'a,b\n'.repeat(10_000)}`);
    expectProblem(await own.request('POST', '/v1/registry/import', lines, { type: 'text/csv' }), 413, 'API_TOO_LARGE');
    const flow = Buffer.from(JSON.stringify({ flow: [{ id: 'a', type: 'comment', info: 'x'.repeat(2_000_000) }] }));
    expect((await own.request('POST', '/v1/flow/check', flow, { type: 'application/json' })).status).toBe(200);
  });

  it('that is not HTTP is answered with a problem and closed', async () => {
    const said = await raw('HELLO\r\n\r\n');
    expect(said).toMatch(/^HTTP\/1.1 400 /);
    expect(said).toContain('API_BAD_REQUEST');
    expect((await own.request('GET', '/v1/status')).status).toBe(200);
  });
});

it('HEAD answers without a body, and does not follow the events', async () => {
  const headers = { authorization: `Bearer ${await apiToken(folder.path)}` };
  const head = (path: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${own.gateway.apiPort}${path}`, { method: 'HEAD', headers });
  const answer = await head('/v1/latest');
  expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 200, body: '' });
  expect((await head('/v1/events')).status).toBe(404);
});

describe('the event stream', () => {
  it('takes 32 readers, refuses the next with a problem, and takes one again when one has left', async () => {
    const readers = await Promise.all(Array.from({ length: 32 }, silentReader));
    expectProblem(await own.request('GET', '/v1/events'), 503, 'API_BUSY');
    readers[0]?.destroy();
    await until('there is room again', async () => {
      const socket = connect(socketPath(folder.path, 'cigale.sock'));
      socket.write('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n');
      const [head] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return head.toString().startsWith('HTTP/1.1 200');
    });
    for (const reader of readers) reader.destroy();
  });
});

describe('deploys at the same time', () => {
  it('get a version each, and of those that start from the same version one wins', async () => {
    const flow = (name: string): unknown[] =>
      (killFlow({ line: 9, udp: 0, mqtt: 9 }) as Record<string, unknown>[]).map((node) =>
        node['id'] === '1' ? { ...node, label: name } : node,
      );
    const free = await Promise.all(
      ['a', 'b', 'c'].map((name) => own.request('PUT', '/v1/flow', { flow: flow(name), author: name })),
    );
    expect(free.map((answer) => Number(answer.json['version'])).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    const headers = { 'if-match': '"3"' };
    const raced = await Promise.all(
      ['d', 'e', 'f'].map((name) => own.request('PUT', '/v1/flow', { flow: flow(name), author: name }, { headers })),
    );
    expect(raced.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 412, 412]);
    const status = (await own.request('GET', '/v1/status')).json;
    expect(status['flow']).toMatchObject({ running: 4, stored: 4, faults: [] });
  });
});

describe('over TCP', () => {
  it('gives nothing without the token, and the keys of the registry to nobody', async () => {
    const base = `http://127.0.0.1:${own.gateway.apiPort}`;
    const token = await apiToken(folder.path);
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
    ]) {
      const answer = await fetch(`${base}/v1/status`, { headers: { authorization } });
      expect({ authorization, status: answer.status }).toEqual({ authorization, status: 401 });
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
    expect((await fetch(`${base}/v1/nothing`)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${base}/v1/registry/export`, { headers })).status).toBe(200);
    expect((await fetch(`${base}/v1/registry/export?keys=true`, { headers })).status).toBe(403);
    expect((await own.request('GET', '/v1/registry/export?keys=true')).status).toBe(200);
  });

  it('refuses a wrong token at the login, and one of any other type', async () => {
    const login = async (body: unknown): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      return (
        await fetch(`http://127.0.0.1:${own.gateway.apiPort}/v1/session`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        })
      ).status;
    };
    expect(await login({ token: 'x' })).toBe(401);
    expect(await login({ token: '' })).toBe(401);
    expect(await login({ token: 'x'.repeat(300) })).toBe(400);
    expect(await login({})).toBe(400);
  });
});

describe('the metrics', () => {
  it('are OpenMetrics text with the gauges measured at that moment', async () => {
    const { body, headers } = await own.request('GET', '/v1/metrics');
    expect(headers['content-type']).toContain('application/openmetrics-text');
    expect(body).toMatch(/^cigale_store_bytes [1-9]\d*$/m);
    expect(body).toMatch(/^cigale_clock_synchronized [01]$/m);
    expect(body.endsWith('# EOF\n')).toBe(true);
  });
});
