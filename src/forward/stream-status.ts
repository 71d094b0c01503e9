import type { Text } from '../model/text.ts';
import type { ErrorCode } from '../runtime/error-codes.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { BatchReplacement } from '../store/store.ts';
import { answerOf, codeText } from './broker-answers.ts';
import type { Obstacle } from './delivery-window.ts';

const CUT_OFF: Text = {
  en: 'the connection ends each time a certain batch is sent; kept, tried again alone',
  fr: 'la connexion se coupe chaque fois qu’un certain lot est envoyé ; conservé, réessayé seul',
};

/** What the broker answers to the batch that it refuses. */
export type RefusalStatus = Extract<Obstacle, { kind: 'refused' }> & {
  /** What it means to a technician. */
  readonly text: Text;
};

/** What a stream shows to people; `docs/batches.md` says what to do about each state. */
export interface StreamSenderStatus {
  readonly stream: string;
  readonly state: 'starting' | 'offline' | 'sending' | 'catching up' | 'no receiver' | 'refused' | 'store fault';
  /** Last sealed number. */
  readonly lastSeq: number;
  /** Sealed batches that the broker has not acknowledged. */
  readonly unacknowledged: number;
  /** Accepted records that the broker has not acknowledged; an upper bound for what waited before the last start. */
  readonly backlogRecords: number;
  /** How many of them are held in memory, outside sealed batches. */
  readonly bufferedRecords: number;
  /** null when nothing waits, or the oldest was not read since the start. */
  readonly oldestWaitingAt: number | null;
  readonly lastAcknowledgedAt: number | null;
  /** Records that the broker refused alone: kept, not sent. */
  readonly parkedRecords: number;
  readonly refusal: RefusalStatus | null;
  /** Why the store could not be used, while it cannot. */
  readonly fault: ErrorCode | null;
}

export function stateOf(
  fault: ErrorCode | null,
  sealer: { readonly hasBacklog: boolean } | undefined,
  upstream: { readonly online: boolean },
  obstacle: Obstacle | null,
): StreamSenderStatus['state'] {
  if (fault !== null) return 'store fault';
  if (sealer === undefined) return 'starting';
  if (!upstream.online) return 'offline';
  if (obstacle !== null) return obstacle.kind === 'refused' ? 'refused' : 'no receiver';
  return sealer.hasBacklog ? 'catching up' : 'sending';
}

export function refusalOf(obstacle: Obstacle | null): RefusalStatus | null {
  if (obstacle?.kind !== 'refused') return null;
  const { reasonCode } = obstacle;
  if (reasonCode === null) return { ...obstacle, text: CUT_OFF };
  const code = codeText('PUBACK', reasonCode);
  const { status } = answerOf('PUBACK', reasonCode);
  return { ...obstacle, text: { en: `${status.en} (${code})`, fr: `${status.fr} (${code})` } };
}

/** The figures of one stream at `/v1/metrics`. */
export class StreamGauges {
  readonly #metrics: Metrics;
  readonly #labels: { readonly stream: string };

  constructor(metrics: Metrics, stream: string) {
    this.#metrics = metrics;
    this.#labels = { stream };
  }

  start(): void {
    this.sealed(0);
    this.acknowledged(0);
    this.parked(0);
  }

  sealed(amount = 1): void {
    this.#metrics.count('cigale_batches_sealed_total', 'Batches numbered and committed.', this.#labels, amount);
  }

  acknowledged(amount = 1): void {
    const help = 'Batches that the broker acknowledged.';
    this.#metrics.count('cigale_batches_acknowledged_total', help, this.#labels, amount);
  }

  replaced({ parts, parked }: BatchReplacement): void {
    this.sealed(parts.length);
    this.parked(parked === null ? 0 : 1);
  }

  parked(amount = 1): void {
    const help = 'Records that the broker refused alone, set aside.';
    this.#metrics.count('cigale_records_parked_total', help, this.#labels, amount);
  }

  /** The stream is no longer sent: its last figures would be taken for present ones. */
  stop(): void {
    this.#metrics.forget('cigale_backlog_records', this.#labels);
    this.#metrics.forget('cigale_backlog_age_seconds', this.#labels);
  }

  show({ backlogRecords, oldestWaitingAt }: StreamSenderStatus, nowMs: number): void {
    const ageSeconds = oldestWaitingAt === null ? 0 : Math.max(0, nowMs - oldestWaitingAt) / 1000;
    this.#metrics.gauge('cigale_backlog_records', 'Records not acknowledged upstream.', backlogRecords, this.#labels);
    this.#metrics.gauge('cigale_backlog_age_seconds', 'Age of the oldest of them.', ageSeconds, this.#labels);
  }
}
