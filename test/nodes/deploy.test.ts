import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXCLUDED_CORE_NODES } from '../../src/editor/node-red-settings.ts';
import { fault } from '../editor/fake-gateway.ts';
import { eventually } from '../editor/poll.ts';
import { runEditor, type RunningEditor } from '../editor/running-editor.ts';

const ticker = (text: string): object => ({
  id: 'tick',
  type: 'inject',
  z: 't1',
  props: [{ p: 'payload' }],
  payload: text,
  payloadType: 'str',
  repeat: '0.05',
  once: true,
  onceDelay: 0,
  wires: [['say']],
});
const say = {
  id: 'say',
  type: 'function',
  z: 't1',
  func: "node.warn('TICK ' + msg.payload); return null;",
  outputs: 1,
  wires: [[]],
};
const TAB = { id: 't1', type: 'tab', label: 'Mesures' };

let editor: RunningEditor;
beforeAll(async () => {
  editor = await runEditor((gateway) => {
    gateway.flow = [TAB, ticker('first') as never, say, { id: 'u1', type: 'contoso-thing', z: 't1', wires: [[]] }];
    gateway.version = 3;
  });
});
afterAll(() => editor.stop());

const ticks = (text: string): number =>
  editor.lines.filter(({ facts }) => JSON.stringify(facts).includes(`TICK ${text}`)).length;
const isTicking = async (text: string): Promise<void> => {
  const before = ticks(text);
  await eventually(() => ticks(text) > before + 1);
};

describe('a deploy', () => {
  it('runs the stored flow in spite of a node type that is not installed', async () => {
    await isTicking('first');
    expect(editor.lines.some(({ facts }) => JSON.stringify(facts).includes('contoso-thing'))).toBe(true);
  });

  it('that the gateway refuses says so in a sentence, gives the faults, and leaves the flows running', async () => {
    editor.gateway.faults = [fault('send1', 'stream is missing', "il manque le flux d'envoi")];
    const response = await editor.deploy([TAB, ticker('refused'), say]);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('la passerelle refuse ce flux (1 erreur)');
    expect(await (await editor.get('cigale/refusal')).json()).toEqual({ faults: editor.gateway.faults, total: 1 });
    await isTicking('first');
    expect([ticks('refused'), editor.gateway.version]).toEqual([0, 3]);
    editor.gateway.faults = [];
  });

  it('is taken with its author, also with a type that is not installed, and forgets the refusal', async () => {
    const response = await editor.deploy([
      TAB,
      ticker('second'),
      say,
      { id: 'u2', type: 'fabrikam-thing', z: 't1', wires: [] },
    ]);
    expect(response.status).toBe(200);
    await isTicking('second');
    expect([editor.gateway.version, editor.gateway.authors]).toEqual([4, ['editor']]);
    expect(await (await editor.get('cigale/refusal')).json()).toEqual({ faults: [], total: 0 });
  });

  it('from an old page is refused as a conflict', async () => {
    const response = await editor.deploy([TAB], { rev: 'old' });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([409, 'version_mismatch']);
  });

  it('over a version that somebody else deployed is refused, and the page then gets that version', async () => {
    editor.gateway.version = 9;
    editor.gateway.flow = [TAB, ticker('theirs') as never, say];
    const response = await editor.deploy([TAB, ticker('mine'), say]);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([409, 'version_mismatch']);
    await isTicking('theirs');
    const { flows } = (await (await editor.get('flows')).json()) as { flows: unknown };
    expect([flows, editor.gateway.version]).toEqual([editor.gateway.flow, 9]);
  });

  it('elsewhere (command line, rollback) reaches the editor by itself', async () => {
    editor.gateway.version = 10;
    editor.gateway.flow = [TAB, ticker('rollback') as never, say];
    editor.gateway.send('flow', { version: 10, author: 'cli' });
    await isTicking('rollback');
    expect(editor.gateway.version).toBe(10);
  });

  it('keeps credentials out of the flow and out of every answer', async () => {
    const broker = {
      id: 'b1',
      type: 'cigale-broker',
      url: 'mqtt://x',
      credentials: { username: 'istres', password: 'S3CRET' },
    };
    expect((await editor.deploy([TAB, broker])).status).toBe(200);
    expect(editor.gateway.credentials).toEqual({ b1: { username: 'istres', password: 'S3CRET' } });
    expect(JSON.stringify(editor.gateway.flow)).not.toContain('S3CRET');
    const bodies = await Promise.all(
      ['flows', 'credentials/cigale-broker/b1', 'settings'].map(async (path) => (await editor.get(path)).text()),
    );
    expect(bodies.join('')).not.toContain('S3CRET');
    expect(bodies[1]).toContain('"has_password":true');
  });
});

describe("Node-RED's own nodes", () => {
  it('are those a technician uses; none runs programs, touches files or opens connections', async () => {
    const response = await fetch(new URL('nodes', editor.url), { headers: { accept: 'application/json' } });
    const sets = (await response.json()) as { id: string; types: string[]; err?: string }[];
    expect(sets.filter(({ err }) => err !== undefined)).toEqual([]);
    const core = sets.filter(({ id }) => id.startsWith('node-red/')).flatMap(({ types }) => types);
    expect(core.toSorted()).toEqual(
      [
        'batch',
        'catch',
        'change',
        'comment',
        'complete',
        'csv',
        'debug',
        'delay',
        'function',
        'global-config',
        'html',
        'inject',
      ]
        .concat([
          'join',
          'json',
          'junction',
          'link call',
          'link in',
          'link out',
          'range',
          'rbe',
          'sort',
          'split',
          'status',
        ])
        .concat(['switch', 'template', 'trigger', 'unknown', 'xml', 'yaml'])
        .toSorted(),
    );
    expect(EXCLUDED_CORE_NODES.length).toBe(11);
    expect(sets.filter(({ id }) => id.startsWith('@cigale/'))).toHaveLength(10);
  });
});
