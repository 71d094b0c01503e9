import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConcentratorSettings } from '../../src/model/plan.ts';
import { systemClock, type Clock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import type { HeardFrame } from '../../src/sources/lora/heard-frame.ts';
import { UdpConcentrator, type ConcentratorState } from '../../src/sources/lora/udp-forwarder.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';

const EUI = 'aa555a0000000001';
const settings = (over: Partial<ConcentratorSettings> = {}): ConcentratorSettings => ({
  nodeId: 'roof',
  name: '',
  kind: 'udp',
  bind: '127.0.0.1',
  port: 0,
  gateways: [],
  region: 'EU868',
  netId: '000000',
  ...over,
});
const packet = (data: string): object => ({
  tmst: 1,
  freq: 868.1,
  stat: 1,
  modu: 'LORA',
  datr: 'SF7BW125',
  rssi: -70,
  lsnr: 5,
  data,
});
const datagram = (type: number, { version = 2, eui = EUI, body = '' } = {}): Buffer =>
  Buffer.concat([Buffer.of(version, 0x12, 0x34, type), Buffer.from(eui, 'hex'), Buffer.from(body)]);
const pushData = (json: unknown, over = {}): Buffer => datagram(0, { body: JSON.stringify(json), ...over });

let metrics: Metrics;
let frames: HeardFrame[];
let states: ConcentratorState[];
let forwarder: Socket;
let open: UdpConcentrator[];

async function concentrator(
  over: Partial<ConcentratorSettings> = {},
  clock: Clock = systemClock,
): Promise<UdpConcentrator> {
  const made = new UdpConcentrator(
    settings(over),
    { onFrames: (heard) => frames.push(...heard), onState: (state) => states.push(state) },
    { clock, log: memoryLog(), metrics },
  );
  open.push(made);
  await made.start();
  return made;
}
const rejected = (reason: string): number => metrics.value('cigale_frames_rejected_total', { source: 'roof', reason });

async function answerTo(target: UdpConcentrator, bytes: Buffer): Promise<Buffer> {
  const answer = once(forwarder, 'message');
  forwarder.send(bytes, target.address()!.port, '127.0.0.1');
  return ((await answer) as [Buffer])[0];
}
/** A PULL_DATA is answered in order, so everything sent before it was handled when its answer is here. */
async function handled(target: UdpConcentrator, ...datagrams: Buffer[]): Promise<void> {
  for (const bytes of datagrams) forwarder.send(bytes, target.address()!.port, '127.0.0.1');
  forwarder.send(datagram(2), target.address()!.port, '127.0.0.1');
  for (;;) {
    const [answer] = (await once(forwarder, 'message')) as [Buffer];
    if (answer[3] === 4) return;
  }
}

beforeEach(async () => {
  metrics = new Metrics();
  frames = [];
  states = [];
  open = [];
  forwarder = createSocket('udp4');
  forwarder.bind(0, '127.0.0.1');
  await once(forwarder, 'listening');
});
afterEach(async () => {
  for (const made of open) await made.stop();
  forwarder.close();
});

describe('the packet forwarder protocol', () => {
  it.each([1, 2])('acknowledges PUSH_DATA and PULL_DATA of version %i with their token', async (version) => {
    const roof = await concentrator();
    expect(await answerTo(roof, pushData({ rxpk: [] }, { version }))).toEqual(Buffer.of(version, 0x12, 0x34, 1));
    expect(await answerTo(roof, datagram(2, { version }))).toEqual(Buffer.of(version, 0x12, 0x34, 4));
  });

  it('acknowledges a body that it then refuses', async () => {
    const roof = await concentrator();
    expect(await answerTo(roof, datagram(0, { body: '{"rxpk":' }))).toEqual(Buffer.of(2, 0x12, 0x34, 1));
    expect(rejected('malformed')).toBe(1);
  });

  it('hands over the frames of one datagram together and counts the others', async () => {
    const roof = await concentrator();
    await handled(roof, pushData({ rxpk: [packet('AQID'), { ...packet('AQID'), stat: -1 }, packet('BAUG')] }));
    expect(frames.map(({ phyPayload }) => Buffer.from(phyPayload).toString('hex'))).toEqual(['010203', '040506']);
    expect(frames[0]!.reception.gatewayEui).toBe(EUI);
    expect(rejected('bad-crc')).toBe(1);
  });

  it('remembers where a concentrator awaits downlinks until it falls silent', async () => {
    const clock = new ManualClock();
    const roof = await concentrator({}, clock);
    await answerTo(roof, pushData({ stat: {} }));
    expect(roof.pullAddress(EUI)).toBeUndefined();
    await answerTo(roof, datagram(2));
    expect(roof.pullAddress(EUI)).toEqual({ address: '127.0.0.1', port: forwarder.address().port });
    await clock.advance(121_000);
    expect(roof.pullAddress(EUI)).toBeUndefined();
  });

  it('keeps each concentrator’s last status report', async () => {
    const roof = await concentrator();
    await handled(roof, pushData({ stat: { rxnb: 9, ackr: 100 } }));
    expect(roof.state().concentrators).toMatchObject([{ eui: EUI, stat: { received: 9, acknowledgedPercent: 100 } }]);
    expect(states.at(-1)!.concentrators).toMatchObject([{ eui: EUI }]);
  });

  it('drops a concentrator that is not allowed, without an answer', async () => {
    const roof = await concentrator({ gateways: [EUI.toUpperCase()] });
    await handled(roof, pushData({ rxpk: [packet('AQID')] }, { eui: '0000000000000bad' }));
    expect(frames).toEqual([]);
    expect(rejected('forbidden-gateway')).toBe(1);
    expect(roof.state().concentrators).toHaveLength(1);
  });

  it('tracks at most 64 concentrators, and takes the frames of others all the same', async () => {
    const roof = await concentrator();
    const crowd = Array.from({ length: 80 }, (_, n) =>
      pushData({ rxpk: [packet('AQID')] }, { eui: n.toString(16).padStart(16, '0') }),
    );
    await handled(roof, ...crowd);
    expect(roof.state().concentrators).toHaveLength(64);
    expect(frames).toHaveLength(80);
    expect(metrics.value('cigale_concentrators_untracked_total', { source: 'roof' })).toBeGreaterThanOrEqual(16);
  });

  it('refuses and counts what is no datagram of the protocol', async () => {
    const roof = await concentrator();
    await handled(
      roof,
      Buffer.alloc(0),
      Buffer.of(2, 0, 0, 0),
      datagram(0, { version: 3 }),
      datagram(5),
      datagram(9),
      pushData({ rxpk: 'x'.repeat(9000) }),
      datagram(0, { body: '['.repeat(100) }),
    );
    expect([rejected('malformed'), rejected('unexpected'), rejected('too-long'), rejected('too-deep')]).toEqual([
      3, 2, 1, 1,
    ]);
  });

  it('lives through random datagrams and still hears a good one', async () => {
    const roof = await concentrator();
    for (let round = 0; round < 50; round += 1) {
      const noise = Array.from({ length: 40 }, () => {
        const bytes = Buffer.from(Array.from({ length: Math.floor(Math.random() * 200) }, () => Math.random() * 256));
        return Math.random() < 0.5 ? bytes : Buffer.concat([datagram(0), bytes]);
      });
      await handled(roof, ...noise);
    }
    await handled(roof, pushData({ rxpk: [packet('AQID')] }));
    expect(frames).toHaveLength(1);
  });
});

describe('binding the port', () => {
  it('says that the port is in use and takes it when it is free again', async () => {
    const clock = new ManualClock();
    const first = await concentrator();
    const { port } = first.address()!;
    const second = await concentrator({ port }, clock);
    expect(second.state()).toMatchObject({ address: null, fault: 'LORA_BIND_FAILED' });
    await first.stop();
    for (let attempt = 0; attempt < 50 && second.address() === null; attempt += 1) await clock.advance(1000);
    expect(second.state()).toMatchObject({ address: { port }, fault: null, detail: '' });
  });

  it('says so when the address is not of this machine', async () => {
    const roof = await concentrator({ bind: '203.0.113.1' }, new ManualClock());
    expect(states.at(-1)).toMatchObject({ node: 'roof', fault: 'LORA_BIND_FAILED' });
    expect(roof.address()).toBeNull();
  });

  it('stops twice without complaint, and starts again', async () => {
    const roof = await concentrator();
    await roof.stop();
    await roof.stop();
    expect(roof.address()).toBeNull();
    await roof.start();
    expect(roof.address()).not.toBeNull();
  });
});
