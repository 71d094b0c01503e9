/** What does the work of the bench: lines in, durable store, 1-minute aggregates, MQTT QoS 1 batches out. */
export interface Candidate {
  readonly name: string;
  readonly pid: number;
  /** Milliseconds from the start of the process until its first sample was on disk; NaN: not yet. */
  readonly firstAcceptedMs: number;
  start(): Promise<void>;
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

export interface Place {
  /** A folder of the candidate's own; what it stores survives a restart. */
  readonly folder: string;
  readonly linePath: string;
  readonly brokerPort: number;
}

/** Batches of both candidates: as many samples, or as old, as this at most. */
export const BATCH = { records: 1000, ageMs: 5000 };
