import type { Batch } from '../model/batch.ts';
import { decompress } from './compression.ts';
import { JSON_CONTENT_TYPE } from './formats/json.ts';
import type { PublishProperties } from './publisher.ts';
import type { StreamTopics } from './topics.ts';

export interface BatchMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly properties: PublishProperties;
}

/**
 * A sealed batch as a publish. MQTT 3.1.1 has no properties: the body goes uncompressed, and number and hash stand in
 * the topic.
 */
export async function batchMessage(batch: Batch, topics: StreamTopics, protocol: 5 | 4): Promise<BatchMessage> {
  if (protocol === 4) {
    const topic = `${topics.batch}/${batch.seq}/${batch.sha256}`;
    return { topic, payload: await decompress(batch.body, batch.encoding), properties: { lane: batch.lane } };
  }
  return {
    topic: topics.batch,
    payload: batch.body,
    properties: {
      lane: batch.lane,
      contentType: JSON_CONTENT_TYPE,
      userProperties: {
        seq: String(batch.seq),
        epoch: batch.epoch,
        sha256: batch.sha256,
        encoding: batch.encoding,
        lane: batch.lane,
      },
    },
  };
}
