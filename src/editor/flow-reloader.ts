import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { FlowStorage } from './flow-storage.ts';
import type { NodeRed } from './node-red-api.ts';

/**
 * Brings Node-RED to a version that was deployed by somebody else (command line, rollback). Its own deploys are announced
 * too, sometimes before they are answered, so a deploy on its way is waited for and the version looked at again.
 */
export class FlowReloader {
  readonly #storage: FlowStorage;
  readonly #nodeRed: NodeRed;
  readonly #log: Log;
  #wanted = 0;
  #isReloading = false;

  constructor(storage: FlowStorage, nodeRed: NodeRed, log: Log) {
    this.#storage = storage;
    this.#nodeRed = nodeRed;
    this.#log = log;
  }

  /** A version was announced. */
  want(version: number): void {
    this.#wanted = version;
    if (this.#isReloading || this.#isCurrent()) return;
    this.#isReloading = true;
    background(
      this.#reload().finally(() => {
        this.#isReloading = false;
        if (this.#wanted !== version) this.want(this.#wanted);
      }),
      this.#log,
      'the editor could not load the new flow',
    );
  }

  /** The gateway refused a deploy because another version stands: Node-RED's page compares with that one. */
  wantNewest(): void {
    this.want(Number.MAX_SAFE_INTEGER);
  }

  /** Starts everything again from the gateway's flow. */
  reload(): void {
    background(this.#load(), this.#log, 'the editor could not start its flows again');
  }

  #isCurrent(): boolean {
    return this.#storage.version === undefined || this.#wanted <= this.#storage.version;
  }

  async #reload(): Promise<void> {
    await this.#storage.settled();
    if (this.#isCurrent()) return;
    this.#log.info({}, 'the editor loads a flow that was deployed elsewhere');
    await this.#load();
  }

  async #load(): Promise<void> {
    await this.#nodeRed.runtime.flows.setFlows({ flows: {}, deploymentType: 'reload' });
  }
}
