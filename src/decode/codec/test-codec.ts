import { isDeepStrictEqual } from 'node:util';
import { privateQueue } from './check-codec.ts';
import { inputText, toResult } from './codec-runner.ts';
import { failed, type CodecInput, type CodecResult } from './codec-result.ts';

/** Payload as a person gives it; `recvTime` defaults to the start of 1970, so that a result does not depend on the day. */
export type CodecTestInput = Omit<CodecInput, 'recvTime'> & { readonly recvTime?: number };

/** A payload and what the vendor says it decodes to (`examples` of TS013 packages and device repositories). */
export interface CodecVector {
  readonly description?: string;
  readonly input: { readonly bytes: readonly number[]; readonly fPort: number; readonly recvTime?: string };
  readonly output: { readonly data?: unknown; readonly errors?: readonly string[] };
}

export interface VectorOutcome {
  readonly description: string;
  readonly passed: boolean;
  readonly result: CodecResult;
}

/** Runs a script once on one payload, in the sandbox. */
export async function testCodec(script: string, input: CodecTestInput): Promise<CodecResult> {
  const [result] = await runAll(script, [{ recvTime: 0, ...input }]);
  return result ?? failed('missing');
}

/** Runs a script on each vector; data must be equal, and where the vector states errors the script must give some. */
export async function testVectors(script: string, vectors: readonly CodecVector[]): Promise<readonly VectorOutcome[]> {
  const results = await runAll(
    script,
    vectors.map(({ input: { bytes, fPort, recvTime } }) => ({
      bytes: Uint8Array.from(bytes),
      fPort,
      recvTime: recvTime === undefined ? 0 : Date.parse(recvTime) || 0,
    })),
  );
  return vectors.map((vector, index) => {
    const result = results[index] ?? failed('missing');
    return { description: vector.description ?? `vector ${index + 1}`, passed: isExpected(vector, result), result };
  });
}

function isExpected({ output }: CodecVector, result: CodecResult): boolean {
  if ((output.errors ?? []).length > 0) return !result.ok && result.reason === 'error';
  return result.ok && isDeepStrictEqual(result.data, output.data);
}

const CODEC = 'codec';

async function runAll(script: string, inputs: readonly CodecInput[]): Promise<readonly CodecResult[]> {
  const queue = privateQueue();
  queue.setScripts(new Map([[CODEC, script]]));
  try {
    const outcomes = inputs.map((input) => queue.run({ kind: 'decode', codec: CODEC, input: inputText(input) }));
    return (await Promise.all(outcomes)).map(toResult);
  } finally {
    await queue.stop();
  }
}
