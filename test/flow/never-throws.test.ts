import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFlow } from '../../src/flow/read-flow.ts';
import { describeFault } from '../../src/flow/describe.ts';
import { FAULT_CODES, NOTICE_CODES } from '../../src/flow/fault-codes.ts';
import { NODE_TYPES } from '../../src/flow/node-types.ts';
import { FIXTURE_FLOW } from './fixture-flow.ts';
import { compile } from './flow-builder.ts';

/** A plan or faults, never both, never neither; every finding in known words. */
function expectAnswer(flow: unknown): void {
  const { plan, faults, notices } = compile(flow, { CITY: 'istres', N: '1' });
  expect(plan === null).toBe(faults.length > 0);
  for (const fault of faults) expect(Object.keys(FAULT_CODES)).toContain(fault.code);
  for (const notice of notices) expect(Object.keys(NOTICE_CODES)).toContain(notice.code);
  for (const fault of faults.slice(0, 20)) expect(describeFault(fault, 'fr')).not.toBe(describeFault(fault, 'en'));
}

const ids = fc.constantFrom('a', 'b', 'c', 'd', '__proto__', 'constructor', 'tab', '');
const DRAWN_TYPES = [
  'tab',
  'group',
  'subflow',
  'subflow:a',
  'subflow:b',
  'junction',
  'link in',
  'link out',
  'link call',
];
const types = fc.constantFrom(...NODE_TYPES.map((type) => type.type), ...DRAWN_TYPES, 'debug');
const words = fc.constantFrom('', '1', '1m', '${N}', '${GONE}x', '$(N)', 'LAeq', '/dev/x', '[1', '[{"key":0}]', 'a');
const anything = fc.oneof(words, fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>, ids);
const properties = NODE_TYPES.flatMap((type) => Object.keys(type.properties)).filter((name) => /^\w+$/.test(name));
const wires = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.array(ids, { maxLength: 3 }), { maxLength: 3 }) },
  { weight: 1, arbitrary: anything },
);
const structural = fc.record(
  {
    z: ids,
    g: ids,
    d: fc.boolean(),
    wires,
    links: fc.oneof(fc.array(ids), anything),
    mode: fc.constantFrom('link', 'return'),
    env: fc.oneof(fc.array(fc.record({ name: fc.constantFrom('N', 'M'), type: anything, value: anything })), anything),
    in: fc.oneof(fc.array(fc.record({ wires: fc.array(fc.record({ id: ids, port: anything })) })), anything),
    out: fc.oneof(fc.array(fc.record({ wires: fc.array(fc.record({ id: ids, port: fc.nat(3) })) })), anything),
    credentials: anything,
    version: anything,
  },
  { requiredKeys: [] },
);
const node = fc
  .tuple(ids, types, structural, fc.dictionary(fc.constantFrom(...properties), anything, { maxKeys: 6 }))
  .map(([id, type, drawn, given]): unknown => ({ ...given, ...drawn, id, type }));

describe('compiling never throws', () => {
  it('on any JSON', () => {
    fc.assert(fc.property(fc.jsonValue(), expectAnswer), { numRuns: 500 });
  });

  it('on anything that looks like a flow', () => {
    fc.assert(fc.property(fc.array(fc.oneof(node, anything), { maxLength: 12 }), expectAnswer), { numRuns: 1500 });
  });

  it('on a right flow with one property replaced', () => {
    const replaced = fc.tuple(fc.nat(FIXTURE_FLOW.length - 1), fc.nat(20), anything).map(([at, name, value]) =>
      FIXTURE_FLOW.map((entry, index) => {
        const names = Object.keys(entry);
        return index === at ? { ...entry, [names[name % names.length] ?? 'id']: value } : entry;
      }),
    );
    fc.assert(fc.property(replaced, expectAnswer), { numRuns: 1000 });
  });

  it('on JSON nested as deep as its text allows', () => {
    const text = '['.repeat(20_000) + ']'.repeat(20_000);
    for (const name of [...properties, 'wires', 'env', 'credentials', 'version'])
      for (const value of [text, JSON.parse(text) as unknown])
        for (const { type } of NODE_TYPES) expect(() => expectAnswer([{ id: 'a', type, [name]: value }])).not.toThrow();
  });

  it('on any text, and finds a place for each fault of JSON', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .tuple(fc.json(), fc.nat(), fc.string({ maxLength: 2 }))
            .map(
              ([json, at, junk]) => json.slice(0, at % (json.length + 1)) + junk + json.slice(at % (json.length + 1)),
            ),
        ),
        (text) => {
          const { fault } = parseFlow(text);
          expect(fault === null || fault.code === 'FLOW_NOT_JSON').toBe(true);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
