import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Candidate, Place } from './candidate.ts';
import { nodeRedFlow } from './node-red-flow.ts';
import { freePort } from './waiting.ts';

const FOLDER = join(import.meta.dirname, '../../node_modules/.cache/peers/node-red');
/** Exact versions: a bench that changes by itself measures nothing. */
const PACKAGES = { 'node-red': '5.0.7', 'node-red-node-serialport': '2.0.3', 'node-red-node-sqlite': '1.1.1' };

/** Installs the peer where it is not there yet, apart from our own dependencies. */
export function installNodeRed(): string {
  const manifest = JSON.stringify({ name: 'peers', private: true, version: '1.0.0', dependencies: PACKAGES }, null, 2);
  const file = join(FOLDER, 'package.json');
  const red = join(FOLDER, 'node_modules/node-red/red.js');
  if (existsSync(red) && existsSync(file) && readFileSync(file, 'utf8') === manifest) return red;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(file, manifest);
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: FOLDER, stdio: 'inherit' });
  return red;
}

export class NodeRedCandidate implements Candidate {
  readonly name = `Node-RED ${PACKAGES['node-red']}`;
  readonly #place: Place;
  readonly #red: string;
  #child: ChildProcess | undefined;
  firstAcceptedMs = Number.NaN;

  constructor(place: Place, red: string) {
    this.#place = place;
    this.#red = red;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const userDir = join(this.#place.folder, 'user');
    const flowFile = join(userDir, 'flows.json');
    mkdirSync(userDir, { recursive: true });
    writeFileSync(flowFile, JSON.stringify(nodeRedFlow(this.#place)));
    writeFileSync(join(userDir, 'settings.js'), settings(await freePort()));
    this.firstAcceptedMs = Number.NaN;
    const startedMs = performance.now();
    const child = spawn(process.execPath, [this.#red, '--userDir', userDir, 'flows.json'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${join(process.execPath, '..')}:${process.env['PATH']}` },
    });
    const log: string[] = [];
    child.stdout.on('data', (bytes: Buffer) => {
      log.push(bytes.toString());
      writeFileSync(join(userDir, 'node-red.log'), log.join(''));
      if (Number.isNaN(this.firstAcceptedMs) && bytes.includes('FIRST-ACCEPTED'))
        this.firstAcceptedMs = performance.now() - startedMs;
    });
    child.stderr.resume();
    this.#child = child;
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
    child.kill(signal);
    await closed;
  }
}

/** Stock, but for the port, where the serial and database nodes lie, and no question to the network. */
const settings = (port: number): string => `module.exports = {
  uiHost: '127.0.0.1', uiPort: ${port}, flowFile: 'flows.json', credentialSecret: false,
  nodesDir: ${JSON.stringify(['node-red-node-serialport', 'node-red-node-sqlite'].map((name) => join(FOLDER, 'node_modules', name)))},
  telemetry: { enabled: false }, logging: { console: { level: 'info', metrics: false, audit: false } },
};
`;
