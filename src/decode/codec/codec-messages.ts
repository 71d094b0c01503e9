/** What the gateway and the codec worker say to each other. */

export type CodecJob =
  | { readonly id: number; readonly kind: 'decode'; readonly codec: string; readonly input: string }
  | { readonly id: number; readonly kind: 'check'; readonly script: string };

/** How a job ended inside the sandbox; `crashed`: the sandbox itself can no longer be trusted. */
export type CodecOutcome =
  /** The JSON text that the script's result became. */
  | { readonly kind: 'result'; readonly text: string }
  | { readonly kind: 'valid' }
  | { readonly kind: 'too-large' | 'no-result' | 'missing' | 'suspended' | 'crashed' }
  | { readonly kind: 'timeout' }
  /** `line` of the script, where the sandbox knows it. */
  | { readonly kind: 'error'; readonly message: string; readonly line: number | null };

export type ToWorker =
  | { readonly kind: 'scripts'; readonly scripts: ReadonlyMap<string, string> }
  | { readonly kind: 'jobs'; readonly jobs: readonly CodecJob[] };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly (readonly [id: number, outcome: CodecOutcome])[] };

/** Shared memory in which the worker writes the id of the job it works on: the watchdog reads it while the worker is busy. */
export interface WorkerData {
  readonly progress: SharedArrayBuffer;
}
