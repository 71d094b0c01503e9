/**
 * Keeps the sealing of batches and the thinning of the log apart: a batch must not hold a sample whose place in the log has been
 * given to a thinned record meanwhile. A seal waits while a block is being thinned, and is refused when records that no batch
 * held were thinned since it read them. Thinning never waits for a seal, which in a full store waits for thinning.
 */
export class ThinningGate {
  #revision = 0;
  #rewrites = 0;
  #running: Promise<void> | undefined;

  /** Changes when records that a stream has not sealed yet were replaced in the log. */
  get revision(): number {
    return this.#revision;
  }

  /** Changes when any records were replaced in the log. */
  get rewrites(): number {
    return this.#rewrites;
  }

  get isOpen(): boolean {
    return this.#running === undefined;
  }

  async opened(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /**
   * Runs the replacement of one block, which says whether a stream had not sealed all of it. The first part of `replace`, up to
   * where it waits, sees the positions of the streams as no seal can change them until it ends.
   */
  async run(replace: () => Promise<{ readonly isUnsealed: boolean }>): Promise<void> {
    await this.opened();
    let release = (): void => undefined;
    this.#running = new Promise((resolve) => {
      release = resolve;
    });
    let isUnsealed = true;
    try {
      ({ isUnsealed } = await replace());
    } finally {
      // Of a replacement that failed nobody knows whether it is on disk.
      this.#rewrites += 1;
      if (isUnsealed) this.#revision += 1;
      this.#running = undefined;
      release();
    }
  }
}
