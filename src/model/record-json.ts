import { isoDuration, rfc3339 } from './instant.ts';
import type { GapRecord, LogEntry } from './record.ts';

/** A record as it leaves the gateway (`docs/schema/record.schema.json`): RFC 3339 instants, ISO 8601 periods, ids as text. */
export type RecordJson = Readonly<Record<string, unknown>>;

export function recordJson({ id, record }: LogEntry): RecordJson {
  if (record.kind === 'sample') {
    return {
      kind: record.kind,
      id: String(id),
      place: record.place,
      channel: record.channel,
      device: record.device,
      quantity: record.quantity,
      unit: record.unit,
      observedAt: rfc3339(record.observedAt),
      period: record.periodMs === null ? null : isoDuration(record.periodMs),
      value: record.value,
      quality: record.quality,
      flags: record.flags,
      revision: record.revision,
    };
  }
  if (record.kind === 'gap') return gapJson(String(id), record);
  return {
    kind: record.kind,
    id: String(id),
    place: record.place,
    channel: record.channel,
    domain: record.domain,
    quantity: record.quantity,
    period: isoDuration(record.periodMs),
    part: record.part,
    start: rfc3339(record.start),
    end: rfc3339(record.end),
    revision: record.revision,
    count: record.count,
    coverage: record.coverage,
    valid: record.valid,
    flags: record.flags,
    values: record.values,
    at: Object.fromEntries(Object.entries(record.at).map(([name, instant]) => [name, rfc3339(instant)])),
  };
}

/** Without the members that it has nothing to say in. */
const gapJson = (id: string, { kind, place, stream, from, to, cause, count }: GapRecord): RecordJson => ({
  kind,
  id,
  ...(place === '' ? {} : { place }),
  ...(stream === '' ? {} : { stream }),
  from: rfc3339(from),
  to: rfc3339(to),
  cause,
  ...(count === null ? {} : { count }),
});
