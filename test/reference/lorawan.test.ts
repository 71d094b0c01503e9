import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StoredUplink } from '../../src/model/frame.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { isUplinkMicValid, micKey } from '../../src/sources/lora/lorawan-crypto.ts';
import { parsePhyPayload } from '../../src/sources/lora/phy-payload.ts';
import { readPushData } from '../../src/sources/lora/push-data.ts';
import { UdpConcentrator } from '../../src/sources/lora/udp-forwarder.ts';
import { decryptUplink, UplinkGate } from '../../src/sources/lora/uplink-gate.ts';
import type { Session } from '../../src/store/store.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { referenceFile } from '../reference-data.ts';
import { heard, hex, MemoryUplinkStore, oracle } from '../sources/lora-frames.ts';

const load = (file: string | null): unknown => (file === null ? {} : JSON.parse(readFileSync(file, 'utf8')));

interface Frame {
  readonly kind: string;
  readonly phy: string;
  readonly nwkSKey?: string;
  readonly appSKey?: string;
  readonly appKey?: string;
  readonly devNonce?: string;
  readonly joinNonce?: string;
  readonly netID?: string;
  readonly expect: Readonly<Record<string, unknown>>;
}
const framesFile = referenceFile('lorawan', 'frames.json');
const frames = (load(framesFile) as { frames?: Frame[] }).frames ?? [];

/** What we and lora-packet say about a frame, under the names of the reference file. */
const VERDICTS: Readonly<Record<string, (frame: Frame) => Record<string, unknown>>> = {
  'data-up': dataUp,
  'data-down': dataDown,
  'join-request': joinRequest,
  'join-accept': joinAccept,
  'session-keys': sessionKeys,
  malformed: ({ phy }) => ({ accept: parsePhyPayload(hex(phy)).kind !== 'rejected' }),
  proprietary: ({ phy }) => ({
    mtype: parsePhyPayload(hex(phy)).kind === 'rejected' ? 'Proprietary' : 'taken for an uplink',
  }),
};

function dataUp({ phy, nwkSKey, appSKey }: Frame): Record<string, unknown> {
  const bytes = hex(phy);
  const parsed = parsePhyPayload(bytes);
  if (parsed.kind !== 'data-up') return { parsed };
  const keys = { nwkSKey: nwkSKey ?? '', appSKey: appSKey ?? '' };
  const uplink = { ...heard(bytes), id: 1, device: '', devAddr: '', fCnt: parsed.fCnt16, confirmed: false };
  return {
    mtype: parsed.confirmed ? 'ConfirmedDataUp' : 'UnconfirmedDataUp',
    devAddr: parsed.devAddr,
    fCnt: parsed.fCnt16,
    fPort: parsed.fPort,
    fOpts: Buffer.from(parsed.fOpts).toString('hex'),
    adr: parsed.adr,
    ack: parsed.ack,
    micValid: nwkSKey === undefined ? null : isUplinkMicValid(bytes, parsed.fCnt16, micKey(nwkSKey)),
    plaintext: appSKey === undefined ? null : Buffer.from(decryptUplink(uplink, keys).payload).toString('hex'),
  };
}

/** Downlinks are not ours to take: lora-packet confirms the file's values, we refuse the frame. */
function dataDown(frame: Frame): Record<string, unknown> {
  expect(parsePhyPayload(hex(frame.phy))).toEqual({ kind: 'rejected', reason: 'not-uplink' });
  const packet = oracle.fromWire(hex(frame.phy));
  return { ...frame.expect, micValid: oracle.verifyMIC(packet, hex(frame.nwkSKey!)) };
}

function joinRequest({ phy, appKey }: Frame): Record<string, unknown> {
  const parsed = parsePhyPayload(hex(phy));
  if (parsed.kind !== 'join-request') return { parsed };
  return {
    devEUI: parsed.devEui,
    joinEUI: parsed.joinEui,
    devNonce: parsed.devNonce,
    micValid: oracle.verifyMIC(oracle.fromWire(hex(phy)), undefined, hex(appKey!)),
  };
}

function joinAccept(frame: Frame): Record<string, unknown> {
  expect(parsePhyPayload(hex(frame.phy)).kind).toBe('rejected');
  const clear = oracle.decryptJoinAccept(oracle.fromWire(hex(frame.phy)), hex(frame.appKey!));
  const at = (from: number, to: number): string => Buffer.from(clear.subarray(from, to)).reverse().toString('hex');
  return {
    joinNonce: at(1, 4),
    netID: at(4, 7),
    devAddr: at(7, 11),
    dlSettings: clear[11],
    rxDelay: clear[12],
    mic: clear.subarray(-4).toString('hex'),
    micValid: oracle.verifyMIC(oracle.fromWire(clear), undefined, hex(frame.appKey!)),
  };
}

function sessionKeys({ appKey, netID, joinNonce, devNonce }: Frame): Record<string, unknown> {
  const keys = oracle.generateSessionKeys10(hex(appKey!), hex(netID!), hex(joinNonce!), hex(devNonce!));
  return { nwkSKey: keys.NwkSKey.toString('hex'), appSKey: keys.AppSKey.toString('hex') };
}

describe.skipIf(framesFile === null)('the 52 reference frames', () => {
  it('are all there', () => {
    expect(frames).toHaveLength(52);
  });
  it.each(frames.map((frame, index) => [index, frame.kind, frame] as const))(
    'frame %i (%s) is read as expected',
    (_index, kind, frame) => {
      expect(VERDICTS[kind]!(frame)).toMatchObject(frame.expect);
    },
  );
});

const rxpkFile = referenceFile('lorawan', 'rxpk.json');
interface RxpkSample {
  readonly json: string;
  readonly expect: Readonly<Record<string, number | boolean | string>>;
}
const samples = (load(rxpkFile) as { samples?: RxpkSample[] }).samples ?? [];

describe.skipIf(rxpkFile === null)('rxpk bodies of real forwarders', () => {
  it.each(samples.map((sample, index) => [index, sample] as const))('body %i is read as expected', (_index, sample) => {
    const push = readPushData(Buffer.from(sample.json), 'aa555a0000000001');
    if (typeof push === 'string') throw new Error(push);
    const taken = push.packets.filter((packet) => packet.kind === 'heard');
    const first = taken[0]?.kind === 'heard' ? taken[0] : undefined;
    const frame = first === undefined ? undefined : parsePhyPayload(first.phyPayload);
    const actual: Record<string, unknown> = {
      rxpk: push.packets.length,
      stat: push.stat !== null,
      accepted: taken.length,
      lora: taken.filter((packet) => packet.reception.dataRate.startsWith('SF')).length,
      fsk: taken.filter((packet) => !packet.reception.dataRate.startsWith('SF')).length,
      rssi: first?.reception.rssiDbm,
      snr: first?.reception.snrDb,
      ...(frame?.kind === 'data-up' ? { devAddr: frame.devAddr, fCnt: frame.fCnt16, fPort: frame.fPort } : {}),
    };
    expect(actual).toMatchObject(sample.expect);
  });
});

const captureFile = referenceFile('lorawan', 'udp-capture.json');
interface Capture {
  readonly sessions: readonly { readonly devEUI: string; devAddr: string; NwkSKey: string; AppSKey: string }[];
  readonly datagrams: readonly { readonly dir: string; readonly hex: string }[];
  readonly deviceLogs: readonly (readonly { readonly ev: string; readonly phy?: string }[])[];
}
const capture = load(captureFile) as Capture;

describe.skipIf(captureFile === null)('a capture of Semtech’s forwarder, replayed over UDP', () => {
  const accepted: StoredUplink[] = [];
  const store = new MemoryUplinkStore();
  const metrics = new Metrics();
  const log = memoryLog();
  const gate = new UplinkGate({
    store,
    onAccepted: (uplink) => accepted.push(uplink),
    clock: systemClock,
    log,
    metrics,
  });
  const concentrator = new UdpConcentrator(
    {
      nodeId: 'roof',
      name: '',
      kind: 'udp',
      bind: '127.0.0.1',
      port: 0,
      gateways: [],
      region: 'EU868',
      netId: '000000',
    },
    { onFrames: (heardFrames) => gate.hear(heardFrames), onState: () => undefined },
    { clock: systemClock, log, metrics },
  );
  let forwarder: Socket;

  /** Sends every datagram of the forwarder and waits for its acknowledgement, where the protocol has one. */
  async function replay(): Promise<void> {
    for (const { dir, hex: text } of capture.datagrams) {
      if (dir !== 'gw>ns') continue;
      const bytes = hex(text);
      const answer = bytes[3] === 5 ? null : once(forwarder, 'message');
      forwarder.send(bytes, concentrator.address()!.port, '127.0.0.1');
      await answer;
    }
    await expect.poll(() => gateIsQuiet(), { timeout: 5000 }).toBe(true);
  }
  let last = -1;
  const gateIsQuiet = (): boolean => {
    const total = accepted.length + metrics.total('cigale_frames_rejected_total');
    const quiet = total === last;
    last = total;
    return quiet;
  };
  /** Distinct data uplinks that the devices say they sent. */
  const sent = (): Set<string> =>
    new Set(
      capture.deviceLogs
        .flat()
        .flatMap(({ ev, phy }) => (ev === 'tx' && phy !== undefined && !phy.startsWith('00') ? [phy] : [])),
    );

  beforeAll(async () => {
    forwarder = createSocket('udp4');
    forwarder.bind(0, '127.0.0.1');
    await once(forwarder, 'listening');
    await concentrator.start();
    gate.setSessions(
      capture.sessions.map(({ devEUI, devAddr, NwkSKey, AppSKey }): Session => ({
        device: devEUI,
        devAddr,
        keys: { nwkSKey: NwkSKey, appSKey: AppSKey },
        nextFCntUp: 0,
        relaxedCounter: false,
      })),
    );
  });
  afterAll(async () => {
    await concentrator.stop();
    await gate.stop();
    forwarder.close();
  });

  it('accepts each uplink that the devices sent exactly once', async () => {
    await replay();
    await expect.poll(() => accepted.length, { timeout: 5000 }).toBe(sent().size);
    expect(new Set(accepted.map(({ phyPayload }) => Buffer.from(phyPayload).toString('hex')))).toEqual(sent());
    expect(gate.heard()).toMatchObject(capture.sessions.map(() => ({ kind: 'join' })));
  });

  it('decrypts each to what the device had to say', () => {
    const plaintexts = new Map(frames.map((frame) => [frame.phy, frame.expect['plaintext']]));
    let compared = 0;
    for (const uplink of accepted) {
      const keys = capture.sessions.find(({ devEUI }) => devEUI === uplink.device)!;
      const { payload } = decryptUplink(uplink, { nwkSKey: keys.NwkSKey, appSKey: keys.AppSKey });
      const plaintext = plaintexts.get(Buffer.from(uplink.phyPayload).toString('hex'));
      if (plaintext === undefined) continue;
      expect(Buffer.from(payload).toString('hex')).toBe(plaintext);
      compared += 1;
    }
    expect(compared).toBe(accepted.length);
  });

  it('takes nothing of it a second time', async () => {
    const before = accepted.length;
    await replay();
    await gate.stop();
    expect(accepted).toHaveLength(before);
    expect(metrics.value('cigale_frames_rejected_total', { source: 'lora', reason: 'bad-mic' })).toBe(0);
  });
});
