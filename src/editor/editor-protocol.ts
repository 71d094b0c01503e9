/** What the editor process and its supervisor tell each other over the IPC channel. */
export type ChildReport =
  | { readonly type: 'ready'; readonly url: string | null }
  | { readonly type: 'alive' }
  | { readonly type: 'failed'; readonly message: string };

export interface ParentOrder {
  readonly type: 'stop';
}

/** The child says that its event loop turns. */
export const ALIVE_EVERY_MS = 10_000;
/** A child silent for longer is stuck (a foreign node with an endless loop) and is killed. */
export const STUCK_AFTER_MS = 90_000;
/** The child ends by then, whatever its nodes do. */
export const STOP_DEADLINE_MS = 6000;
