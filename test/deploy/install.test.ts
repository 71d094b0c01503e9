import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const DEPLOY = resolve(import.meta.dirname, '../../deploy');

/** A machine's file system in a folder, with a systemctl that notes its calls and fails for releases that hold `sick`. */
async function machine() {
  const folder = await mkdtemp(join(tmpdir(), 'cigale-install-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const root = join(folder, 'root');
  await mkdir(root);
  const systemctl = join(folder, 'systemctl');
  await writeFile(
    systemctl,
    `#!/bin/sh\necho "$*" >>${folder}/calls\n[ "$1" != restart ] || [ ! -e ${root}/opt/cigale/current/sick ]\n`,
  );
  await chmod(systemctl, 0o755);
  const install = (...options: string[]) => {
    const env = { ...process.env, DESTDIR: root, SYSTEMCTL: systemctl };
    const { status, stdout, stderr } = spawnSync('sh', [join(DEPLOY, 'install.sh'), ...options], {
      env,
      encoding: 'utf8',
    });
    return { status, said: stdout + stderr };
  };
  const link = async (name: string) => (await readlink(join(root, 'opt/cigale', name))).replace('releases/', '');
  const calls = () => readFile(join(folder, 'calls'), 'utf8');
  return { folder, root, install, link, calls };
}

/** What pack.sh makes, without the libraries. */
async function release(folder: string, name: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  const path = join(folder, `package-${name}`);
  await mkdir(join(path, 'dist/src'), { recursive: true });
  await cp(DEPLOY, join(path, 'deploy'), { recursive: true });
  await writeFile(join(path, 'dist/src/main.js'), '');
  await writeFile(join(path, 'RELEASE'), `${name}\n`);
  for (const [file, text] of Object.entries(files)) await writeFile(join(path, file), text);
  return path;
}

/** Every file with its time and content: equal when nothing was touched. */
async function snapshot(root: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found[path] = `${(await stat(path)).mtimeMs} ${await readFile(path, 'utf8')}`;
  }
  return found;
}

describe('installing', () => {
  it('puts units, rules, users, settings and the command where the system looks for them, and starts the gateway', async () => {
    const { folder, root, install, link, calls } = await machine();
    expect(install(await release(folder, '1.0.0-a'))).toMatchObject({ status: 0 });
    expect(await link('current')).toBe('1.0.0-a');
    for (const file of [
      'etc/systemd/system/cigale.service',
      'etc/systemd/system/cigale-editor.service',
      'etc/udev/rules.d/60-cigale.rules',
      'etc/cigale/cigale.env',
      'usr/lib/sysusers.d/cigale.conf',
      'usr/lib/tmpfiles.d/cigale.conf',
      'usr/lib/modules-load.d/cigale.conf',
      'usr/local/bin/cigale',
    ])
      expect((await stat(join(root, file))).isFile(), file).toBe(true);
    expect((await stat(join(root, 'usr/local/bin/cigale'))).mode & 0o777).toBe(0o755);
    expect((await calls()).split('\n')).toEqual([
      'daemon-reload',
      'enable cigale.service',
      'restart cigale.service',
      'try-restart cigale-editor.service',
      '',
    ]);
  });

  it('a second time changes no file, and leaves the settings that somebody made', async () => {
    const { folder, root, install } = await machine();
    const path = await release(folder, '1.0.0-a');
    install(path);
    await writeFile(join(root, 'etc/cigale/cigale.env'), 'CIGALE_OPTIONS="--api 0.0.0.0:8080"\n');
    const before = await snapshot(root);
    expect(install(path).status).toBe(0);
    expect(await snapshot(root)).toEqual(before);
  });

  it('takes a packed release, and refuses one that is damaged', async () => {
    const { folder, root, install, link } = await machine();
    await release(folder, '1.0.0-a');
    const file = join(folder, 'cigale.tar.gz');
    spawnSync('tar', ['-C', folder, '-czf', file, 'package-1.0.0-a']);
    spawnSync('sh', ['-c', 'sha256sum cigale.tar.gz >cigale.tar.gz.sha256'], { cwd: folder });
    expect(install(file)).toMatchObject({ status: 0 });
    expect(await link('current')).toBe('1.0.0-a');
    await writeFile(file, 'half of it');
    expect(install(file).said).toContain('damaged');
    expect(await readdir(join(root, 'opt/cigale/releases'))).toEqual(['1.0.0-a']);
  });

  it.each(['', '../../etc', '.hidden', 'a b'])('refuses a package that calls itself "%s"', async (name) => {
    const { folder, root, install } = await machine();
    const path = await release(folder, '1.0.0-a', { RELEASE: `${name}\n` });
    expect(install(path)).toMatchObject({ status: 1 });
    await expect(readlink(join(root, 'opt/cigale/current'))).rejects.toThrow('ENOENT');
  });
});

describe('updating', () => {
  it('keeps the release before, and goes back to it on demand', async () => {
    const { folder, install, link } = await machine();
    install(await release(folder, '1.0.0-a'));
    install(await release(folder, '1.1.0-b'));
    expect([await link('current'), await link('previous')]).toEqual(['1.1.0-b', '1.0.0-a']);
    expect(install('--rollback')).toMatchObject({ status: 0 });
    expect([await link('current'), await link('previous')]).toEqual(['1.0.0-a', '1.1.0-b']);
  });

  it('goes back by itself when the new release does not get ready, units included', async () => {
    const { folder, root, install, link } = await machine();
    install(await release(folder, '1.0.0-a'));
    const good = await readFile(join(root, 'etc/systemd/system/cigale.service'), 'utf8');
    const bad = await release(folder, '1.1.0-b', { sick: '', 'deploy/cigale.service': '[Service]\n' });
    expect(install(bad)).toMatchObject({ status: 1, said: expect.stringContaining('going back to 1.0.0-a') });
    expect(await link('current')).toBe('1.0.0-a');
    expect(await readFile(join(root, 'etc/systemd/system/cigale.service'), 'utf8')).toBe(good);
  });

  it('keeps no more than three releases', async () => {
    const { folder, root, install } = await machine();
    for (const name of ['1.0.0', '1.1.0', '1.2.0', '1.3.0', '1.4.0']) install(await release(folder, name));
    expect((await readdir(join(root, 'opt/cigale/releases'))).toSorted()).toEqual(['1.2.0', '1.3.0', '1.4.0']);
  });

  it('says so when there is no release to go back to', async () => {
    const { folder, install } = await machine();
    install(await release(folder, '1.0.0-a'));
    expect(install('--rollback')).toMatchObject({ status: 1, said: expect.stringContaining('no earlier release') });
  });
});
