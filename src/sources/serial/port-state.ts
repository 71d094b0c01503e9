import type { ErrorCode } from '../../runtime/error-codes.ts';
import type { GatewayError } from '../../runtime/errors.ts';

/** How a port stands. Everything but `open` is tried again by itself. */
export interface PortState {
  readonly state: 'opening' | 'open' | 'absent' | 'busy' | 'denied';
  /** UTC epoch milliseconds. */
  readonly since: number;
  /** What is in the way; null when nothing is. */
  readonly code: ErrorCode | null;
  /** The system's own words about it, or empty. */
  readonly detail: string;
}

/** The state that a failed or lost connection leaves the port in. */
export function failedState(failure: GatewayError, since: number): PortState {
  const { code, message: detail } = failure;
  if (code === 'SERIAL_PORT_BUSY') return { state: 'busy', since, code, detail };
  if (code === 'SERIAL_PERMISSION') return { state: 'denied', since, code, detail };
  return { state: 'absent', since, code, detail };
}
