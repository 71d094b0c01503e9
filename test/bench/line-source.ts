import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { pause, until } from './waiting.ts';

/** Numbers repeat after this many lines. */
export const NUMBERS = 40_000;
/** The number of a line as a plausible level in dB: what arrives says which line it was. */
export const levelOf = (number: number): number => 40 + (number % NUMBERS) / 1000;
export const numberOf = (level: number): number => Math.round((level - 40) * 1000);

/** A line to a candidate: bytes go in here, and the candidate reads them at `path`. */
export interface LineSource {
  /** `/dev/…` or `tcp://host:port`. */
  readonly path: string;
  send(text: string): void;
  /** Bytes that the reader has not made room for. */
  readonly waitingBytes: number;
  stop(): Promise<void>;
}

/** A pty; socat writes what it gets on its standard input. */
export async function openPty(folder: string): Promise<LineSource> {
  const path = join(folder, 'tty');
  const child: ChildProcess = spawn('socat', ['-u', 'STDIN', `PTY,link=${path},raw,echo=0`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const { stdin } = child;
  if (stdin === null || !(await until(() => existsSync(path), 5000))) throw new Error('socat made no pty');
  stdin.on('error', () => undefined);
  return {
    path,
    send: (text) => void stdin.write(text),
    get waitingBytes() {
      return stdin.writableLength;
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()));
      child.kill('SIGKILL');
      await closed;
    },
  };
}

/** A serial server on a free TCP port. */
export async function openTcpLine(): Promise<LineSource> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()));
  return {
    path: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    send: (text) => {
      for (const socket of sockets) socket.write(text);
    },
    get waitingBytes() {
      return Math.max(0, ...[...sockets].map((socket) => socket.writableLength));
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

export interface Fed {
  readonly lines: number;
  /** Greatest time that the reader was behind, by the bytes it had not made room for. */
  readonly worstLagMs: number;
}

const TICK_MS = 5;

/** Sends numbered lines evenly, in packets of 5 ms; `rate` lines a second, until `count` were sent. */
export async function feed(
  line: LineSource,
  { rate, count, from }: { rate: number; count: number; from: number },
): Promise<Fed> {
  const startedMs = performance.now();
  let sent = 0;
  let worstLagMs = 0;
  while (sent < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - startedMs) / 1000) * rate));
    let text = '';
    for (; sent < due; sent += 1) text += `${levelOf(from + sent).toFixed(3)}\r\n`;
    if (text !== '') line.send(text);
    worstLagMs = Math.max(worstLagMs, (line.waitingBytes / LINE_BYTES / rate) * 1000);
    await pause(TICK_MS);
  }
  return { lines: sent, worstLagMs };
}

const LINE_BYTES = 8;
