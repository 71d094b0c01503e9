import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from '../e2e/running-gateway.ts';

/**
 * Reads datagrams and prints one a line. The descriptor that comes with a barrier must be closed, or systemd-notify waits;
 * socat keeps it.
 */
const READER = `
import os, socket, sys
reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
reader.bind(sys.argv[1])
while True:
    message, descriptors, _flags, _address = socket.recv_fds(reader, 4096, 8)
    print(message.decode().strip(), flush=True)
    for descriptor in descriptors:
        os.close(descriptor)
`;

/** Programs that the tests with a socket in systemd's place need and that are not installed; empty when all are. */
export const missing = ['systemd-notify', 'python3']
  .filter((program) => spawnSync(program, ['--version']).error !== undefined)
  .join(', ');
if (missing !== '') process.stderr.write(`not run: ${missing} is not installed\n`);

export interface NotifySocket {
  readonly path: string;
  /** The messages so far, in order, without the barriers by which systemd-notify waits for the reader. */
  messages(): readonly string[];
}

/** A datagram socket in systemd's place. */
export async function notifySocket(): Promise<NotifySocket> {
  const folder = await mkdtemp(join(tmpdir(), 'cigale-notify-'));
  const path = join(folder, 'notify');
  const reader = spawn('python3', ['-c', READER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  reader.stdout.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  onTestFinished(async () => {
    reader.kill();
    await rm(folder, { recursive: true, force: true });
  });
  await until('the socket is there', () => existsSync(path));
  return {
    path,
    messages: () => text.split('\n').filter((message) => message !== '' && message !== 'BARRIER=1'),
  };
}
