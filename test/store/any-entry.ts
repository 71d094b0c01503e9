import * as fc from 'fast-check';
import {
  GAP_CAUSES,
  type Aggregate,
  type Destination,
  type Flag,
  type GapRecord,
  type NewEntry,
  type Sample,
} from '../../src/model/record.ts';

/** Objects as code makes them. */
const PLAIN = { noNullPrototype: true };

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('', 'a', 'b', 'a\u001fb', '__proto__'),
);
const instant = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.maxSafeInteger(), fc.double());
const value = fc.option(fc.double());
const flags = fc.array(fc.constantFrom<Flag>('late', 'missing', 'clock-estimated'), { maxLength: 3 });
const to = fc.array(fc.constantFrom<Destination>('stream:a', 'stream:b', 'rule:1', 'rule:\u001f'), { maxLength: 3 });
const names = fc.oneof(fc.constantFrom('LAeq', 'LA10', '1', '10'), fc.string({ unit: 'binary', maxLength: 4 }));
/** A record's names are catalogue names; `__proto__` is none, and JSON.parse alone would keep it. */
const dictionary = <T>(of: fc.Arbitrary<T>) =>
  fc.dictionary(
    names.filter((name) => name !== '__proto__'),
    of,
    { maxKeys: 4, noNullPrototype: true },
  );

const anySample: fc.Arbitrary<Sample> = fc.record(
  {
    kind: fc.constant('sample' as const),
    place: text,
    channel: text,
    device: text,
    quantity: text,
    unit: text,
    observedAt: instant,
    receivedAt: instant,
    periodMs: value,
    intervalMs: value,
    value,
    quality: fc.constantFrom('good', 'suspect', 'bad'),
    flags,
    revision: fc.nat(),
  },
  PLAIN,
);

const anyAggregate: fc.Arbitrary<Aggregate> = fc.record(
  {
    kind: fc.constant('aggregate' as const),
    place: text,
    channel: text,
    domain: text,
    quantity: text,
    periodMs: instant,
    part: text,
    start: instant,
    end: instant,
    revision: fc.nat(),
    count: fc.nat(),
    coverage: value,
    valid: fc.boolean(),
    flags,
    values: dictionary(value),
    at: dictionary(instant),
  },
  PLAIN,
);

const anyGap: fc.Arbitrary<GapRecord> = fc.record(
  {
    kind: fc.constant('gap' as const),
    place: text,
    stream: text,
    from: instant,
    to: instant,
    cause: fc.constantFrom(...GAP_CAUSES),
    count: value,
  },
  PLAIN,
);

/** Any entry that the types allow, strange numbers and texts among them. */
export const anyEntry: fc.Arbitrary<NewEntry> = fc.record(
  { record: fc.oneof(anySample, anyAggregate, anyGap), to },
  PLAIN,
);
