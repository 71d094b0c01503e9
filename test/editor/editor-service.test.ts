import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { FakeGateway } from './fake-gateway.ts';
import { nodePackage } from './node-package.ts';
import { eventually } from './poll.ts';

const CHILD = fileURLToPath(new URL('../../src/editor/editor-child.ts', import.meta.url));

/** The editor process without the gateway's channel, as cigale-editor.service starts it. */
async function service(starts: readonly number[] = []) {
  const gateway = await new FakeGateway().start();
  onTestFinished(() => gateway.stop());
  const userDir = join(gateway.dir, 'own');
  await mkdir(userDir, { recursive: true });
  if (starts.length > 0) await writeFile(join(userDir, 'starts.json'), JSON.stringify(starts));
  const options = {
    userDir,
    socketPath: gateway.socketPath,
    listen: 'headless',
    language: 'fr',
    packageDir: nodePackage(gateway.dir),
    safeMode: false,
  };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let log = '';
  child.stdout.on('data', (text: Buffer) => (log += text.toString('utf8')));
  return { gateway, child, history: join(userDir, 'starts.json'), log: () => log };
}

it('the editor runs without a gateway process above it, notes its start, and ends cleanly when told', async () => {
  const { gateway, child, history } = await service();
  await eventually(() => gateway.readers > 0, 30_000);
  expect(JSON.parse(await readFile(history, 'utf8'))).toHaveLength(1);
  const ended = new Promise((resolve) => void child.once('exit', resolve));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  expect(existsSync(history)).toBe(false);
});

it('after three deaths its flows stay stopped, and its log says so', async () => {
  const nowMs = Number(process.hrtime.bigint() / 1_000_000n);
  const { gateway, log } = await service([nowMs - 3000, nowMs - 2000, nowMs - 1000]);
  await eventually(() => gateway.readers > 0, 30_000);
  expect(log()).toContain('stay stopped');
});
