import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pacedBinding } from '../../src/sources/serial/paced-binding.ts';
import { ManualClock, settle } from '../fakes/manual-clock.ts';

type Native = Parameters<typeof pacedBinding>[0];
type Listener = (error: Error | null) => void;

/** A port whose poller is worked by the test, over a file of given content. */
async function openPaced(content: string) {
  const folder = mkdtempSync(join(tmpdir(), 'cigale-paced-'));
  const path = join(folder, 'port');
  writeFileSync(path, content);
  const waiting: Listener[] = [];
  const poller = { once: (_event: string, listener: Listener) => waiting.push(listener) };
  const port = { fd: openSync(path, 'r') as number | null, isOpen: true, poller, read: null as unknown };
  const native = { list: () => Promise.resolve([]), open: () => Promise.resolve(port) } as unknown as Native;
  const clock = new ManualClock();
  const opened = await pacedBinding(native, clock, 50).open({ path, baudRate: 9600 });
  const close = (): void => {
    if (port.fd !== null) closeSync(port.fd);
    rmSync(folder, { recursive: true });
  };
  const signal = async (error: Error | null): Promise<void> => {
    for (const listener of waiting.splice(0)) listener(error);
    await settle();
  };
  return { clock, close, opened, port, signal, waiting };
}

describe('reading a port at intervals', () => {
  it('waits for bytes, then for the interval, then takes all there is', async () => {
    const { clock, close, opened, signal, waiting } = await openPaced('line\r\nline\r\n');
    const buffer = Buffer.alloc(100);
    let bytesRead = 0;
    const reading = opened.read(buffer, 10, 50).then((read) => (bytesRead = read.bytesRead));
    expect(waiting.length).toBe(1);
    await signal(null);
    await clock.advance(49);
    expect(bytesRead).toBe(0);
    await clock.advance(1);
    await reading;
    expect(buffer.toString('latin1', 10, 10 + bytesRead)).toBe('line\r\nline\r\n');
    close();
  });

  it('reads on without waiting while a fast line fills the reads, and waits again once it does not', async () => {
    const { clock, close, opened, signal } = await openPaced('x'.repeat(4095 + 4095 + 10 + 5));
    const buffer = Buffer.alloc(8192);
    const first = opened.read(buffer, 0, 4095);
    await signal(null);
    await clock.advance(50);
    await first;
    for (const length of [4095, 10]) {
      const next = opened.read(buffer, 0, length);
      await signal(null);
      expect((await next).bytesRead).toBe(length);
    }
    let slow = 0;
    const last = opened.read(buffer, 0, 100).then(({ bytesRead }) => (slow = bytesRead));
    await signal(null);
    expect(slow).toBe(0);
    await clock.advance(50);
    expect(await last).toBe(5);
    close();
  });

  it('takes the end of the file for a hang-up, which some drivers report in no other way', async () => {
    const { clock, close, opened, signal } = await openPaced('');
    const outcome = opened.read(Buffer.alloc(10), 0, 10).catch((error: unknown) => error);
    await signal(null);
    await clock.advance(50);
    expect(await outcome).toBeInstanceOf(Error);
    close();
  });

  it('fails at once when the poller does, and as canceled when the port was closed meanwhile', async () => {
    const { clock, close, opened, port, signal } = await openPaced('x');
    const broken = new Error('EBADF');
    const first = opened.read(Buffer.alloc(10), 0, 10).catch((error: unknown) => error);
    await signal(broken);
    expect(await first).toBe(broken);
    const second = opened.read(Buffer.alloc(10), 0, 10).catch((error: unknown) => error);
    await signal(null);
    closeSync(port.fd!);
    port.fd = null;
    await clock.advance(50);
    expect(await second).toMatchObject({ canceled: true });
    close();
  });
});
