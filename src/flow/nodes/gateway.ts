import { z } from 'zod';
import type { GatewaySettings } from '../../model/plan.ts';
import { blankAsAbsent, documented, duration, identifier, numberOrAsIs, report } from '../fields.ts';
import { defineNode } from '../node-type.ts';

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const timezone = documented(
  z.preprocess(
    blankAsAbsent,
    z
      .string()
      .superRefine((zone, sink) => {
        if (isTimeZone(zone)) return;
        report(sink, 'PROPERTY_INVALID', {
          en: 'takes an IANA time zone such as Europe/Paris.',
          fr: 'prend un fuseau horaire IANA tel que Europe/Paris.',
        });
      })
      .default('Europe/Paris'),
  ),
  { kind: 'IANA time zone', unit: '', default: 'Europe/Paris' },
);

const diskLimitMb = documented(
  z.preprocess((value) => numberOrAsIs(value) ?? null, z.number().int().min(1).max(10_000_000).nullable()),
  { kind: 'integer 1 to 10000000', unit: 'MB', default: 'empty' },
);

const schema = z.object({
  gateway: identifier(),
  timezone,
  commitInterval: duration({ min: '50ms', max: '1m', default: '1s' }),
  diskLimitMb,
  keepAfterAck: duration({ min: '0s', max: '366d', default: '7d' }),
});

/** The gateway itself: its name upstream, its zone, its bounds on disk. */
export const gatewayNode = defineNode({
  type: 'cigale-gateway',
  role: 'config',
  accepts: [],
  outputs: [],
  schema,
  settings: (node, given): GatewaySettings => ({
    nodeId: node.id,
    gateway: given.gateway,
    timezone: given.timezone,
    commitIntervalMs: given.commitInterval,
    diskLimitMb: given.diskLimitMb,
    keepAfterAckMs: given.keepAfterAck,
  }),
});
