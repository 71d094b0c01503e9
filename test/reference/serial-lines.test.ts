import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { createLineDecoder, type LineOutcome } from '../../src/decode/lines/line-decoder.ts';
import type { LineFrame } from '../../src/model/frame.ts';
import type { LineFormat } from '../../src/model/plan.ts';
import { channel, RECEIVED_AT, sourceSettings } from '../decode/lines-bench.ts';
import { referenceFile } from '../reference-data.ts';
import { Bench, portSettings, PtyPair, SerialServer, until } from '../sources/serial-bench.ts';

interface ReferenceLine {
  readonly id: string;
  readonly line: string;
  readonly checksum_valid: boolean | null;
  readonly decoded: Readonly<Record<string, unknown>> | null;
}

/** Name in the reference's decoding: [key of the channel, quantity, factor to the quantity's unit]. */
type Channels = Readonly<Record<string, readonly [key: string, quantity: string, factor?: number]>>;

interface Case {
  readonly format: LineFormat;
  readonly channels: Channels;
  readonly overrides?: Parameters<typeof sourceSettings>[2];
  readonly units?: Readonly<Record<string, string>>;
  /** Expected when the line gives no value. */
  readonly rejected?: string;
}

const KNOT = 1852 / 3600;
const WIND: Channels = {
  wind_dir_min_deg: ['Dn', 'windDirection'],
  wind_dir_mean_deg: ['Dm', 'windDirection'],
  wind_dir_max_deg: ['Dx', 'windDirection'],
  wind_min_ms: ['Sn', 'windSpeed'],
  wind_mean_ms: ['Sm', 'windSpeed'],
  wind_max_ms: ['Sx', 'windSpeed'],
};
const VAISALA: Channels = {
  ...WIND,
  air_temp_C: ['Ta', 'airTemperature'],
  internal_temp_C: ['Tp', 'airTemperature'],
  rh_pct: ['Ua', 'relativeHumidity'],
  pressure_hPa: ['Pa', 'pressure'],
  rain_mm: ['Rc', 'rainfall'],
  rain_duration_s: ['Rd', 'number'],
  hail_hits_cm2: ['Hc', 'number'],
  pt1000_temp_C: ['Tr', 'airTemperature'],
  pt1000_ohm: ['Rt', 'resistance'],
  heating_temp_C: ['Th', 'airTemperature'],
  heating_V: ['Vh', 'voltage'],
};
const vaisala: Case = { format: 'keyvalue', channels: VAISALA, overrides: { address: '0' } };

const sdi: Case = {
  format: 'regex',
  channels: { 'values.0': ['v0', 'number'], 'values.1': ['v1', 'number'], 'values.2': ['v2', 'number'] },
  overrides: {
    checksum: 'required',
    pattern: '^(?<address>0)(?<v0>[+-][\\d.]+)?(?<v1>[+-][\\d.]+)?(?<v2>[+-][\\d.]+)?$',
    address: '0',
  },
};

const MWV: Channels = {
  wind_dir_deg: ['MWV:1', 'windDirection'],
  wind_ms: ['MWV:3', 'windSpeed'],
  wind_knots: ['MWV:3', 'windSpeed', KNOT],
};
const nmea = (channels: Channels): Case => ({ format: 'nmea', channels });
const gill = (channels: Channels): Case => ({ format: 'csv', channels, overrides: { address: 'Q' } });

const CASES: Readonly<Record<string, Case>> = {
  'wxt-r1': vaisala,
  'wxt-r2': vaisala,
  'wxt-r3': vaisala,
  'wxt-r4': vaisala,
  'wxt-R1-hpwren': vaisala,
  'wxt-invalid-hash': vaisala,
  'wxt-startup': { ...vaisala, rejected: 'no-channel' },
  'wxt-corrupt': { ...vaisala, rejected: 'malformed' },
  'wxt-R0-ok': vaisala,
  'wxt-bar-units': vaisala,
  'sdi-a': sdi,
  'sdi-b': sdi,
  'sdi-empty': { ...sdi, rejected: 'no-channel' },
  'nmea-xdr-3': nmea({
    air_temp_C: ['XDR:TEMP', 'airTemperature'],
    pressure_hPa: ['XDR:PRESS', 'pressure'],
    rh_pct: ['XDR:RH', 'relativeHumidity'],
  }),
  'nmea-nasa-mwv': nmea(MWV),
  'nmea-nasa-xdr': nmea({ air_temp_C: ['XDR:C', 'airTemperature'] }),
  'nmea-cv7-mwv': nmea(MWV),
  'nmea-cv7-xdr': nmea({ air_temp_C: ['XDR:C', 'airTemperature'] }),
  'nmea-mda-go': nmea({
    air_temp_C: ['MDA:5', 'airTemperature'],
    pressure_bar: ['MDA:3', 'pressure', 1000],
    rh_pct: ['MDA:9', 'relativeHumidity'],
    dew_point_C: ['MDA:11', 'dewPoint'],
    water_temp_C: ['MDA:7', 'airTemperature'],
  }),
  'nmea-bad-1': { ...nmea(MWV), rejected: 'bad-checksum' },
  'gill-metpak-1': gill({
    wind_dir_deg: ['1', 'windDirection'],
    wind_ms: ['2', 'windSpeed'],
    pressure_hPa: ['3', 'pressure'],
    rh_pct: ['4', 'relativeHumidity'],
    air_temp_C: ['5', 'airTemperature'],
    dew_point_C: ['6', 'dewPoint'],
    supply_V: ['7', 'batteryVoltage'],
  }),
  'gill-metpak-2': gill({ field1: ['1', 'windDirection'] }),
  'ops243-oc': {
    format: 'json',
    channels: {
      max_speed_mps: ['/max_speed_mps', 'speed'],
      min_speed_mps: ['/min_speed_mps', 'speed'],
      length_m: ['/length_m', 'length'],
    },
    overrides: { address: '/classifier=object_outbound' },
  },
  'toa5-york': {
    format: 'csv',
    channels: {
      record: ['1', 'number'],
      wind_ms: ['2', 'windSpeed'],
      wind_dir_deg: ['3', 'windDirection'],
      pressure_hPa: ['4', 'pressure'],
      air_temp_C: ['5', 'airTemperature'],
      rh_pct: ['6', 'relativeHumidity'],
      solar_Wm2: ['7', 'solarIrradiance'],
      solar_kJm2: ['8', 'number'],
    },
  },
  apollo: {
    format: 'csv',
    channels: { ntc_ohm: ['4', 'resistance'], pressure_Pa: ['5', 'pressure', 0.01], status: ['6', 'number'] },
    overrides: { separator: ';' },
    units: { pressure_Pa: 'Pa' },
  },
  xl2: {
    format: 'regex',
    channels: { value_dB: ['level', 'LAeq'] },
    overrides: { pattern: '^(?<level>[-+\\d.]+) (?<unit>dB), (?:OK|(?<invalid>\\w+))$' },
  },
  'csv-sensor-urn': {
    format: 'csv',
    channels: { epoch_ms: ['1', 'number'], laeq_125ms: ['3', 'LAeq'], leq_125ms: ['4', 'LAeq'] },
  },
};

const BINARY = 'binary frames, not lines: they need a parser of their own';
const OUT_OF_SCOPE: Readonly<Record<string, string>> = {
  'umb-req': BINARY,
  'umb-resp-1': BINARY,
  'davis-crc': BINARY,
  'ultimeter-1': 'hexadecimal fields: none of the five text formats reads them',
};

const file = referenceFile('serial', 'serial-lines.json');
const reference = file === null ? [] : (JSON.parse(readFileSync(file, 'utf8')) as { lines: ReferenceLine[] }).lines;
const inScope = reference.filter(({ id }) => CASES[id] !== undefined);

const caseOf = (id: string): Case => CASES[id]!;

/** What the reference says, by channel; undefined where it says nothing about that channel. */
const stated = (line: ReferenceLine, name: string): unknown =>
  name.split('.').reduce<unknown>((node, step) => (node as Record<string, unknown> | null)?.[step], line.decoded);

function decoderOf(line: ReferenceLine, checksum?: 'required') {
  const { format, channels, overrides, units } = caseOf(line.id);
  const known = Object.entries(channels).filter(([name]) => stated(line, name) !== undefined);
  const used = known.length > 0 ? known : Object.entries(channels);
  const list = used.map(([name, [key, quantity]]) =>
    channel(key, quantity, { channel: name, unit: units?.[name] ?? '' }),
  );
  const forced = checksum === undefined ? {} : { checksum };
  return createLineDecoder(sourceSettings(format, list, { ...overrides, ...forced }));
}

function check(line: ReferenceLine, outcome: LineOutcome): void {
  const { rejected, channels } = caseOf(line.id);
  if (outcome === 'other-address') throw new Error(`${line.id}: other address`);
  expect(outcome.rejection?.reason, line.id).toBe(rejected);
  if (rejected !== undefined) return;
  expect(outcome.measurements.length, line.id).toBeGreaterThan(0);
  for (const { channel: name, value, quality } of outcome.measurements) {
    const truth = stated(line, name);
    const label = `${line.id} ${name}`;
    if (truth === null) expect([value, quality], label).toEqual([null, 'bad']);
    else expect(value, label).toBeCloseTo((truth as number) * (channels[name]?.[2] ?? 1), 8);
  }
}

/** Deterministic numbers from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Writes all lines in chunks of 1 to 40 bytes. */
async function sendInChunks(write: (bytes: Uint8Array) => void): Promise<void> {
  const random = randomFrom(seed);
  const stream = Buffer.from(inScope.map(({ line }) => line).join(''), 'latin1');
  for (let at = 0; at < stream.length;) {
    const size = 1 + Math.floor(random() * 40);
    write(stream.subarray(at, at + size));
    at += size;
    await new Promise((resolve) => setTimeout(resolve, random() * 3));
  }
}

const passed = new Map<string, Set<string>>();

function checkAll(frames: readonly LineFrame[], way: string): void {
  expect(frames.length).toBe(inScope.length);
  for (const [index, line] of inScope.entries()) {
    check(line, decoderOf(line).decode(frames[index]!));
    passed.set(line.id, (passed.get(line.id) ?? new Set()).add(way));
  }
}

describe.skipIf(file === null)(`recorded sensor lines (SEED=${seed})`, () => {
  afterAll(() => {
    const formats = [...new Set(inScope.map(({ id }) => caseOf(id).format))];
    const rows = formats.map((format) => {
      const ofFormat = inScope.filter(({ id }) => caseOf(id).format === format);
      const count = (way: string): number => ofFormat.filter(({ id }) => passed.get(id)?.has(way) === true).length;
      return `${format.padEnd(9)} ${ofFormat.length} lines, passed: pty ${count('pty')}, TCP ${count('tcp')}`;
    });
    const others = Object.entries(OUT_OF_SCOPE).map(([id, reason]) => `${id}: out of scope, ${reason}`);
    process.stdout.write(`${[`seed ${seed}`, ...rows, ...others].join('\n')}\n`);
  });

  it('are all either decoded here or named as out of scope', () => {
    const known = [...Object.keys(CASES), ...Object.keys(OUT_OF_SCOPE)].toSorted();
    expect(reference.map(({ id }) => id).toSorted()).toEqual(known);
  });

  it('give the stated values through a serial port, in chunks of random size', async () => {
    const pair = await new PtyPair().plug();
    const port = await new Bench(portSettings(pair.gateway, { delimiter: '\n' }), 10).open();
    await sendInChunks((bytes) => pair.write(bytes));
    await until('all lines', () => port.frames.length >= inScope.length);
    await port.source.stop();
    await pair.remove();
    checkAll(port.frames, 'pty');
    expect(port.rejections).toEqual([]);
  });

  it('give the stated values through a serial server, in chunks of random size', async () => {
    const hub = await new SerialServer().start();
    const port = await new Bench(portSettings(hub.path, { delimiter: '\n' }), 10).open();
    await until('the server has the connection', () => hub.sockets.size === 1);
    await sendInChunks((bytes) => hub.write(bytes));
    await until('all lines', () => port.frames.length >= inScope.length);
    await port.source.stop();
    await hub.stop();
    checkAll(port.frames, 'tcp');
    expect(port.rejections).toEqual([]);
  });

  it('give no number when any bit of a line with a checksum is wrong', () => {
    const guarded = inScope.filter(({ checksum_valid: isValid }) => isValid === true);
    const passedWrong: string[] = [];
    expect(guarded.length).toBeGreaterThan(10);
    for (const line of guarded) {
      const bytes = Buffer.from(line.line.trimEnd(), 'latin1');
      const decoder = decoderOf(line, 'required');
      const isHexSum = ['nmea', 'csv'].includes(caseOf(line.id).format);
      for (let at = 0; at < bytes.length * 8; at += 1) {
        const wrong = Uint8Array.from(bytes);
        wrong[at >> 3]! ^= 1 << (at & 7);
        const outcome = decoder.decode({ bytes: wrong, receivedAt: RECEIVED_AT });
        const numbers = outcome === 'other-address' ? [] : outcome.measurements.filter(({ value }) => value !== null);
        const isSame = isHexSum && isSameButForCase(wrong, bytes);
        if (numbers.length > 0 && !isSame) passedWrong.push(`${line.id}, bit ${at}`);
      }
    }
    expect(passedWrong).toEqual([]);
  });
});

/** The hexadecimal digits of a checksum may be of either case. */
const isSameButForCase = (a: Uint8Array, b: Uint8Array): boolean =>
  Buffer.from(a).toString('latin1').toUpperCase() === Buffer.from(b).toString('latin1').toUpperCase();
