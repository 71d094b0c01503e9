import { systemClock } from '../../runtime/clock.ts';
import { GatewayError } from '../../runtime/errors.ts';
import { createLog } from '../../runtime/log.ts';
import { Metrics } from '../../runtime/metrics.ts';
import type { CodecOutcome } from './codec-messages.ts';
import { CodecQueue } from './codec-queue.ts';

/** No vendor's codec comes near it. */
const MAX_SCRIPT_BYTES = 262_144;

/** A queue of its own, for one question asked by a person. */
export const privateQueue = (): CodecQueue =>
  new CodecQueue({ clock: systemClock, log: createLog('silent'), metrics: new Metrics() });

/**
 * Whether a script can be stored as a codec: it is evaluated once in the sandbox and must define `decodeUplink`. Rejects
 * with CODEC_INVALID and, where the engine knows it, the `line` at fault in the context.
 */
export async function checkCodec(script: string): Promise<void> {
  const bytes = Buffer.byteLength(script);
  if (bytes > MAX_SCRIPT_BYTES) throw invalid(`the script has ${bytes} bytes, at most ${MAX_SCRIPT_BYTES} are taken`);
  const queue = privateQueue();
  try {
    refuse(await queue.run({ kind: 'check', script }));
  } finally {
    await queue.stop();
  }
}

function refuse(outcome: CodecOutcome): void {
  if (outcome.kind === 'valid') return;
  if (outcome.kind === 'timeout') throw invalid('the script runs too long before decodeUplink is even called');
  if (outcome.kind === 'error') throw invalid(outcome.message, outcome.line);
  throw invalid('the script exhausts the sandbox');
}

function invalid(detail: string, line: number | null = null): GatewayError {
  const message = line === null ? detail : `line ${line}: ${detail}`;
  return new GatewayError('CODEC_INVALID', message, line === null ? {} : { context: { line } });
}
