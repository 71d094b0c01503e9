import type { Lane } from '../model/batch.ts';

export interface WaitingPublish {
  readonly send: () => void;
  readonly giveUp: () => void;
}

const MAX_WAITING = 256;

/** Publishes that wait for a place on a connection: live ones go first. */
export class SendQueue {
  readonly #lanes: Readonly<Record<Lane, WaitingPublish[]>> = { live: [], backlog: [] };

  /** False when too many wait. */
  add(lane: Lane, waiting: WaitingPublish): boolean {
    if (this.#lanes.live.length + this.#lanes.backlog.length >= MAX_WAITING) return false;
    this.#lanes[lane].push(waiting);
    return true;
  }

  /** Sends what there is room for; asked anew after each. */
  sendWhile(hasRoom: (lane: Lane) => boolean): void {
    for (const lane of ['live', 'backlog'] as const)
      while (this.#lanes[lane].length > 0 && hasRoom(lane)) this.#lanes[lane].shift()?.send();
  }

  giveUp(): void {
    for (const lane of ['live', 'backlog'] as const) for (const one of this.#lanes[lane].splice(0)) one.giveUp();
  }
}
