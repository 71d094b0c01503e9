import { Watchdog, type Probe } from '../health/watchdog.ts';
import type { Clock } from '../runtime/clock.ts';
import { background } from '../runtime/lifecycle.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { SdNotify } from '../runtime/sd-notify.ts';

/** Signs of life in one watchdog interval: two may get lost or be held back before systemd acts. */
const SIGNS_PER_INTERVAL = 3;

/** What systemd is told of a gateway; nothing where systemd did not start it. */
export class Supervision {
  readonly #deps: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics };
  readonly #notify: SdNotify;
  #watchdog: Watchdog | undefined;

  /** Takes systemd's variables out of `env`. */
  constructor(env: Record<string, string | undefined>, deps: { clock: Clock; log: Log; metrics: Metrics }) {
    this.#deps = deps;
    this.#notify = new SdNotify(env, deps.log);
  }

  /** The gateway accepts samples; from now on the probes decide whether it lives. */
  async started(probes: readonly Probe[]): Promise<void> {
    const { watchdogMs } = this.#notify;
    if (watchdogMs !== null) {
      const feed = (): void => background(this.#notify.alive(), this.#deps.log, 'systemd was not told');
      this.#watchdog = new Watchdog({ ...this.#deps, probes, periodMs: watchdogMs / SIGNS_PER_INTERVAL, feed });
      await this.#watchdog.start();
    }
    background(this.#notify.ready(), this.#deps.log, 'systemd was not told');
  }

  async stop(): Promise<void> {
    await this.#watchdog?.stop();
    await this.#notify.stopping();
  }
}
