import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DRIVER_NAMES } from '../../src/store/driver.ts';
import { MAX_FLOW_VERSIONS } from '../../src/store/flow-store.ts';
import { StoreFixture } from './store-fixture.ts';

describe.each(DRIVER_NAMES)('flow versions on %s', (driver) => {
  it('are numbered, kept with author, time and origin, newest first', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    expect(await store.flowVersions(10)).toEqual([]);
    const first = await store.saveFlow('[1]', 'claire', '', 10);
    const second = await store.saveFlow('[2]', 'paul', '/f.json', 20);
    const reopened = await fixture.reopen(store);
    expect(await reopened.flowVersions(10)).toEqual([second, first]);
    expect(second).toMatchObject({ version: 2, author: 'paul', createdAt: 20, origin: '/f.json' });
    expect(first.checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(await reopened.flow(1)).toEqual({ version: first, json: '[1]' });
    expect(await reopened.flow(3)).toBeUndefined();
  });

  it('give the newest version again for an equal flow, also when two save at once, and an older flow a new version', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    const saved = await Promise.all([store.saveFlow('[1]', 'a', '', 1), store.saveFlow('[1]', 'b', '', 2)]);
    expect(saved.map(({ version }) => version)).toEqual([1, 1]);
    await store.saveFlow('[2]', 'a', '', 3);
    expect((await store.saveFlow('[1]', 'a', '', 4)).version).toBe(3);
  });

  it('remember what was last loaded from a file, also when it was no new version', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    expect(await store.lastLoaded('/f.json')).toBeUndefined();
    const { checksum } = await store.saveFlow('[1]', 'editor', '', 1);
    await store.saveFlow('[1]', 'file', '/f.json', 2);
    expect(await store.lastLoaded('/f.json')).toBe(checksum);
    await store.saveFlow('[2]', 'editor', '', 3);
    expect(await store.lastLoaded('/f.json')).toBe(checksum);
  });

  it('are bounded in number', async () => {
    const store = await (await StoreFixture.create(driver)).open();
    for (let n = 1; n <= MAX_FLOW_VERSIONS + 3; n += 1) await store.saveFlow(`[${n}]`, 'a', '', n);
    const versions = await store.flowVersions(1000);
    expect(versions).toHaveLength(MAX_FLOW_VERSIONS);
    expect(versions[0]?.version).toBe(MAX_FLOW_VERSIONS + 3);
  });

  it('come with credentials that are nowhere on disk in clear', async () => {
    const fixture = await StoreFixture.create(driver);
    const store = await fixture.open();
    expect(await store.credentials()).toEqual({});
    await store.saveCredentials({ n1: { username: 'ville', password: 'mistral-gagnant' } });
    const reopened = await fixture.reopen(store);
    expect(await reopened.credentials()).toEqual({ n1: { username: 'ville', password: 'mistral-gagnant' } });
    await reopened.stop();
    expect((await readFile(join(fixture.dataDir, 'cigale.db'))).includes('mistral-gagnant')).toBe(false);
  });
});
