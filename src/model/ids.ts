/** Key of one series of values: what a window accumulates. */
export const seriesKey = (of: { place: string; channel: string; quantity: string }): string =>
  `${of.place}\u001f${of.channel}\u001f${of.quantity}`;

/** Key of an output of a node in `Plan.routes` and `Plan.taps`. */
export const outputKey = (nodeId: string, output: number): string => `${nodeId}:${output}`;
