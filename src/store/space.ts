import { BlockSealer } from './block-sealer.ts';
import { BlockStreams } from './block-streams.ts';
import type { SqliteOutbox } from './outbox-store.ts';
import { SpaceKeeper } from './space-keeper.ts';
import { Thinner, type ThinnerParts } from './thinner.ts';

interface Parts extends Omit<ThinnerParts, 'streams' | 'positions'> {
  readonly outbox: SqliteOutbox;
  readonly finalBelowId: () => number;
}

/** The parts that keep the store within its limit, put together. */
export function spaceKeeper(parts: Parts): SpaceKeeper {
  const streams = new BlockStreams();
  const sealer = new BlockSealer({ ...parts, streams });
  const thinner = new Thinner({ ...parts, streams, positions: () => parts.outbox.positions() });
  return new SpaceKeeper({ ...parts, sealer, thinner });
}
