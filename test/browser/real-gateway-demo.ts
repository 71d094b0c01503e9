import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ask, until, type Answer } from '../e2e/running-gateway.ts';

/** The built command; `CIGALE_MAIN` names that of another build. */
const MAIN = process.env['CIGALE_MAIN'] ?? resolve(import.meta.dirname, '../../dist/src/main.js');
const ENVIRONMENT = { ...process.env, LANG: 'fr_FR.UTF-8' };
const ESTABLISHED = '01';

/** `npm start` as a technician runs it, in French, on a folder of its own. */
export class RunningDemo {
  dataDir = '';
  /** Everything that the demo printed. */
  output = '';
  #child: ChildProcess | undefined;

  /** Address of the editor. */
  get url(): string {
    return /le flux : {2}(http:\S+)/.exec(this.output)?.[1] ?? '';
  }

  async start(): Promise<void> {
    this.dataDir = await mkdtemp(join(tmpdir(), 'cigale-demo-'));
    const child = spawn(process.execPath, [MAIN, 'demo', '--data', this.dataDir], { env: ENVIRONMENT });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => void (this.output += text));
    }
    await until('the demo is announced', () => this.url !== '' || child.exitCode !== null, 30_000);
    if (this.url === '') throw new Error(`the demo ended: ${this.output}`);
    await until('the editor answers', () => this.#answers(), 30_000);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** What a `cigale` command prints. */
  async cigale(...args: readonly string[]): Promise<string> {
    const command = [MAIN, ...args, '--data', this.dataDir];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env: ENVIRONMENT });
    return stdout;
  }

  get(path: string, socket = 'cigale.sock'): Promise<Answer> {
    return ask({ socketPath: join(this.dataDir, socket), method: 'GET', path });
  }

  async version(): Promise<number> {
    return Number((await this.get('/v1/flow')).json['version']);
  }

  async accepted(): Promise<number> {
    return Number((await this.get('/v1/status')).json['acceptedTotal']);
  }

  /** Process id of Node-RED. */
  editorPid(): number | undefined {
    const pid = String(this.#child?.pid);
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return first === undefined || first === '' ? undefined : Number(first);
  }

  /** Our end of the connection to the noise meter's serial server: another one when the port was opened again. */
  async serialConnection(): Promise<string | undefined> {
    const stages = (await this.get('/v1/status')).json['stages'] as readonly {
      stage: string;
      facts: { path: string };
    }[];
    const path = stages.find(({ stage }) => stage === 'port')?.facts.path ?? '';
    const port = Number(path.split(':').at(-1)).toString(16).toUpperCase().padStart(4, '0');
    const connections = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    return connections.find(([, , remote, state]) => remote?.endsWith(`:${port}`) && state === ESTABLISHED)?.[1];
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(this.url)).ok;
    } catch {
      // Node-RED is still starting.
      return false;
    }
  }
}
