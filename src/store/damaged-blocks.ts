import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Block } from './block-codec.ts';
import { blockOf } from './block-row.ts';
import type { CommitQueue } from './commit-queue.ts';
import { lossEntry, streamsThatLack, takenInBlock } from './lost-records.ts';
import type { LogInterval, OutboxStore } from './store.ts';

const BEFORE = 'SELECT * FROM log WHERE first_id < ? ORDER BY first_id DESC LIMIT 1';
const AFTER = 'SELECT * FROM log WHERE first_id > ? ORDER BY first_id LIMIT 1';
const DELETE = 'DELETE FROM log WHERE first_id = ? AND crc = ?';

interface Parts {
  readonly queue: CommitQueue;
  readonly outbox: Pick<OutboxStore, 'listStreams'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

/**
 * Blocks whose checksum did not fit while the gateway runs. Each is declared as a gap to the streams that have not sent it,
 * then deleted, so that no later start declares it again.
 */
export class DamagedBlocks {
  readonly #parts: Parts;
  /** First ids of those that are being declared. */
  readonly #declaring = new Map<number, Promise<void>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A read met a damaged block. A declaration that the disk refuses is tried again by the next read. */
  readonly found = (block: Block): void => {
    const { log, metrics } = this.#parts;
    metrics.count('cigale_store_damaged_blocks_total', 'Reads of a block whose checksum did not fit.');
    const { firstId, count } = block;
    if (this.#declaring.has(firstId)) return;
    log.error({ firstId, count }, 'a block of the log is damaged: its records are lost');
    const declaring = this.#declare(block)
      .catch((error: unknown) => log.error({ firstId, error: messageOf(error) }, 'a loss could not be declared yet'))
      .finally(() => this.#declaring.delete(firstId));
    this.#declaring.set(firstId, declaring);
  };

  /** Resolves when what was found is declared, or could not be. */
  async settle(): Promise<void> {
    await Promise.all(this.#declaring.values());
  }

  async #declare(block: Block): Promise<void> {
    const { queue, clock, outbox } = this.#parts;
    // Taken first: the stream that met the block goes past it.
    const streams = await outbox.listStreams();
    const [before] = (await queue.read(BEFORE, [block.firstId])).map(blockOf);
    const [after] = (await queue.read(AFTER, [block.firstId])).map(blockOf);
    const to = after === undefined ? clock.nowMs() : takenInBlock(after, 'first');
    const from = before === undefined ? to : Math.min(to, takenInBlock(before, 'last'));
    const lost: LogInterval = { from: block.firstId, to: after?.firstId ?? Number.MAX_SAFE_INTEGER };
    const wants = new Map(
      streams.map(({ stream, backlog, liveFrom }) => [
        stream,
        [...backlog, { from: liveFrom, to: Number.MAX_SAFE_INTEGER }],
      ]),
    );
    await queue.append([lossEntry({ from, to }, streamsThatLack(wants, lost))], [], 'now');
    await queue.write([{ sql: DELETE, params: [block.firstId, block.crc] }], 'now');
  }
}
