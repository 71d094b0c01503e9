import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FlowFault } from '../../src/model/fault.ts';

type FlowJson = Record<string, unknown>[];

/** The gateway's editor API over a Unix socket, as `src/api` serves it, with its state open to the test. */
export class FakeGateway {
  readonly dir = mkdtempSync(join(tmpdir(), 'cigale-editor-'));
  readonly socketPath = join(this.dir, 'editor.sock');
  version = 0;
  flow: FlowJson = [];
  credentials: Record<string, Record<string, string>> = {};
  authors: string[] = [];
  /** Set by a test: every deploy is refused with these. */
  faults: FlowFault[] = [];
  /** Set by a test: why a sample is refused. */
  refuseSample: (sample: Record<string, unknown>) => string | null = () => null;
  readonly samples: { node: string; sample: Record<string, unknown> }[] = [];
  readonly requests: string[] = [];
  readonly #readers = new Set<ServerResponse>();
  #server: Server | undefined;

  async start(): Promise<this> {
    const server = createServer((request, response) => void this.#answer(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve));
    return this;
  }

  async stop(): Promise<void> {
    await this.disconnect();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** The gateway goes away; `start` brings it back. */
  async disconnect(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
    rmSync(this.socketPath, { force: true });
  }

  get readers(): number {
    return this.#readers.size;
  }

  send(event: string, data: unknown): void {
    for (const reader of this.#readers) reader.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = `${request.method} ${request.url}`;
    this.requests.push(what);
    const text = await readAll(request);
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    if (what === 'GET /v1/flow') return json(response, 200, { version: this.version, flow: this.flow });
    if (what === 'GET /v1/flow/credentials') return json(response, 200, this.credentials);
    if (what === 'PUT /v1/flow') return this.#deploy(request, response, body);
    if (what === 'POST /v1/samples') return this.#inject(response, body);
    if (what === 'GET /v1/serial-ports') {
      return json(response, 200, [{ path: '/dev/serial/by-id/usb-FTDI_sonometre-if00', label: 'FTDI sonomètre' }]);
    }
    if (what !== 'GET /v1/events') return json(response, 404, { code: 'API_NOT_FOUND', detail: what });
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(': alive\n\n');
    this.#readers.add(response);
    response.on('close', () => this.#readers.delete(response));
  }

  #deploy(request: IncomingMessage, response: ServerResponse, body: Record<string, unknown>): void {
    if (request.headers['if-match'] !== `"${this.version}"`) {
      return json(response, 412, { code: 'FLOW_CONFLICT', detail: 'another version stands' });
    }
    if (this.faults.length > 0) {
      return json(response, 422, { code: 'FLOW_INVALID', detail: 'faults', faults: this.faults });
    }
    this.flow = body['flow'] as FlowJson;
    if (body['credentials'] !== undefined) this.credentials = body['credentials'] as typeof this.credentials;
    this.authors.push(String(body['author']));
    this.version += 1;
    this.send('flow', { version: this.version, author: body['author'] });
    json(response, 200, { version: this.version });
  }

  #inject(response: ServerResponse, body: Record<string, unknown>): void {
    const samples = body['samples'] as Record<string, unknown>[];
    const reason = samples.map((sample) => this.refuseSample(sample)).find((one) => one !== null);
    if (reason !== undefined) return json(response, 400, { code: 'API_BAD_REQUEST', detail: reason });
    this.samples.push(...samples.map((sample) => ({ node: String(body['node']), sample })));
    json(response, 202, { accepted: samples.length });
  }
}

async function readAll(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export const fault = (node: string, en: string, fr: string): FlowFault => ({
  code: 'PROPERTY_MISSING',
  node,
  nodeName: '',
  nodeType: 'cigale-send',
  field: 'stream',
  message: { en, fr },
});
