import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort, pause } from './waiting.ts';

/** A Mosquitto of our own on a free port, which it keeps when it is stopped and started again. */
export class LocalBroker {
  readonly port: number;
  readonly #config: string;
  #child: ChildProcess | undefined;

  constructor(port: number, config: string) {
    this.port = port;
    this.#config = config;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.#child = spawn('mosquitto', ['-c', this.#config], { stdio: 'ignore' });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      if (await isListening(this.port)) return;
      await pause(50);
    }
    throw new Error('mosquitto does not listen');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return;
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
    child.kill('SIGKILL');
    await closed;
  }
}

export async function startBroker(folder: string): Promise<LocalBroker> {
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n`);
  const broker = new LocalBroker(port, config);
  await broker.start();
  return broker;
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
