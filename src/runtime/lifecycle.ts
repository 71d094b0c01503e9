import type { Log } from './log.ts';
import { messageOf } from './errors.ts';

/** Something with a life: the constructor only assigns, `start` resolves when usable, `stop` is idempotent. */
export interface Service {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Stops services in the reverse of the given order; one that fails is logged and does not keep the others from stopping. */
export async function stopAll(services: readonly Service[], log: Log): Promise<void> {
  for (const service of services.toReversed()) {
    try {
      await service.stop();
    } catch (error) {
      log.warn({ error: messageOf(error), service: service.constructor.name }, 'a part did not stop cleanly');
    }
  }
}

/** A promise that nobody awaits: its failure is logged, never lost. */
export function background(work: Promise<unknown>, log: Log, message: string): void {
  work.catch((error: unknown) => {
    log.error({ error: messageOf(error) }, message);
  });
}
