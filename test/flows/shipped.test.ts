import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileFlow } from '../../src/flow/compile.ts';
import { NODE_TYPES } from '../nodes/node-files.ts';
import { FLOWS, read, readShipped, SHIPPED, type FlowNode } from './shipped-flow.ts';

const targets = (node: FlowNode): readonly string[] => ((node['wires'] as string[][] | undefined) ?? []).flat();

describe.each(SHIPPED)('%s', (name) => {
  const flow = readShipped(name);

  it('compiles without a fault or a notice', () => {
    const { faults, notices } = compileFlow(flow, { env: {} });
    expect([faults, notices]).toEqual([[], []]);
  });

  it('is whole: ids once, wires to nodes that are there, every node on a tab that is there', () => {
    const ids = new Set(flow.map((node) => node.id));
    expect(ids.size).toBe(flow.length);
    expect(flow.flatMap(targets).filter((id) => !ids.has(id))).toEqual([]);
    expect(flow.filter(({ z }) => z !== undefined && !ids.has(z))).toEqual([]);
  });

  it('says on its tab and in a comment, in French, what it is for and what to change', () => {
    expect(flow.find((node) => node.type === 'tab')?.['info']).toMatch(/\p{Ll}{3,} .*\.$/u);
    expect(flow.find((node) => node.type === 'comment')?.['name']).toMatch(/^À adapter/);
  });

  it('names a broker that exists nowhere, and no credential', () => {
    const brokers = flow.filter((node) => node.type === 'cigale-broker');
    for (const broker of brokers) expect(broker['url']).toMatch(/^mqtts:\/\/[a-z.]+\.example:8883$/);
    expect(flow.filter((node) => 'credentials' in node)).toEqual([]);
  });

  it('is explained in the folder’s README', () => {
    expect(read('README.md')).toContain(`](${name})`);
  });
});

describe('the shipped flows', () => {
  it('use every Cigale node type', () => {
    const used = new Set(SHIPPED.flatMap((name) => readShipped(name).map(({ type }) => type)));
    expect(NODE_TYPES.filter((type) => !used.has(type))).toEqual([]);
  });

  it('are all named in the README, and nothing else is', () => {
    const named = [...read('README.md').matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);
    const there = readdirSync(FLOWS, { withFileTypes: true }).map((one) =>
      one.isDirectory() ? `${one.name}/` : one.name,
    );
    expect(new Set(named)).toEqual(new Set(there.filter((one) => one !== 'README.md')));
  });

  it('noise, heat and counts can stand in one flow', () => {
    const nodes = ['bruit.json', 'chaleur.json', 'comptage.json'].flatMap(readShipped);
    const together = [...new Map(nodes.map((node) => [node.id, node])).values()];
    const { faults, plan } = compileFlow(together, { env: {} });
    expect(faults).toEqual([]);
    expect(plan?.streams.map(({ stream }) => stream).toSorted()).toEqual(['bruit', 'chaleur', 'comptage']);
    expect([plan?.brokers.length, plan?.concentrators.length]).toEqual([1, 1]);
  });
});
