import type { GatewayError } from '../../runtime/errors.ts';

export interface LinkEvents {
  /** What one read gave; the bytes are the receiver's to keep. */
  onBytes(bytes: Buffer): void;
  /** The other side is gone (unplugged, connection lost). At most once. */
  onClosed(cause: GatewayError): void;
}

/** One open connection to a sensor. */
export interface Link {
  /** Resolves when the system has taken the bytes; rejects when the link closes before, or its queue is full. */
  write(bytes: Uint8Array): Promise<void>;
  /** Frees the port; idempotent, never rejects. */
  close(): Promise<void>;
}

/** Opens a link; rejects with a `GatewayError` whose code says what is in the way. `signal` gives the attempt up. */
export type Transport = (events: LinkEvents, signal: AbortSignal) => Promise<Link>;
