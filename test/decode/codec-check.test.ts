import { describe, expect, it } from 'vitest';
import { checkCodec } from '../../src/decode/codec/check-codec.ts';
import { testCodec, testVectors } from '../../src/decode/codec/test-codec.ts';
import { GatewayError } from '../../src/runtime/errors.ts';

const WIND = `function decodeUplink({ bytes, fPort }) {
  if (fPort !== 1) return { errors: ['unknown FPort'] };
  return { data: { direction: 'NESW'[bytes[0]], speed: bytes[1] } };
}`;

async function faultOf(script: string): Promise<GatewayError> {
  const error: unknown = await checkCodec(script).catch((thrown: unknown) => thrown);
  if (error instanceof GatewayError) return error;
  throw new Error('the script was taken');
}

describe('checkCodec', () => {
  it('takes a script that defines decodeUplink', async () => {
    await expect(checkCodec(WIND)).resolves.toBeUndefined();
    await expect(checkCodec('const decodeUplink = () => ({ data: {} });')).resolves.toBeUndefined();
  });

  it('names the line of a syntax error', async () => {
    const fault = await faultOf('function decodeUplink() {\n\n  let a = ;\n}');
    expect(fault.code).toBe('CODEC_INVALID');
    expect(fault.context).toEqual({ line: 3 });
  });

  it.each([
    ['no decodeUplink', 'const a = 1;'],
    ['an endless loop', 'for (;;);'],
    ['a throw', 'throw new Error("no")'],
    ['a native call without end', 'String(new Array(4e9))'],
    ['more than 256 KiB', `//${'x'.repeat(300_000)}`],
    ['nothing', ''],
  ])('refuses a script with %s', async (_name, script) => {
    expect((await faultOf(script)).code).toBe('CODEC_INVALID');
  });
});

describe('testCodec', () => {
  it('gives what the script makes of one payload', async () => {
    expect(await testCodec(WIND, { bytes: Uint8Array.of(0, 32), fPort: 1 })).toEqual({
      ok: true,
      data: { direction: 'N', speed: 32 },
      warnings: [],
    });
  });

  it('gives the fault of a script that does not load', async () => {
    expect(await testCodec('function (', { bytes: Uint8Array.of(), fPort: 1 })).toMatchObject({ reason: 'error' });
  });
});

describe('testVectors', () => {
  it('says which vectors pass', async () => {
    const outcomes = await testVectors(WIND, [
      { description: 'north', input: { bytes: [0, 32], fPort: 1 }, output: { data: { direction: 'N', speed: 32 } } },
      { description: 'wrong', input: { bytes: [1, 32], fPort: 1 }, output: { data: { direction: 'N', speed: 32 } } },
      { input: { bytes: [1, 42], fPort: 42, recvTime: 'never' }, output: { errors: ['unknown FPort'] } },
    ]);
    expect(outcomes.map(({ description, passed }) => [description, passed])).toEqual([
      ['north', true],
      ['wrong', false],
      ['vector 3', true],
    ]);
  });
});
