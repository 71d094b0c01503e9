/** Topics of a gateway at one broker; the names are a promise to receivers (`docs/batches.md`). */
export const statusTopic = (prefix: string, gateway: string): string => `${prefix}/${gateway}/status`;

export interface StreamTopics {
  readonly batch: string;
  readonly state: string;
  readonly resend: string;
  readonly notice: string;
}

export function streamTopics(prefix: string, gateway: string, stream: string): StreamTopics {
  const base = `${prefix}/${gateway}/${stream}`;
  return { batch: `${base}/batch`, state: `${base}/state`, resend: `${base}/resend`, notice: `${base}/notice` };
}
