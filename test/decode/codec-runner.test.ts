import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CodecRunner } from '../../src/decode/codec/codec-runner.ts';
import type { CodecResult } from '../../src/decode/codec/codec-result.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { hasCode } from '../../src/runtime/errors.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { memoryLog } from '../fakes/silent-log.ts';

const INPUT = { bytes: Uint8Array.of(1, 0, 226), fPort: 2, recvTime: Date.UTC(2026, 5, 1) };
const GOOD = `function decodeUplink(input) {
  return { data: { temperature: ((input.bytes[1] << 8) | input.bytes[2]) / 10, port: input.fPort } };
}`;
const GOOD_DATA = { temperature: 22.6, port: 2 };
/** A script whose decodeUplink has this body. */
const body = (code: string): string => `function decodeUplink(input) { ${code} }`;

let metrics: Metrics;
let runner: CodecRunner;

const newRunner = (): CodecRunner => new CodecRunner({ clock: systemClock, log: memoryLog(), metrics });

/** Most tests share one runner, as codecs do; a script that changes starts with a clean record. */
let shared: CodecRunner;
beforeAll(() => {
  metrics = new Metrics();
  shared = newRunner();
});
afterAll(() => shared.stop());
beforeEach(() => {
  runner = shared;
});

/** For tests of what a runner remembers, or of its end. */
function useOwnRunner(): void {
  beforeEach(() => {
    metrics = new Metrics();
    runner = newRunner();
  });
  afterEach(() => runner.stop());
}

const decode = (codec: string): Promise<CodecResult> => runner.decode(codec, INPUT);
async function run(script: string): Promise<CodecResult> {
  runner.setScripts(new Map([['x', script]]));
  return decode('x');
}
const failure = async (script: string): Promise<string> => {
  const result = await run(script);
  return result.ok ? 'ok' : result.reason;
};

describe('a codec', () => {
  it('gives its data and warnings', async () => {
    expect(await run(body('return { data: { a: 1 }, warnings: ["low battery"], errors: [] }'))).toEqual({
      ok: true,
      data: { a: 1 },
      warnings: ['low battery'],
    });
  });

  it('is given bytes, port and the time of reception as TS013 says', async () => {
    const script = body(`return { data: {
      array: Array.isArray(input.bytes), bytes: input.bytes, port: input.fPort,
      date: input.recvTime instanceof Date, time: input.recvTime } }`);
    expect(await run(script)).toMatchObject({
      data: { array: true, bytes: [1, 0, 226], port: 2, date: true, time: '2026-06-01T00:00:00.000Z' },
    });
  });

  it('may be a constant, and may change the bytes it was given', async () => {
    const script = 'const decodeUplink = ({ bytes }) => ({ data: { first: bytes.shift(), left: bytes.length } });';
    expect(await run(script)).toMatchObject({ data: { first: 1, left: 2 } });
    expect(await decode('x')).toMatchObject({ data: { first: 1, left: 2 } });
  });

  it('is replaced when its script changes', async () => {
    await run(GOOD);
    expect(await run(body('return { data: { b: 2 } }'))).toMatchObject({ data: { b: 2 } });
  });

  it('that nobody stored is missing', async () => {
    expect(await decode('unknown')).toMatchObject({ ok: false, reason: 'missing' });
    expect(metrics.value('cigale_codec_failures_total', { codec: 'unknown', reason: 'missing' })).toBe(1);
  });

  it('decodes a thousand payloads given at once, in order', async () => {
    runner.setScripts(new Map([['x', body('return { data: { n: input.fPort } }')]]));
    const results = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => runner.decode('x', { ...INPUT, fPort: n })),
    );
    expect(results.map((result) => (result.ok ? result.data['n'] : null))).toEqual(
      Array.from({ length: 1000 }, (_, n) => n),
    );
  });

  it('shares nothing with another codec', async () => {
    const spoil = `var shared = 'mine'; Array.prototype.map = null; Object.prototype.evil = 1; JSON.stringify = () => 'no';
      ${body('globalThis.shared = "left behind"; return { data: { done: true } }')}`;
    const look = body(`return { data: { shared: typeof shared, evil: String({}.evil), map: typeof [].map } }`);
    runner.setScripts(
      new Map([
        ['spoil', spoil],
        ['look', look],
      ]),
    );
    expect(await decode('spoil')).toMatchObject({ ok: true, data: { done: true } });
    expect(await decode('look')).toMatchObject({ data: { shared: 'undefined', evil: 'undefined', map: 'function' } });
  });

  it('keeps working beside twenty others', async () => {
    runner.setScripts(new Map(Array.from({ length: 20 }, (_, n) => [`c${n}`, body(`return { data: { n: ${n} } }`)])));
    for (const n of [...Array.from({ length: 20 }).keys(), 0, 19])
      expect(await decode(`c${n}`)).toMatchObject({ data: { n } });
  });
});

describe('what is no result', () => {
  it.each([
    ['nothing', 'return;'],
    ['a number', 'return 7'],
    ['text', 'return "data"'],
    ['a list', 'return [1]'],
    ['no data', 'return {}'],
    ['data that is a list', 'return { data: [1] }'],
    ['errors that are no list', 'return { data: {}, errors: "x" }'],
    ['a promise', 'return new Promise(() => {})'],
    ['a function', 'return decodeUplink'],
    ['too deep', 'let d = {}; for (let i = 0; i < 20; i++) d = { d }; return { data: d }'],
    ['too large', 'return { data: { s: "x".repeat(70000) } }'],
    ['too large in UTF-8', 'return { data: { s: "é".repeat(40000) } }'],
  ])('%s', async (_name, code) => {
    expect(await failure(body(code))).toBe('invalid-result');
  });

  it('an async decodeUplink', async () => {
    expect(await failure('async function decodeUplink() { return { data: { a: 1 } }; }')).toBe('invalid-result');
  });

  it('errors that the script states', async () => {
    expect(await run(body('return { errors: ["unknown FPort"] }'))).toEqual({
      ok: false,
      reason: 'error',
      errors: ['unknown FPort'],
    });
  });

  it('what the script throws, cut to 200 characters', async () => {
    const result = await run(body('throw new Error("no".repeat(5000))'));
    expect(result).toMatchObject({ ok: false, reason: 'error' });
    expect(result.ok ? 0 : result.errors[0]!.length).toBe(200);
  });
});

const HOSTILE: readonly (readonly [name: string, script: string])[] = [
  ['an endless loop', body('for (;;);')],
  ['an endless loop at the top level', `for (;;); ${GOOD}`],
  ['an endless loop in a getter of the result', body('return { data: { get a() { for (;;); } } }')],
  ['an endless loop in toJSON', body('return { toJSON() { for (;;); } }')],
  ['an endless loop in toString of what is thrown', body('throw { toString() { for (;;); } }')],
  ['a proxy without end', body('return { data: new Proxy({}, { ownKeys() { for (;;); } }) }')],
  ['a regular expression that backtracks for ever', body('return /^(a+)+$/.test("a".repeat(60) + "!")')],
  ['a list without end', body('const a = []; for (;;) a.push(new Array(1000).fill(1))')],
  ['a text without end', body('let s = "x"; for (;;) s += s')],
  ['a huge buffer', body('return { data: { a: new ArrayBuffer(1e9).byteLength } }')],
  ['recursion without end', body('return decodeUplink(input) + 1')],
  ['a text that nests too deep', body('return JSON.parse("[".repeat(100000))')],
  ['an object that nests too deep', body('let a = {}; for (let i = 0; i < 50000; i++) a = { a }; return { data: a }')],
  ['a circular object', body('const a = {}; a.a = a; return { data: a }')],
  ['jobs that queue for ever', body('const go = () => Promise.resolve().then(go); for (;;) go()')],
  ['a native call that takes minutes', body('return { data: { a: String(new Array(4e9)) } }')],
  ['a syntax error', 'function decodeUplink( {'],
  ['no decodeUplink', 'const x = 1;'],
  ['decodeUplink that is no function', 'var decodeUplink = 7;'],
  ['an import', 'import fs from "node:fs"; function decodeUplink() {}'],
];

describe('a hostile codec', () => {
  it.each(HOSTILE)('with %s fails alone: the codec beside it goes on', async (_name, script) => {
    runner.setScripts(
      new Map([
        ['bad', script],
        ['good', GOOD],
      ]),
    );
    const [before, bad, after] = await Promise.all([decode('good'), decode('bad'), decode('good')]);
    expect(bad.ok).toBe(false);
    for (const result of [before, after, await decode('good')]) expect(result).toMatchObject({ data: GOOD_DATA });
  });

  it.each([
    ['this', 'return { data: { found: this ? this.constructor.constructor("return typeof process")() : "none" } }'],
    ['the function constructor', 'return { data: { found: (function () {}).constructor("return typeof process")() } }'],
    ['the input', 'return { data: { found: input.constructor.constructor("return typeof process")() } }'],
    ['the bytes', 'return { data: { found: input.bytes.constructor.constructor("return typeof require")() } }'],
    ['indirect eval', 'return { data: { found: (0, eval)("typeof fetch + typeof setTimeout + typeof console") } }'],
    ['dynamic import', 'let found = "none"; import("node:fs").then((m) => { found = m }); return { data: { found } }'],
    [
      'an error’s stack',
      'try { null.x } catch (e) { return { data: { found: e.constructor.constructor("return typeof process")() } } }',
    ],
  ])('does not reach the host through %s', async (_name, code) => {
    const result = await run(body(code));
    expect(result.ok ? String(result.data['found']) : 'failed').toMatch(/^(undefined|none|failed)+$/);
  });

  it('is not fooled by, when it replaces what the sandbox uses', async () => {
    const script = `JSON.parse = () => ({ bytes: 'forged' }); String = () => 'forged'; Date = null;
      ${body('return { data: { bytes: input.bytes, toJSON() { return { a: 1 } } } }')}`;
    expect(await run(script)).toMatchObject({ ok: true, data: { a: 1 } });
  });

  it('cannot put a prototype into its data', async () => {
    const result = await run(body(`return { data: JSON.parse('{"__proto__": {"polluted": 1}}') }`));
    expect(result.ok).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a codec that overruns', () => {
  useOwnRunner();

  it('is suspended after five overruns, and others are not', async () => {
    runner.setScripts(
      new Map([
        ['bad', body('for (;;);')],
        ['good', GOOD],
      ]),
    );
    for (let round = 0; round < 5; round += 1) expect(await decode('bad')).toMatchObject({ reason: 'timeout' });
    expect(metrics.value('cigale_codec_suspensions_total', { codec: 'bad' })).toBe(1);
    const suspended = await decode('bad');
    expect(suspended).toMatchObject({ ok: false, reason: 'timeout' });
    expect(suspended.ok ? '' : suspended.errors[0]).toContain('suspended');
    expect(await decode('good')).toMatchObject({ data: GOOD_DATA });
    expect(await run(GOOD.replaceAll('bad', ''))).toMatchObject({ data: GOOD_DATA });
  });

  it('gets a new worker when it cannot be interrupted, and is counted', async () => {
    expect(await run(body('return { data: { a: String(new Array(4e9)) } }'))).toMatchObject({ reason: 'timeout' });
    expect(metrics.value('cigale_codec_worker_restarts_total', { cause: 'overrun' })).toBe(2);
  });
});

describe('stopping', () => {
  useOwnRunner();

  it('finishes what was given and takes nothing more', async () => {
    runner.setScripts(new Map([['x', GOOD]]));
    const pending = [decode('x'), decode('x')];
    await runner.stop();
    for (const result of await Promise.all(pending)) expect(result).toMatchObject({ data: GOOD_DATA });
    await expect(decode('x')).rejects.toSatisfy((error) => hasCode(error, 'CODEC_UNAVAILABLE'));
  });

  it('needs no worker to have run', async () => {
    await runner.start();
    await runner.stop();
    await expect(runner.stop()).resolves.toBeUndefined();
  });
});
