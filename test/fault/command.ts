import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';

export const BUILT_MAIN = join(import.meta.dirname, '../../dist/src/main.js');

export const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Waits until `isReached`, at most `timeoutMs`; whether it was. */
export async function waitFor(isReached: () => boolean, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!isReached()) {
    if (performance.now() > deadlineMs) return false;
    await pause(20);
  }
  return true;
}

export const freeTcpPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

export const freeUdpPort = (): Promise<number> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

/** A Mosquitto of our own that drops nothing while it runs. */
export async function startMosquitto(
  folder: string,
  knownPort?: number,
): Promise<{ port: number; process: ChildProcess }> {
  const port = knownPort ?? (await freeTcpPort());
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n`);
  const child = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
  for (let attempt = 0; attempt < 100 && !(await isListening(port)); attempt += 1) await pause(50);
  return { port, process: child };
}

/** Compiles a C file with gcc; null where there is no gcc. */
export function compile(source: string, output: string, ...flags: string[]): string | null {
  if (!existsSync('/usr/bin/gcc') && !existsSync('/usr/local/bin/gcc')) return null;
  execFileSync('gcc', ['-O1', '-Wall', '-Werror', ...flags, '-o', output, join(import.meta.dirname, source), '-ldl']);
  return output;
}

/** Prints the row of the result table. */
export const report = (fault: string, facts: Readonly<Record<string, unknown>>): void =>
  console.log(JSON.stringify({ fault, ...facts }, null, 2));
