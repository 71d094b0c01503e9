import { afterEach, describe, expect, it } from 'vitest';
import { Bench, portSettings, SerialServer, until } from './serial-bench.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  cleanUps.length = 0;
});

async function server(): Promise<SerialServer> {
  const started = await new SerialServer().start();
  cleanUps.push(() => started.stop());
  return started;
}

function bench(...args: ConstructorParameters<typeof Bench>): Bench {
  const created = new Bench(...args);
  cleanUps.push(() => created.source.stop());
  return created;
}

describe('a port that is opened while the sensor speaks', () => {
  it('throws away the rest of the line that it came into, and takes the next one', async () => {
    const hub = await server();
    const port = await bench(portSettings(hub.path), 5, 60_000).open();
    await until('the server has the connection', () => hub.sockets.size === 1);
    hub.write('=61.2,LAFma');
    hub.write('x=70.1\r');
    hub.write('\nLAeq=58.3\r\n');
    await until('the whole line', () => port.frames.length === 1);
    expect(port.lines).toEqual(['LAeq=58.3']);
    expect(port.rejections.map(({ reason, excerpt }) => `${reason} ${excerpt}`)).toEqual(['stale =61.2,LAFmax=70.1']);
    expect(port.rejected('stale')).toBe(1);
  });

  it('keeps little of a flood without a delimiter', async () => {
    const hub = await server();
    const port = await bench(portSettings(hub.path), 5, 60_000).open();
    await until('the server has the connection', () => hub.sockets.size === 1);
    for (let count = 0; count < 100; count += 1) hub.write('x'.repeat(10_000));
    hub.write('\r\nwhole\r\n');
    await until('the whole line', () => port.frames.length === 1);
    expect(port.rejections[0]?.excerpt.length).toBeLessThan(300);
  });
});

describe('a serial server', () => {
  it('gives lines, takes commands, and stays read while it is paced', async () => {
    const hub = await server();
    const port = await bench(portSettings(hub.path), 20).open();
    await until('the server has the connection', () => hub.sockets.size === 1);
    for (let count = 0; count < 50; count += 1) hub.write(`line ${count}\r\n`);
    await port.source.write(Buffer.from('poll\r\n'));
    await until('all lines', () => port.frames.length === 50);
    await until('the command', () => Buffer.concat(hub.received).toString() === 'poll\r\n');
    hub.write('later\r\n');
    await until('a line after a quiet time', () => port.frames.length === 51);
    expect(port.lines.at(-1)).toBe('later');
  });

  it('connects again after a restart of the server and forgets the half-line', async () => {
    const hub = await server();
    const port = await bench(portSettings(hub.path)).open();
    await until('the server has the connection', () => hub.sockets.size === 1);
    hub.write('whole\r\nhal');
    await until('bytes', () => port.metrics.total('cigale_serial_bytes_total') === 10);
    await hub.stop();
    await until('the loss is noticed', () => port.state === 'absent');
    await hub.start();
    await until('open again', () => port.state === 'open' && hub.sockets.size === 1);
    hub.write('f\r\nnext\r\n');
    await until('the next line', () => port.lines.includes('next'));
    expect(port.lines).toEqual(['whole', 'f', 'next']);
    expect(port.rejected('stale')).toBe(1);
  });

  it('notices a connection that the server ends between two reads', async () => {
    const hub = await server();
    const port = await bench(portSettings(hub.path), 200).open();
    await until('the server has the connection', () => hub.sockets.size === 1);
    hub.write('last words\r\n');
    for (const socket of hub.sockets) socket.end();
    await until('the end is noticed', () => port.states.some(({ state }) => state === 'absent'));
    expect(port.lines).toEqual(['last words']);
  });

  it('is absent where nobody listens or the address is none', async () => {
    const hub = await server();
    await hub.stop();
    for (const path of [hub.path, 'tcp://nonsense', 'tcp://127.0.0.1:99999', 'tcp://[::1:5']) {
      const port = bench(portSettings(path));
      await port.source.start();
      await until('absent', () => port.state === 'absent');
      expect(port.states.at(-1)).toMatchObject({ code: 'SERIAL_OPEN_FAILED' });
    }
  });

  it('stops while the connection is being made', async () => {
    const hub = await server();
    const port = bench(portSettings(hub.path));
    await port.source.start();
    await port.source.stop();
    expect(port.states.map(({ state }) => state)).toEqual(['opening']);
    await until('no connection is left', () => hub.sockets.size === 0);
  });
});
