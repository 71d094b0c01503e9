import { spawn } from 'node:child_process';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { EditorSupervisor, type EditorState } from '../../src/editor/editor-supervisor.ts';
import { ManualClock } from '../fakes/manual-clock.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { FakeGateway } from './fake-gateway.ts';
import { nodePackage } from './node-package.ts';
import { eventually } from './poll.ts';
import { runEditor, type RunningEditor } from './running-editor.ts';

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

let stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.toReversed()) await stop();
  stops = [];
});

const run = async (...given: Parameters<typeof runEditor>): Promise<RunningEditor> => {
  const editor = await runEditor(...given);
  stops.push(() => editor.stop());
  return editor;
};

describe('the editor process', () => {
  it('refuses an address that other machines reach', async () => {
    const supervisor = new EditorSupervisor(
      { dataDir: '/nowhere', socketPath: '/nowhere', listen: { host: '0.0.0.0', port: 0 }, language: 'fr' },
      { clock: new ManualClock(), log: memoryLog(), random: () => 0 },
    );
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'EDITOR_NOT_LOOPBACK' });
    expect(supervisor.state.phase).toBe('stopped');
  });

  it('serves its page to this machine only, passes its output to the log, and ends when told to', async () => {
    const editor = await run();
    expect((await editor.get('')).status).toBe(200);
    // fetch sets the Host header itself, so the request is made by hand.
    const status = await new Promise((resolve) => {
      request(editor.url, { headers: { host: 'evil.example' } }, (response) => resolve(response.statusCode)).end();
    });
    expect(status).toBe(403);
    expect(editor.lines.some(({ facts }) => JSON.stringify(facts).includes('Node-RED'))).toBe(true);
    const pid = editor.supervisor.pid as number;
    await editor.supervisor.stop();
    await editor.supervisor.stop();
    expect(isAlive(pid)).toBe(false);
    expect(editor.supervisor.state.phase).toBe('stopped');
  });

  it('is started again after kill -9 and then has the same flow', async () => {
    const editor = await run((gateway) => {
      gateway.flow = [{ id: 't1', type: 'tab', label: 'Mesures' }];
    });
    const first = editor.supervisor.pid as number;
    process.kill(first, 'SIGKILL');
    await eventually(() => editor.supervisor.state.phase === 'failed');
    const again = await eventually(() => {
      const { state } = editor.supervisor;
      return state.phase === 'ready' && editor.supervisor.pid !== first && state;
    });
    const flows = (await (await fetch(new URL('flows', again.url ?? ''))).json()) as unknown;
    expect(flows).toEqual(editor.gateway.flow);
  });

  it('ends by itself when its channel closes, as it does when the gateway is killed', async () => {
    const gateway = await new FakeGateway().start();
    stops.push(() => gateway.stop());
    const options = {
      userDir: `${gateway.dir}/editor`,
      socketPath: gateway.socketPath,
      listen: 'headless',
      language: 'fr',
      packageDir: nodePackage(gateway.dir),
      safeMode: false,
    };
    const module = fileURLToPath(new URL('../../src/editor/editor-child.ts', import.meta.url));
    const child = spawn(process.execPath, [module, JSON.stringify(options)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await eventually(() => gateway.readers > 0);
    child.disconnect();
    await eventually(() => child.exitCode !== null);
    expect(child.exitCode).toBe(0);
  });

  it('waits for a gateway that is not there yet', async () => {
    const gateway = await new FakeGateway().start();
    await gateway.disconnect();
    const supervisor = new EditorSupervisor(
      {
        dataDir: gateway.dir,
        socketPath: gateway.socketPath,
        listen: 'headless',
        language: 'fr',
        packageDir: nodePackage(gateway.dir),
      },
      { clock: new ManualClock(), log: memoryLog(), random: () => 0 },
    );
    stops.push(() => gateway.stop());
    stops.push(() => supervisor.stop());
    await supervisor.start();
    expect(supervisor.state.phase).toBe('starting');
    await gateway.start();
    const ready = await eventually(() => supervisor.state.phase === 'ready' && supervisor.state);
    expect(ready.url).toBeNull();
  });

  it('starts with its flows stopped after three quick deaths', async () => {
    const gateway = await new FakeGateway().start();
    const clock = new ManualClock();
    const supervisor = new EditorSupervisor(
      {
        dataDir: gateway.dir,
        socketPath: gateway.socketPath,
        listen: 'headless',
        language: 'fr',
        packageDir: nodePackage(gateway.dir),
      },
      { clock, log: memoryLog(), random: () => 0 },
    );
    const seen: EditorState[] = [];
    supervisor.onState((state) => seen.push(state));
    stops.push(() => gateway.stop());
    stops.push(() => supervisor.stop());
    await supervisor.start();
    for (let death = 1; death <= 3; death += 1) {
      const pid = await eventually(() => supervisor.pid);
      process.kill(pid, 'SIGKILL');
      await eventually(() => supervisor.state.phase === 'failed');
      expect(supervisor.state.safeMode).toBe(false);
      await clock.advance(60_000);
    }
    const ready = await eventually(() => supervisor.state.phase === 'ready' && supervisor.state, 30_000);
    expect(ready.safeMode).toBe(true);
    expect(seen.filter(({ phase }) => phase === 'starting')).toHaveLength(4);
  });

  it('kills a process that is stuck', async () => {
    const gateway = await new FakeGateway().start();
    const clock = new ManualClock();
    const supervisor = new EditorSupervisor(
      { dataDir: gateway.dir, socketPath: '/nowhere', listen: 'headless', language: 'fr' },
      { clock, log: memoryLog(), random: () => 0 },
    );
    stops.push(() => gateway.stop());
    stops.push(() => supervisor.stop());
    await supervisor.start();
    const pid = supervisor.pid as number;
    process.kill(pid, 'SIGSTOP');
    await clock.advance(90_001);
    const failed = await eventually(() => supervisor.state.phase === 'failed' && supervisor.state);
    expect(failed.detail).toContain('stuck');
  });
});
