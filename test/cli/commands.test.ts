import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../src/cli/commands.ts';
import { KILL_REGISTRY, killFlow } from '../fault/kill-flow.ts';
import { RunningGateway, temporaryFolder, until } from '../e2e/running-gateway.ts';
import { cigale, spawnCigale } from './cigale.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let data: readonly string[];
const FRENCH = { env: { LANG: 'fr_FR.UTF-8' } };
const flowText = (gateway = 'gw-kill'): string =>
  JSON.stringify(killFlow({ line: 9, udp: 0, mqtt: 9 })).replace('gw-kill', gateway);
const file = async (name: string, content: string): Promise<string> => {
  const path = join(folder.path, name);
  await writeFile(path, content);
  return path;
};

beforeEach(async () => {
  folder = await temporaryFolder();
  data = ['--data', join(folder.path, 'data')];
});
afterEach(() => folder.remove());

describe('wrong use', () => {
  it.each([
    ['an unknown command', ['fly']],
    ['no command', []],
    ['an unknown option', ['status', '--speed']],
    ['an argument too many', ['status', 'all']],
    ['a missing verb', ['flow']],
    ['an unknown verb', ['flow', 'fly']],
    ['a verb that every object has', ['flow', 'constructor']],
    ['a missing argument', ['flow', 'check']],
    ['an option without its value', ['status', '--data']],
    ['an option in place of a value', ['export', '--from', '--to', '2026-01-01']],
    ['a value for a switch', ['status', '--json=yes']],
    ['an instant that is none', ['export', '--from', '2026-13-01', '--to', '2026-01-02']],
    ['two kinds at once', ['export', '--from', '2026-01-01', '--to', '2026-01-02', '--samples', '--aggregates']],
    ['gaps of a quantity', ['export', '--from', '2026-01-01', '--to', '2026-01-02', '--gaps', '--quantity', 'LAeq']],
    ['an address without port', ['run', '--api', '8080']],
    ['a port that is none', ['simulate', '--udp', '127.0.0.1:9', '--serial', '99999']],
    ['no column', ['devices', 'add']],
    ['a version that is none', ['flow', 'rollback', 'last']],
    ['half a byte', ['codec', 'test', 'x.js', '--hex', '0']],
    ['no broker', ['receive']],
  ])('is 64 with the usage and nothing on standard output: %s', async (_what, args) => {
    const { code, stdout, stderr } = await cigale([...args]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain('usage: cigale');
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it('is explained in French where LANG says so', async () => {
    const { code, stderr } = await cigale(['status', '--speed'], FRENCH);
    expect(code).toBe(64);
    expect(stderr).toBe(
      "cigale : USAGE: option inconnue : --speed\nLisez l'aide de la commande (--help).\nusage : cigale status [--data DOSSIER] [--json]\n",
    );
  });
});

it.each(COMMAND_NAMES)('%s answers --help on standard output with 0', async (name) => {
  const { code, stdout, stderr } = await cigale([name, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(new RegExp(`^usage: cigale ${name}`));
});

describe('without a gateway', () => {
  it('status and check say that none runs, with 69', async () => {
    for (const name of ['status', 'check']) {
      const { code, stderr } = await cigale([name, ...data]);
      expect(code).toBe(69);
      expect(stderr).toContain('GATEWAY_NOT_RUNNING: no gateway runs on');
    }
  });

  it('a command that only reads does not make a data directory', async () => {
    for (const args of [
      ['flow', 'show'],
      ['devices', 'list'],
      ['stream', 'drop', 'ville'],
      ['codec', 'list'],
    ]) {
      expect((await cigale([...args, ...data])).code, args.join(' ')).toBe(73);
    }
    expect(await readdir(folder.path)).toEqual([]);
  });

  it('loads a flow, a registry, a codec and a secret into the store, and reads them again', async () => {
    const flow = await file('flow.json', flowText());
    const loaded = await cigale(['flow', 'load', flow, ...data], FRENCH);
    expect(loaded).toMatchObject({ code: 0, stdout: 'la version 1 est enregistrée\n' });
    expect(loaded.stderr).toContain('aucune passerelle ne tourne ici');
    expect((await cigale(['flow', 'load', '-', ...data, '--json'], { input: flowText('gw-two') })).stdout).toBe(
      '{"version":2}\n',
    );
    expect((await cigale(['flow', 'rollback', '1', ...data])).stdout).toBe('version 3 is stored\n');
    expect((await cigale(['flow', 'rollback', '9', ...data])).code).toBe(64);
    expect((await cigale(['flow', 'history', ...data])).stdout.trim().split('\n')).toHaveLength(3);
    expect((await cigale(['devices', 'import', '-', ...data], { input: KILL_REGISTRY })).code).toBe(0);
    expect(JSON.parse((await cigale(['devices', 'list', ...data, '--json'])).stdout)).toHaveLength(1);
    const script = await file('codec.js', 'function decodeUplink(input) { return { data: { port: input.fPort } }; }');
    expect((await cigale(['codec', 'add', 'model-1', script, ...data])).code).toBe(0);
    expect((await cigale(['codec', 'list', ...data])).stdout).toContain('model-1');
    const secret = await cigale(['secrets', 'set', 'a1', 'password', ...data], { input: 'S3CRET\n' });
    expect(secret).toEqual({ code: 0, stdout: '', stderr: '' });
    expect((await cigale(['secrets', 'set', 'zz', 'password', ...data], { input: 'x' })).stderr).toContain(
      'no node zz',
    );
    expect((await cigale(['secrets', 'set', 'a1', 'password', ...data])).code).toBe(64);
  });

  it('a stream that a flow names is no orphan, even where the flow does not compile in this shell', async () => {
    const stored = await cigale(['flow', 'load', '-', ...data], {
      input: flowText().replace('mqtt://127.0.0.1:9', 'mqtt://127.0.0.1:${TEST_MQTT}'),
      env: { TEST_MQTT: '9' },
    });
    expect(stored.code).toBe(0);
    const gateway = new RunningGateway(join(folder.path, 'data'), { env: { TEST_MQTT: '9' } });
    await gateway.gateway.start();
    await until('the stream is open', async () => (await gateway.request('GET', '/v1/streams')).body.includes('"all"'));
    await gateway.gateway.stop();
    expect(JSON.parse((await cigale(['stream', 'list', ...data, '--json'])).stdout)).toMatchObject([
      { stream: 'all', orphan: false },
    ]);
    const dropped = await cigale(['stream', 'drop', 'all', ...data]);
    expect(dropped).toMatchObject({ code: 64, stderr: expect.stringContaining('STREAM_IN_USE') });
  });
});

describe('bad input', () => {
  it('a flow with faults is 78, each with its node, as text and as JSON', async () => {
    const flow = await file('flow.json', flowText().replace('"port":"a2"', '"port":"nowhere"'));
    const checked = await cigale(['flow', 'check', flow]);
    expect(checked).toMatchObject({ code: 78, stdout: expect.stringContaining('(cigale-serial b1)') });
    const loaded = await cigale(['flow', 'load', flow, ...data, '--json']);
    expect(loaded.code).toBe(78);
    expect(JSON.parse(loaded.stdout)).toMatchObject({ faults: [{ node: 'b1', field: 'port' }] });
    expect((await cigale(['flow', 'check', await file('torn.json', '[{')])).code).toBe(78);
  });

  it('a CSV with faults is 65 and imports nothing', async () => {
    const csv = await file('registry.csv', 'place,device,dev_eui\nquai,son-1,"7,00E+15"\n');
    const { code, stdout } = await cigale(['devices', 'import', csv, ...data], FRENCH);
    expect(code).toBe(65);
    expect(stdout).toContain('ligne 2, dev_eui: ');
    expect(stdout).toContain("rien n'a été importé");
    expect(JSON.parse((await cigale(['devices', 'list', ...data, '--json'])).stdout)).toEqual([]);
  });

  it('a CSV above 1 MiB is refused with 65 before it is read', async () => {
    const { code, stderr } = await cigale(['devices', 'import', '-', ...data], { input: 'x'.repeat(1024 * 1024 + 1) });
    expect(code).toBe(65);
    expect(stderr).toContain('API_TOO_LARGE');
  });

  it('a codec that fails is 65 and a file that cannot be read is 74', async () => {
    const script = await file('bad.js', 'function decodeUplink(');
    expect((await cigale(['codec', 'test', script])).code).toBe(65);
    expect((await cigale(['codec', 'test', '/nonexistent.js'])).code).toBe(74);
    expect((await cigale(['flow', 'check', folder.path])).stderr).toContain('EISDIR');
  });

  it('a negative longitude is a value, not an option', async () => {
    const { code, stdout } = await cigale([
      'devices',
      'add',
      '--place',
      'quai',
      '--lat',
      '44.8',
      '--lon',
      '-0.58',
      ...data,
    ]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('added: 1') });
  });

  it.skipIf(process.getuid?.() === 0)('a directory without permission is 73', async () => {
    await mkdir(join(folder.path, 'closed'), { mode: 0o500 });
    expect(
      (await cigale(['flow', 'load', '-', '--data', join(folder.path, 'closed/data')], { input: flowText() })).code,
    ).toBe(73);
  });
});

describe('with a gateway', () => {
  it('a second one on the same directory exits with 73 and says so in French', async () => {
    const own = new RunningGateway(join(folder.path, 'data'));
    await own.gateway.start();
    const { code, stderr } = await cigale(['run', ...data], { env: { ...FRENCH.env, CIGALE_LOG: 'silent' } });
    expect(code).toBe(73);
    expect(stderr).toContain('STORE_LOCKED: le dossier de données est déjà utilisé');
    expect((await cigale(['status', ...data])).code).toBe(0);
    await own.gateway.stop();
  });

  it('check is 1 without a flow, and --json outputs of status and check parse', async () => {
    const own = new RunningGateway(join(folder.path, 'data'));
    await own.gateway.start();
    const checked = await cigale(['check', ...data, '--json']);
    expect(checked.code).toBe(1);
    expect(JSON.parse(checked.stdout)).toContainEqual(expect.objectContaining({ ok: false, level: 'fail' }));
    expect(JSON.parse((await cigale(['status', ...data, '--json'])).stdout)).toMatchObject({ flow: { running: 0 } });
    await own.gateway.stop();
  });

  it('export pages through everything once, and a reader that leaves ends it quietly', async () => {
    const own = new RunningGateway(join(folder.path, 'data'));
    await own.gateway.start();
    const at = Date.parse('2026-06-01T00:00:00Z');
    const samples = Array.from({ length: 10_000 }, (_one, index) => ({
      place: 'quai',
      quantity: 'LAeq',
      value: index / 100,
      observedAt: at + index * 1000,
    }));
    for (const shift of [0, 10_000_000]) {
      const moved = samples.map((sample) => ({ ...sample, observedAt: sample.observedAt + shift }));
      expect((await own.request('POST', '/v1/samples', { samples: moved })).status).toBe(202);
    }
    const range = ['--from', '2026-06-01', '--to', '2026-06-02', ...data];
    const lines = (await cigale(['export', ...range, '--json'])).stdout.trim().split('\n');
    expect(new Set(lines.map((line) => (JSON.parse(line) as { id: string }).id)).size).toBe(20_000);
    expect((await cigale(['export', ...range, '--gaps'])).stdout).toBe('id,place,stream,from,to,cause,count\n');
    const child = spawnCigale(['export', ...range]);
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stdout?.once('data', () => child.stdout?.destroy());
    await once(child, 'close');
    expect({ code: child.exitCode, said }).toEqual({ code: 0, said: '' });
    await own.gateway.stop();
  });

  it('runs under a path longer than a socket may have, whatever XDG_RUNTIME_DIR the command has', async () => {
    const long = join(folder.path, 'x'.repeat(120));
    for (const runtime of ['', folder.path]) {
      const child = spawnCigale(['run', '--data', long], { env: { XDG_RUNTIME_DIR: '', CIGALE_LOG: 'silent' } });
      const env = { XDG_RUNTIME_DIR: runtime };
      await until('it runs', async () => (await cigale(['status', '--data', long], { env })).code === 0);
      child.kill('SIGTERM');
      await once(child, 'close');
      expect(child.exitCode).toBe(0);
    }
  });

  it('a flow file that does not compile does not keep it from running, and Ctrl-C ends it with 0', async () => {
    const child = spawnCigale(['run', ...data, '--flow', await file('flow.json', '[{]')], {
      env: { CIGALE_LOG: 'silent' },
    });
    await until('it runs', async () => (await cigale(['status', ...data])).code === 0);
    child.kill('SIGINT');
    // A terminal and npm may both deliver one key press.
    child.kill('SIGINT');
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
  });
});
