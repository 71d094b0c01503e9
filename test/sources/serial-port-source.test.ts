import { mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { hasCode } from '../../src/runtime/errors.ts';
import { Bench, portSettings, PtyPair, until } from './serial-bench.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  cleanUps.length = 0;
});

async function pty(): Promise<PtyPair> {
  const pair = await new PtyPair().plug();
  cleanUps.push(() => pair.remove());
  return pair;
}

function bench(...args: ConstructorParameters<typeof Bench>): Bench {
  const created = new Bench(...args);
  cleanUps.push(() => created.source.stop());
  return created;
}

describe('a serial port', () => {
  it('gives whole lines, as bytes, in the order they came', async () => {
    const pair = await pty();
    const port = await bench(portSettings(pair.gateway)).open();
    pair.write('one\r\ntw');
    pair.write('o\r\n\u00b0\u00ff\u0000x\r\n');
    await until('three lines', () => port.frames.length === 3);
    expect(port.lines).toEqual(['one', 'two', '\u00b0\u00ff\u0000x']);
    expect(port.metrics.value('cigale_frames_received_total', { source: 'port-1' })).toBe(3);
    expect(port.metrics.value('cigale_serial_bytes_total', { source: 'port-1' })).toBe(16);
  });

  it('hands the lines of one read over together', async () => {
    const pair = await pty();
    const port = await bench(portSettings(pair.gateway), 100).open();
    pair.write(Array.from({ length: 20 }, (_, index) => `line ${index}\r\n`).join(''));
    await until('all lines', () => port.frames.length === 20);
    expect(port.batches.length).toBeLessThan(5);
    expect(new Set(port.frames.map((frame) => frame.receivedAt)).size).toBe(port.batches.length);
  });

  it('takes a CR off before a line feed delimiter, and passes over empty lines', async () => {
    const pair = await pty();
    const port = await bench(portSettings(pair.gateway, { delimiter: '\n' })).open();
    pair.write('\r\n\na\r\nb\n\r\n');
    await until('two lines', () => port.frames.length === 2);
    await until('three empty ones', () => port.rejected('empty') === 3);
    expect(port.lines).toEqual(['a', 'b']);
    expect(port.rejections).toEqual([]);
  });

  it('drops a line that is too long as a whole and keeps the ones around it', async () => {
    const pair = await pty();
    const port = await bench(portSettings(pair.gateway, { maxFrameBytes: 64 })).open();
    pair.write(`before\r\n${'x'.repeat(3000)}\r\nafter\r\n`);
    await until('both good lines', () => port.frames.length === 2);
    expect(port.lines).toEqual(['before', 'after']);
    expect(port.rejections.map((rejection) => rejection.reason)).toEqual(['too-long']);
    expect(port.rejections[0]!.excerpt.length).toBeLessThanOrEqual(200);
    expect(port.metrics.total('cigale_serial_discarded_bytes_total')).toBe(3002);
  });

  it('opens again after an unplug and never glues the old half-line to the new line', async () => {
    const pair = await pty();
    const port = await bench(portSettings(pair.gateway)).open();
    for (let round = 1; round <= 3; round += 1) {
      pair.write(`whole ${round}\r\nhal`);
      await until('the half-line is read', () => port.metrics.total('cigale_serial_bytes_total') === round * 12);
      await pair.unplug();
      await until('the unplug is noticed', () => port.state === 'absent');
      await pair.plug();
      await until('the port is open again', () => port.state === 'open');
    }
    pair.write('last\r\n');
    await until('the last line', () => port.lines.includes('last'));
    expect(port.lines).toEqual(['whole 1', 'whole 2', 'whole 3', 'last']);
    expect(port.rejected('stale')).toBe(3);
    expect(port.rejections.map((rejection) => rejection.excerpt)).toEqual(['hal', 'hal', 'hal']);
    expect(port.states.find(({ state }) => state === 'absent')?.code).toBe('SERIAL_DISCONNECTED');
  });

  it('waits for a port that is absent at the start', async () => {
    const pair = await pty();
    await pair.unplug();
    const port = bench(portSettings(pair.gateway));
    await port.source.start();
    await until('it says that the port is absent', () => port.state === 'absent');
    expect(port.states.at(-1)).toMatchObject({ code: 'SERIAL_OPEN_FAILED' });
    await pair.plug();
    await until('the port is open', () => port.state === 'open');
    pair.write('hello\r\n');
    await until('a line', () => port.frames.length === 1);
    expect(port.states.map(({ state }) => state)).toEqual(['opening', 'absent', 'open']);
  });

  it('says that another program holds the port, and takes it when that is over', async () => {
    const pair = await pty();
    const first = await bench(portSettings(pair.gateway)).open();
    const second = bench(portSettings(pair.gateway));
    await second.source.start();
    await until('busy', () => second.state === 'busy');
    expect(second.states.at(-1)).toMatchObject({ code: 'SERIAL_PORT_BUSY' });
    expect(second.states.at(-1)?.detail).toContain(`pid ${process.pid}`);
    await first.source.stop();
    await until('open', () => second.state === 'open');
  });

  it('is absent, not a crash, where the path is no port at all', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cigale-no-port-'));
    cleanUps.push(async () => rmSync(folder, { recursive: true }));
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const port = bench(portSettings(path));
    await port.source.start();
    await until('absent', () => port.state === 'absent');
    expect(port.states.at(-1)).toMatchObject({ code: 'SERIAL_OPEN_FAILED' });
  });

  it.skipIf(process.getuid?.() === 0)('says that the port may not be used', async () => {
    const pair = await pty();
    chmodSync(pair.gateway, 0);
    const port = bench(portSettings(pair.gateway));
    await port.source.start();
    await until('denied', () => port.state === 'denied');
    expect(port.states.at(-1)).toMatchObject({ code: 'SERIAL_PERMISSION' });
  });

  it('writes poll commands, and refuses while the port is not open', async () => {
    const pair = await pty();
    const sensor = await bench(portSettings(pair.sensor)).open();
    const port = bench(portSettings(pair.gateway));
    const early = await port.source.write(Buffer.from('0R1!')).catch((error: unknown) => error);
    expect(hasCode(early, 'SERIAL_DISCONNECTED')).toBe(true);
    await port.open();
    await port.source.write(Buffer.from('0R1!\r\n'));
    await until('the command arrived', () => sensor.frames.length === 1);
    expect(sensor.lines).toEqual(['0R1!']);
  });

  it('refuses commands that nobody takes instead of queueing them for ever', async () => {
    const pair = await pty();
    const port = await bench(portSettings(pair.gateway)).open();
    const refusals: unknown[] = [];
    const writes = Array.from({ length: 300 }, () =>
      port.source.write(Buffer.alloc(1000, 0x41)).catch((error: unknown) => refusals.push(error)),
    );
    await until('a refusal', () => refusals.length > 0);
    expect(refusals.every((error) => hasCode(error, 'SERIAL_WRITE_STALLED'))).toBe(true);
    await port.source.stop();
    await Promise.all(writes);
  });

  it('stops while it opens, while it waits and while it is open, and starts again', async () => {
    const pair = await pty();
    const port = bench(portSettings(pair.gateway));
    await port.source.start();
    await port.source.stop();
    await port.open();
    await port.source.stop();
    await port.source.stop();
    await pair.unplug();
    await port.source.start();
    await until('absent', () => port.state === 'absent');
    await port.source.stop();
    const told = port.states.length;
    await pair.plug();
    await port.open();
    expect(port.states.slice(told).map(({ state }) => state)).toEqual(['opening', 'open']);
  });
});
