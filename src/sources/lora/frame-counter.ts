const WRAP = 0x1_0000;
const LAST = 0xffff_ffff;

/**
 * The 32-bit counter of a frame from the 16 bits on the air, by ChirpStack's rule: with `next` the next expected counter,
 * the low half of `next - 1` is a retransmission, anything else lies ahead. Beyond 2^32 it starts again at 0.
 */
export function fullFCntUp(next: number, wire: number): number {
  if (next > 0 && wire === (next - 1) % WRAP) return next - 1;
  const full = next + ((wire - (next % WRAP) + WRAP) % WRAP);
  return full > LAST ? full - LAST - 1 : full;
}

/** The nearest counter below `next` with those low 16 bits, or null: where a replayed frame comes from. */
export function pastFCntUp(next: number, wire: number): number | null {
  const ahead = next + ((wire - (next % WRAP) + WRAP) % WRAP);
  return ahead >= WRAP ? ahead - WRAP : null;
}

/** A counter on its way to disk. */
export interface CounterTicket {
  readonly full: number;
  /** The device lost its counter and started again. */
  readonly reset: boolean;
}

/**
 * The next expected FCntUp of a session: what is committed plus what is on its way. A frame that the store refuses gives
 * its number back, unless a later one is already on its way.
 */
export class SessionCounter {
  #committed: number;
  readonly #tickets: CounterTicket[] = [];

  constructor(next: number) {
    this.#committed = next;
  }

  get next(): number {
    let next = this.#committed;
    for (const { full, reset } of this.#tickets) next = reset ? full + 1 : Math.max(next, full + 1);
    return next;
  }

  reserve(full: number, reset: boolean): CounterTicket {
    const ticket = { full, reset };
    this.#tickets.push(ticket);
    return ticket;
  }

  commit(ticket: CounterTicket): void {
    if (!this.#remove(ticket)) return;
    this.#committed = ticket.reset ? ticket.full + 1 : Math.max(this.#committed, ticket.full + 1);
  }

  release(ticket: CounterTicket): void {
    this.#remove(ticket);
  }

  /** Takes a counter that the store knows better; the higher one stays. */
  raise(next: number): void {
    this.#committed = Math.max(this.#committed, next);
  }

  #remove(ticket: CounterTicket): boolean {
    const index = this.#tickets.indexOf(ticket);
    if (index < 0) return false;
    this.#tickets.splice(index, 1);
    return true;
  }
}
