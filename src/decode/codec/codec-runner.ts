import type { Service } from '../../runtime/lifecycle.ts';
import type { CodecJob, CodecOutcome } from './codec-messages.ts';
import { CodecQueue, type CodecDeps } from './codec-queue.ts';
import { failed, readCodecResult, tooLarge, type CodecInput, type CodecResult } from './codec-result.ts';

/** Timeouts and crashes in a row after which a codec rests. */
const MAX_STRIKES = 5;
const SUSPENSION_MS = 300_000;

interface Strikes {
  count: number;
  /** Monotonic; 0 when it does not rest. */
  suspendedUntilMs: number;
}

/** The JSON text that a script's `input` is made of inside the sandbox: nothing of ours is reachable from it. */
export const inputText = ({ bytes, fPort, recvTime }: CodecInput): string =>
  `{"bytes":[${bytes.join(',')}],"fPort":${fPort},"recvTime":${recvTime}}`;

const RESULTS: Readonly<Record<Exclude<CodecOutcome['kind'], 'result' | 'error'>, CodecResult>> = {
  'too-large': tooLarge(),
  'no-result': failed('invalid-result', 'decodeUplink did not return an object'),
  valid: failed('invalid-result', 'the script was checked, not run'),
  missing: failed('missing'),
  suspended: failed('timeout', 'the codec is suspended because it ran too long several times'),
  timeout: failed('timeout', 'the script ran too long'),
  crashed: failed('error', 'the script exhausted the sandbox'),
};

/** What an outcome of the sandbox means. */
export function toResult(outcome: CodecOutcome): CodecResult {
  if (outcome.kind === 'result') return readCodecResult(outcome.text);
  if (outcome.kind !== 'error') return RESULTS[outcome.kind];
  return failed('error', outcome.line === null ? outcome.message : `line ${outcome.line}: ${outcome.message}`);
}

/**
 * Runs payload codecs (LoRa Alliance TS013 `decodeUplink`) in a QuickJS sandbox on a worker thread. The thread starts with
 * the first decoding. A codec that overruns its time again and again rests for a while, so that its cost is bounded.
 */
export class CodecRunner implements Service {
  readonly #deps: CodecDeps;
  readonly #queue: CodecQueue;
  readonly #strikes = new Map<string, Strikes>();
  #scripts: ReadonlyMap<string, string> = new Map();

  constructor(deps: CodecDeps) {
    this.#deps = deps;
    this.#queue = new CodecQueue(deps, (job) => this.#admit(job));
  }

  /** Nothing to do: the worker starts when it is needed. */
  async start(): Promise<void> {}

  /** Decodings under way end first. */
  async stop(): Promise<void> {
    await this.#queue.stop();
  }

  /** Replaces the codecs, by name; one that changed starts with a clean record. */
  setScripts(scripts: ReadonlyMap<string, string>): void {
    for (const codec of this.#strikes.keys())
      if (scripts.get(codec) !== this.#scripts.get(codec)) this.#strikes.delete(codec);
    this.#scripts = scripts;
    this.#queue.setScripts(scripts);
  }

  /**
   * What the codec makes of a payload. Rejects only with CODEC_UNAVAILABLE (stopping, too many waiting, worker not
   * starting): the uplink then stays undecoded and is decoded after the next start.
   */
  async decode(codec: string, input: CodecInput): Promise<CodecResult> {
    if (!this.#scripts.has(codec)) return this.#counted(codec, failed('missing'));
    const outcome = await this.#queue.run({ kind: 'decode', codec, input: inputText(input) });
    this.#judge(codec, outcome);
    return this.#counted(codec, toResult(outcome));
  }

  #admit(job: CodecJob): CodecOutcome | null {
    const strikes = job.kind === 'decode' ? this.#strikes.get(job.codec) : undefined;
    return strikes !== undefined && strikes.suspendedUntilMs > this.#deps.clock.monotonicMs()
      ? { kind: 'suspended' }
      : null;
  }

  #judge(codec: string, outcome: CodecOutcome): void {
    if (outcome.kind !== 'timeout' && outcome.kind !== 'crashed') {
      if (outcome.kind === 'result') this.#strikes.delete(codec);
      return;
    }
    const strikes = this.#strikes.get(codec) ?? { count: 0, suspendedUntilMs: 0 };
    this.#strikes.set(codec, strikes);
    strikes.count += 1;
    if (strikes.count < MAX_STRIKES) return;
    strikes.suspendedUntilMs = this.#deps.clock.monotonicMs() + SUSPENSION_MS;
    this.#deps.metrics.count('cigale_codec_suspensions_total', 'Times a codec was suspended', { codec });
    this.#deps.log.error({ codec, code: 'CODEC_TIMEOUT', forMs: SUSPENSION_MS }, 'codec suspended: it runs too long');
  }

  #counted(codec: string, result: CodecResult): CodecResult {
    if (!result.ok)
      this.#deps.metrics.count('cigale_codec_failures_total', 'Payloads that their codec did not decode', {
        codec,
        reason: result.reason,
      });
    return result;
  }
}
