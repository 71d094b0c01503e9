import type { MqttClient } from 'mqtt';
import type { Clock } from '../runtime/clock.ts';

/** How long a broker may take over the end of a connection before it is cut. */
export const GOODBYE_MS = 1000;

/** Sends DISCONNECT, so that the will is not published, and ends; a broker that does not answer cannot hold this up. */
export async function sayGoodbye(client: MqttClient, clock: Clock): Promise<void> {
  for (const messageId of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(messageId));
  const impatience = clock.after(GOODBYE_MS, () => client.stream.destroy());
  await client.endAsync(!client.connected);
  impatience.cancel();
}
