import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { GatewayPort } from '../gateway.ts';

/** The shipped demo: `flows/demo` beside the source or, once built, two folders up. */
export async function demoFolder(): Promise<string> {
  for (const up of ['../../flows/demo', '../../../flows/demo']) {
    const folder = new URL(`${up}/`, import.meta.url).pathname;
    if (await isFolder(folder)) return folder;
  }
  throw new Error('the package lacks flows/demo');
}

async function isFolder(folder: string): Promise<boolean> {
  try {
    await readdir(folder);
    return true;
  } catch {
    // Not at this depth: the built module lies one folder deeper than the source.
    return false;
  }
}

/** The wanted TCP port of loopback where it is free, else another. */
export function freeTcpPort(wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(wanted === 0 ? 0 : freeTcpPort(0)));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** The wanted UDP port of loopback where it is free, else another. */
export function freeUdpPort(wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => {
      socket.close();
      resolve(wanted === 0 ? 0 : freeUdpPort(0));
    });
    socket.bind(wanted, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** Puts the demo's codecs and inventory into the registry; what stands already stays as it is. */
export async function loadDemoRegistry(gateway: GatewayPort, folder: string): Promise<void> {
  for (const file of await readdir(join(folder, 'codecs'))) {
    await gateway.saveCodec(basename(file, '.js'), await readFile(join(folder, 'codecs', file), 'utf8'));
  }
  await gateway.importRegistry(await readFile(join(folder, 'registry.csv')), { dryRun: false, partial: false });
}
