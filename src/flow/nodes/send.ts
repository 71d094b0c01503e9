import { z } from 'zod';
import type { StreamSettings } from '../../model/plan.ts';
import { choice, duration, identifier, integer, reference } from '../fields.ts';
import { defineNode } from '../node-type.ts';

const LATER_FORMATS = ['cbor', 'senml+json', 'senml+cbor', 'ngsi-ld', 'sensorthings', 'sparkplug-b', 'live-objects'];

const schema = z.object({
  broker: reference('cigale-broker'),
  stream: identifier(),
  maxRecords: integer({ min: 1, max: 10_000, default: 1000, unit: 'records' }),
  maxBytes: integer({ min: 4096, max: 524_288, default: 524_288, unit: 'bytes' }),
  maxAge: duration({ min: '100ms', max: '1d', default: '10s' }),
  order: choice(['live-first', 'in-order'], 'live-first'),
  backlogRate: integer({ min: 1, max: 100_000, default: 500, unit: 'records/s' }),
  since: choice(['deploy'], 'deploy', ['beginning', 'all', 'start']),
  format: choice(['json'], 'json', LATER_FORMATS),
  compress: choice(['identity', 'deflate', 'zstd'], 'deflate'),
});

/** A stream of numbered batches to one broker. */
export const sendNode = defineNode({
  type: 'cigale-send',
  role: 'sink',
  accepts: ['samples', 'aggregates'],
  outputs: [],
  schema,
  references: { broker: 'cigale-broker' },
  settings: (node, given): StreamSettings => ({
    nodeId: node.id,
    name: node.name,
    broker: given.broker,
    stream: given.stream,
    maxRecords: given.maxRecords,
    maxBytes: given.maxBytes,
    maxAgeMs: given.maxAge,
    order: given.order,
    backlogRate: given.backlogRate,
    since: given.since,
    format: given.format,
    compress: given.compress,
  }),
});
