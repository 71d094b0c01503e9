import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const UNITS = ['cigale.service', 'cigale-editor.service'];

const isMissing = spawnSync('systemd-analyze', ['--version']).error !== undefined;
if (isMissing) process.stderr.write('not run: systemd-analyze is not installed (Debian package systemd)\n');

const analyze = (...options: string[]) => {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', options, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
};

const unit = (name: string): Promise<string> => readFile(join(ROOT, 'deploy', name), 'utf8');

describe.skipIf(isMissing)('the systemd units', () => {
  it('are understood by systemd, every line of them', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cigale-units-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const files: string[] = [];
    for (const name of UNITS) {
      // Nothing is installed here: the programs they name are those of this checkout.
      const text = (await unit(name)).replaceAll('/opt/cigale/current/bin/node', process.execPath);
      await writeFile(join(folder, name), text.replaceAll('/opt/cigale/current', ROOT));
      files.push(join(folder, name));
    }
    expect(analyze('verify', ...files)).toEqual({ status: 0, said: '' });
  });

  it.each(UNITS)('%s is exposed by 1.5 of 10 at most, as it is shipped', (name) => {
    const { status, said } = analyze('security', '--offline=true', '--threshold=15', join(ROOT, 'deploy', name));
    expect(status, said).toBe(0);
  });
});

describe('the gateway unit', () => {
  it('is not kept from any broker, nor V8 from compiling', async () => {
    const settings = (await unit('cigale.service')).split('\n').filter((line) => !line.startsWith('#'));
    expect(settings.filter((line) => /^(IPAddress|MemoryDenyWriteExecute|PrivateNetwork)/.test(line))).toEqual([]);
  });

  it('waits neither for the network nor for the clock, and is restarted for ever', async () => {
    const text = await unit('cigale.service');
    expect(text).not.toMatch(/network-online\.target|time-sync\.target|time-set\.target/);
    expect(text).toMatch(/^Restart=always$/m);
    expect(text).toMatch(/^StartLimitIntervalSec=0$/m);
  });

  it('lets the gateway use serial ports and no other device', async () => {
    const text = await unit('cigale.service');
    expect(text).toMatch(/^DevicePolicy=closed$/m);
    for (const [, device] of text.matchAll(/^DeviceAllow=(\S+)/gm))
      expect(device).toMatch(/^char-tty[A-Z]|^char-ttymxc$/);
  });
});

it('the settings of the editor unit are what the editor process understands', async () => {
  const text = await unit('cigale-editor.service');
  const json = /^Environment='CIGALE_EDITOR=(\{.*\})'$/m.exec(text)?.[1] ?? '';
  const gatewaySocket = /^Environment=CIGALE_EDITOR_SOCKET=(\S+)$/m.exec(await unit('cigale.service'))?.[1];
  expect(Object.keys(JSON.parse(json)).toSorted()).toEqual(
    ['language', 'listen', 'packageDir', 'safeMode', 'socketPath', 'userDir'].toSorted(),
  );
  expect(JSON.parse(json)).toMatchObject({ socketPath: gatewaySocket, listen: { host: '127.0.0.1' } });
});
