import { isClockSynchronized } from '../health/clock-state.ts';
import { readBootId } from '../runtime/boot-id.ts';
import type { Timeline } from '../runtime/timeline.ts';
import type { Store } from '../store/store.ts';
import { clockMode } from './clock-policy.ts';
import type { Deps } from './deps.ts';
import { Timekeeper } from './timekeeper.ts';

/** What the machine says of its boot and its clock. */
export interface MachineTime {
  /** Name of this boot; empty: not known. */
  bootId(): string;
  /** Whether a time service has set the system's clock; null: none that we know runs. */
  synchronized(): Promise<boolean | null>;
}

const THIS_MACHINE: MachineTime = { bootId: () => readBootId(), synchronized: () => isClockSynchronized() };

interface Machine {
  /** `CIGALE_CLOCK`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Default: the kernel's boot id and the time services that we know. */
  readonly machine?: MachineTime;
}

/** The keeper of the gateway's line of time, with what the machine says of it. */
export function timekeeperOf(
  { env, machine = THIS_MACHINE }: Machine,
  store: Store,
  timeline: Timeline,
  { log, metrics }: Deps,
): Timekeeper {
  return new Timekeeper({
    store,
    timeline,
    mode: clockMode(env['CIGALE_CLOCK']),
    bootId: machine.bootId(),
    synchronized: () => machine.synchronized(),
    log,
    metrics,
  });
}
