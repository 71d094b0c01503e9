import { spawn, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { socketPath } from '../../src/runtime/socket-path.ts';
import { ask, until, type Answer } from '../e2e/running-gateway.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** `cigale run` as a process of its own, so that it can be killed. */
export class GatewayChild {
  readonly dataDir: string;
  /** Greatest id that a run has reported after its COMMIT. */
  acceptedThrough = 0;
  #child: ChildProcess | undefined;
  #log = '';

  constructor(dataDir: string) {
    this.dataDir = dataDir;
    onTestFinished(() => this.end('SIGKILL').then(() => undefined));
  }

  /** What the process said, for a test that fails. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when the API answers. */
  async start(flow?: unknown): Promise<void> {
    const flowFile = join(this.dataDir, 'flow.json');
    if (flow !== undefined) await writeFile(flowFile, JSON.stringify(flow));
    const args = [MAIN, 'run', '--data', this.dataDir, ...(flow === undefined ? [] : ['--flow', flowFile])];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, CIGALE_ACCEPTED_FD: '3', CIGALE_LOG: 'info', LANG: 'C' },
    });
    this.#child = child;
    child.stdout?.on('data', (text: Buffer) => (this.#log += String(text)));
    child.stderr?.on('data', (text: Buffer) => (this.#log += String(text)));
    child.stdio[3]?.on('data', (text: Buffer) => {
      const last = String(text).trimEnd().split('\n').at(-1);
      this.acceptedThrough = Math.max(this.acceptedThrough, Number(last));
    });
    await until('the gateway answers', async () => (await this.request('GET', '/v1/status')).status === 200);
  }

  /** Exit code, or the signal that ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
      child.kill(signal);
      await closed;
    }
    return child.exitCode ?? child.signalCode;
  }

  /** Asks over the Unix socket; status 0 while nobody listens. */
  async request(method: string, path: string, body?: unknown, type = 'application/json'): Promise<Answer> {
    const payload = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers = payload === undefined ? {} : { 'content-type': type, 'content-length': String(payload.length) };
    try {
      return await ask({ socketPath: socketPath(this.dataDir, 'cigale.sock'), method, path, headers }, payload);
    } catch (error) {
      if (error instanceof Error && 'code' in error) return { status: 0, headers: {}, body: '', json: {} };
      throw error;
    }
  }

  /** Every record of a kind that the gateway has on disk. */
  async records(kind: 'samples' | 'aggregates' | 'gaps'): Promise<readonly Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    let cursor: string | null = '0';
    while (cursor !== null) {
      const range = `from=1980-01-01T00:00:00Z&to=2200-01-01T00:00:00Z&limit=5000&cursor=${cursor}`;
      const page: Record<string, unknown> = (await this.request('GET', `/v1/${kind}?${range}`)).json;
      found.push(...(page['records'] as Record<string, unknown>[]));
      cursor = page['cursor'] as string | null;
    }
    return found;
  }
}
