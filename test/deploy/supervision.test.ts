import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Supervision } from '../../src/cli/supervision.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Metrics } from '../../src/runtime/metrics.ts';
import { ask, RunningGateway, until } from '../e2e/running-gateway.ts';
import { memoryLog } from '../fakes/silent-log.ts';
import { missing, notifySocket } from '../runtime/notify-socket.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

async function dataFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cigale-service-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe.skipIf(missing !== '')('a gateway that systemd started', () => {
  it('says that it is ready, that it lives again and again, and that it stops', async () => {
    const socket = await notifySocket();
    const gateway = spawn(process.execPath, [MAIN, 'run', '--data', await dataFolder()], {
      stdio: 'ignore',
      env: { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '600000' },
    });
    onTestFinished(() => void gateway.kill('SIGKILL'));
    await until('three signs of life', () => socket.messages().filter((name) => name === 'WATCHDOG=1').length >= 3);
    expect(socket.messages()[0]).toBe('READY=1');
    expect(socket.messages().filter((name) => name === 'READY=1')).toHaveLength(1);
    const ended = new Promise((resolve) => void gateway.once('exit', resolve));
    gateway.kill('SIGTERM');
    expect(await ended).toBe(0);
    await until('the last word', () => socket.messages().at(-1) === 'STOPPING=1');
  });

  it('gives no sign of life while a stage stands still', async () => {
    const socket = await notifySocket();
    const log = memoryLog();
    const env = { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC: '60000' };
    const metrics = new Metrics();
    const supervision = new Supervision(env, { clock: systemClock, log, metrics });
    onTestFinished(() => supervision.stop());
    await supervision.started([{ name: 'store', isProgressing: () => false }]);
    await until('ten rounds', () => metrics.value('cigale_watchdog_stalls_total', { probe: 'store' }) >= 10);
    await supervision.stop();
    await until('the last word', () => socket.messages().at(-1) === 'STOPPING=1');
    expect(socket.messages()).toEqual(['READY=1', 'STOPPING=1']);
    expect(log.lines.map(({ facts }) => facts)).toEqual([{ stalled: 'store' }]);
  });
});

describe('a gateway that nobody supervises', () => {
  it('starts no watchdog', async () => {
    const metrics = new Metrics();
    const supervision = new Supervision({}, { clock: systemClock, log: memoryLog(), metrics });
    let asked = 0;
    await supervision.started([{ name: 'store', isProgressing: () => (asked += 1) > 0 }]);
    await supervision.stop();
    expect(asked).toBe(0);
  });
});

describe('a gateway whose editor is a service of its own', () => {
  it('serves the restricted API on the socket that it is told, by the rights of the folder', async () => {
    const dataDir = await dataFolder();
    const folder = await dataFolder();
    await chmod(folder, 0o2750);
    const path = join(folder, 'editor.sock');
    const own = new RunningGateway(dataDir, { env: { CIGALE_EDITOR_SOCKET: path } });
    await own.gateway.start();
    onTestFinished(() => own.gateway.stop());
    expect((await ask({ socketPath: path, method: 'GET', path: '/v1/flow' })).status).toBe(200);
    expect((await ask({ socketPath: path, method: 'GET', path: '/v1/devices' })).status).toBe(403);
    expect((await stat(path)).mode & 0o777).toBe(0o660);
    expect((await stat(path)).gid).toBe((await stat(folder)).gid);
    expect((await own.request('GET', '/v1/status')).json['stages']).not.toContainEqual(
      expect.objectContaining({ stage: 'editor' }),
    );
  });

  it('measures all the same when that socket cannot be made, and says so', async () => {
    const own = new RunningGateway(await dataFolder(), { env: { CIGALE_EDITOR_SOCKET: '/nonexistent/editor.sock' } });
    await own.gateway.start();
    onTestFinished(() => own.gateway.stop());
    expect((await own.request('GET', '/v1/status')).status).toBe(200);
    expect(own.log.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      expect.stringContaining("editor's socket"),
    ]);
  });
});
