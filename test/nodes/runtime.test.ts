import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../editor/poll.ts';
import { runEditor, type RunningEditor } from '../editor/running-editor.ts';

type NodeJson = Record<string, unknown>;

let editor: RunningEditor;
beforeAll(async () => {
  editor = await runEditor();
});
afterAll(() => editor.stop());
afterEach(() => {
  editor.gateway.samples.length = 0;
  editor.gateway.refuseSample = () => null;
  editor.gateway.faults = [];
});

const TAB = { id: 't1', type: 'tab', label: 'Mesures' };
const node = (id: string, type: string, wires: string[][] = [], more: NodeJson = {}): NodeJson => ({
  id,
  type,
  z: 't1',
  x: 100,
  y: 100,
  wires,
  ...more,
});
/** A foreign node that prints what it gets, so that the test can read it from the log. */
const printer = (id: string): NodeJson =>
  node(id, 'function', [[]], { func: `node.warn('GOT ${id} ' + JSON.stringify(msg)); return null;`, outputs: 1 });
/** A foreign node that sends `payload` when the deploy starts it. */
const injector = (id: string, wires: string[][], payload: unknown): NodeJson =>
  node(id, 'inject', wires, {
    props: [{ p: 'payload' }],
    payload: JSON.stringify(payload),
    payloadType: 'json',
    once: true,
    onceDelay: 0.1,
  });
const SAMPLE = { place: 'quai', quantity: 'LAeq', value: 61.2 };

async function deploy(...nodes: NodeJson[]): Promise<void> {
  const response = await editor.deploy([TAB, ...nodes], { type: 'full' });
  expect(response.status).toBe(200);
  const started = editor.lines.length;
  // The runtime answers a deploy before it has started the nodes.
  await eventually(() =>
    editor.lines.slice(Math.max(0, started - 3)).some(({ facts }) => says(facts, 'Flux démarrés')),
  );
}
const says = (facts: object, text: string): boolean => 'line' in facts && String(facts.line).includes(text);
const printed = (id: string): string[] =>
  editor.lines
    .map(({ facts }) => ('line' in facts ? String(facts.line) : ''))
    .filter((line) => line.includes(`GOT ${id} `));
const tap = (id: string, output = 0): void =>
  editor.gateway.send(output === 0 ? 'record' : 'rejected', {
    node: id,
    output,
    topic: 'quai/LAeq',
    payload: { kind: 'sample', ...SAMPLE },
  });
/** A tap that must arrive, behind which whatever must not arrive would have arrived. */
async function settled(id: string, at: string): Promise<void> {
  const before = printed(at).length;
  tap(id);
  await eventually(() => printed(at).length > before);
}

describe('a wire from a Cigale node to a foreign node', () => {
  it('carries the records of that output, with topic and payload', async () => {
    await deploy(node('a1', 'cigale-serial', [['g1'], ['g2']]), printer('g1'), printer('g2'));
    tap('a1');
    tap('a1', 1);
    await eventually(() => printed('g1').length > 0 && printed('g2').length > 0);
    expect(printed('g1')[0]).toContain('"topic":"quai/LAeq","payload":{"kind":"sample","place":"quai"');
    expect([printed('g1').length, printed('g2').length]).toEqual([1, 1]);
  });

  it.each([
    ['directly', [node('b1', 'cigale-serial', [['b2', 'b9'], []])]],
    ['through a junction', [node('b1', 'cigale-serial', [['j1', 'b9'], []]), node('j1', 'junction', [['b2']])]],
    [
      'through links',
      [
        node('b1', 'cigale-serial', [['lo', 'b9'], []]),
        node('lo', 'link out', [], { links: ['li'], mode: 'link' }),
        node('li', 'link in', [['b2']], { links: ['lo'] }),
      ],
    ],
    [
      'through a junction and links',
      [
        node('b1', 'cigale-serial', [['b9', 'j1'], []]),
        node('j1', 'junction', [['lo']]),
        node('lo', 'link out', [], { links: ['li'], mode: 'link' }),
        node('li', 'link in', [['j2']], { links: ['lo'] }),
        node('j2', 'junction', [['b2']]),
      ],
    ],
  ])('does not also carry them to a Cigale node, %s', async (_how, nodes) => {
    await deploy(...nodes, node('b2', 'cigale-noise', [[], []]), printer('b9'));
    await settled('b1', 'b9');
    await settled('b1', 'b9');
    expect(editor.gateway.samples).toEqual([]);
  });

  it('carries them through junctions and links to foreign nodes', async () => {
    await deploy(
      node('c1', 'cigale-noise', [['j1'], []]),
      node('j1', 'junction', [['lo']]),
      node('lo', 'link out', [], { links: ['li'], mode: 'link' }),
      node('li', 'link in', [['c9']], { links: ['lo'] }),
      printer('c9'),
    );
    await settled('c1', 'c9');
    expect(printed('c9')[0]).toContain('"topic":"quai/LAeq"');
  });
});

describe('a wire from a foreign node to a Cigale node', () => {
  it.each([
    ['directly', [injector('i1', [['n1']], SAMPLE)]],
    ['through a junction', [injector('i1', [['j1']], SAMPLE), node('j1', 'junction', [['n1']])]],
    [
      'through links',
      [
        injector('i1', [['lo']], SAMPLE),
        node('lo', 'link out', [], { links: ['li'], mode: 'link' }),
        node('li', 'link in', [['n1']], { links: ['lo'] }),
      ],
    ],
  ])('injects a sample into that node, %s', async (_how, nodes) => {
    await deploy(...nodes, node('n1', 'cigale-noise', [[], []]));
    await eventually(() => editor.gateway.samples.length > 0);
    expect(editor.gateway.samples).toEqual([{ node: 'n1', sample: SAMPLE }]);
  });

  it('injects what a foreign node made of a record of a Cigale node', async () => {
    await deploy(
      node('s1', 'cigale-serial', [['f1'], []]),
      node('f1', 'function', [['n1']], { func: 'msg.payload.value += 1; return msg;', outputs: 1 }),
      node('n1', 'cigale-noise', [[], []]),
    );
    await eventually(() => {
      tap('s1');
      return editor.gateway.samples.length > 0;
    });
    expect(editor.gateway.samples[0]).toEqual({ node: 'n1', sample: { ...SAMPLE, value: 62.2 } });
  });

  it('takes a list of samples and instants as dates', async () => {
    const func =
      'msg.payload = [1, 2].map((value) => ({ place: "p", quantity: "LAeq", value, observedAt: new Date(value) })); return msg;';
    await deploy(
      injector('i1', [['f1']], {}),
      node('f1', 'function', [['n1']], { func, outputs: 1 }),
      node('n1', 'cigale-send'),
    );
    const taken = (): unknown[] =>
      editor.gateway.samples.filter(({ sample }) => sample['place'] === 'p').map(({ sample }) => sample['observedAt']);
    await eventually(() => taken().length === 2);
    expect(taken()).toEqual([1, 2]);
  });

  it.each([
    ['a sample that the gateway refuses', SAMPLE, 'unknown quantity'],
    ['a payload without value', { place: 'quai', quantity: 'LAeq' }, 'has no value'],
    ['an aggregate', { ...SAMPLE, kind: 'aggregate' }, 'only samples'],
  ])('reports %s to catch nodes', async (_what, payload, reason) => {
    editor.gateway.refuseSample = () => 'unknown quantity';
    const before = printed('k9').length;
    await deploy(
      injector('i1', [['n1']], payload),
      node('n1', 'cigale-noise', [[], []]),
      node('k1', 'catch', [['k9']], { scope: null }),
      printer('k9'),
    );
    await eventually(() => printed('k9').length > before);
    expect(printed('k9').at(-1)).toContain(reason);
    expect(printed('k9').at(-1)).toContain('INJECTION_REFUSED');
  });

  it('tells complete nodes when the sample is on disk', async () => {
    await deploy(
      injector('i1', [['n1']], SAMPLE),
      node('n1', 'cigale-count', [[]]),
      node('k1', 'complete', [['c8']], { scope: ['n1'] }),
      printer('c8'),
    );
    await eventually(() => printed('c8').length > 0);
    expect(editor.gateway.samples).toHaveLength(1);
  });
});

describe('the status of a node', () => {
  it('comes from the gateway in the language of the gateway, and again after a deploy', async () => {
    const watcher = node('w1', 'status', [['w9']], { scope: null });
    await deploy(node('n1', 'cigale-noise', [[], []]), watcher, printer('w9'));
    const text = { en: 'up to date', fr: 'à jour' };
    editor.gateway.send('status', { node: 'n1', fill: 'green', shape: 'dot', text });
    await eventually(() => printed('w9').some((line) => line.includes('"text":"à jour"')));
    const before = printed('w9').length;
    editor.gateway.send('status', { node: 'n1', fill: 'green', shape: 'dot', text });
    editor.gateway.send('status', {
      node: 'n1',
      fill: 'red',
      shape: 'ring',
      text: { en: 'offline', fr: 'hors ligne' },
    });
    await eventually(() => printed('w9').some((line) => line.includes('hors ligne')));
    expect(printed('w9').length).toBe(before + 1);
    await deploy(node('n1', 'cigale-noise', [[], []]), watcher, printer('w9'));
    await eventually(() => printed('w9').length > before + 1);
    expect(printed('w9').at(-1)).toContain('hors ligne');
  });

  it('says that the gateway is away, and the truth again when it is back', async () => {
    await deploy(node('n1', 'cigale-noise', [[], []]), node('w1', 'status', [['v9']], { scope: null }), printer('v9'));
    await editor.gateway.disconnect();
    await eventually(() => printed('v9').some((line) => line.includes('passerelle arrêtée')));
    await editor.gateway.start();
    await eventually(() => editor.gateway.readers > 0);
    await eventually(() => {
      editor.gateway.send('status', { node: 'n1', fill: 'green', shape: 'dot', text: { en: 'ok', fr: 'revenu' } });
      return printed('v9').some((line) => line.includes('revenu'));
    });
    expect(printed('v9').at(-1)).toContain('revenu');
  });
});
