import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gateway, type GatewayOptions } from '../../src/gateway.ts';
import { systemClock, type Clock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { socketPath } from '../../src/runtime/socket-path.ts';
import { memoryLog } from '../fakes/silent-log.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
  /** Parsed body; the tests look at fields of it. */
  readonly json: Record<string, unknown> & { [index: number]: Record<string, unknown> };
}

/** A real gateway in this process, on a temporary data directory. */
export class RunningGateway {
  readonly dataDir: string;
  readonly log = memoryLog();
  readonly metrics = new Metrics();
  readonly gateway: Gateway;

  constructor(dataDir: string, options: Partial<GatewayOptions> = {}, clock: Clock = systemClock) {
    this.dataDir = dataDir;
    this.gateway = new Gateway(
      { dataDir, flowFile: '', editor: 'off', api: 'off', language: 'en', env: {}, ...options },
      { clock, log: this.log, metrics: this.metrics, random: Math.random },
    );
  }

  /** Asks over the Unix socket, or with `socket: 'editor.sock'` over the editor's. */
  request(
    method: string,
    path: string,
    body?: unknown,
    options: { type?: string; socket?: 'cigale.sock' | 'editor.sock'; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers = {
      ...(payload === undefined
        ? {}
        : { 'content-type': options.type ?? 'application/json', 'content-length': String(payload.length) }),
      ...options.headers,
    };
    return ask(
      { socketPath: socketPath(this.dataDir, options.socket ?? 'cigale.sock'), method, path, headers },
      payload,
    );
  }
}

export function ask(options: object, payload?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const isJson = String(response.headers['content-type']).includes('json');
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          json: isJson ? JSON.parse(body) : {},
        });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'cigale-e2e-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Waits until a condition holds; fails with what it was waiting for. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 15_000,
): Promise<void> {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited in vain for: ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, 20));
  }
}
