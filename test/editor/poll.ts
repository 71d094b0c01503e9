import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `probe` gives something other than undefined and false. */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<Exclude<T, undefined | null | false>> {
  const until = Date.now() + deadlineMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== null && value !== false) return value as Exclude<T, undefined | null | false>;
    if (Date.now() > until) throw new Error(`gave up waiting for: ${probe.toString()}`);
    await sleep(20);
  }
}
