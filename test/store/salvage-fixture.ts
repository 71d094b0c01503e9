import { createHash } from 'node:crypto';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../../src/model/batch.ts';
import type { Store } from '../../src/store/store.ts';
import { entry, uplink } from './records.ts';
import { batch } from './store-fixture.ts';

export const PLACES = Array.from({ length: 60 }, (_, index) => ({
  id: `place-${index}`,
  name: `Place ${index}`,
  latitude: 43.5,
  longitude: 4.98,
  heightM: null,
  tags: ['parc'],
}));

export const DEVICES = Array.from({ length: 60 }, (_, index) => ({
  device: {
    id: `compteur-${index}`,
    model: 'modele',
    lorawan: 'abp' as const,
    devEui: index.toString(16).padStart(16, '0'),
    joinEui: '',
    devAddr: index.toString(16).padStart(8, '0'),
    relaxedCounter: false,
    codec: '',
    intervalMs: 600_000,
    channels: [],
  },
  keys: { appKey: '', nwkSKey: 'a'.repeat(32), appSKey: 'b'.repeat(32) },
}));

export const FLOWS = ['[{"id":"1"}]', '[{"id":"1"},{"id":"2"}]', '[{"id":"1"},{"id":"3"}]'];

/** A sealed batch of the records with ids `[from, to)`. */
export function sealed(seq: number, from: number, to: number): Batch {
  const records = Array.from({ length: to - from }, (_, index) => ({ id: String(from + index) }));
  const body = new TextEncoder().encode(JSON.stringify({ v: 1, stream: 'ville', seq, records }));
  return batch(seq, { body, recordCount: to - from, sha256: createHash('sha256').update(body).digest('hex') });
}

/** Fills a store with some of everything: `commits` commits of ten records each. */
export async function fill(store: Store, commits: number): Promise<void> {
  await store.applyRegistry({
    places: PLACES,
    devices: DEVICES,
    assignments: PLACES.map(({ id }, index) => ({ place: id, device: `compteur-${index}`, from: 1000, to: null })),
  });
  await store.saveCodec('modele', 'function decodeUplink() { return { data: {} }; }', 1);
  for (const json of FLOWS) await store.saveFlow(json, 'anne', '', 1);
  await store.saveCredentials({ courtier: { password: 'secret' } });
  await store.openStream('ville', 1);
  const written: Promise<unknown>[] = [];
  for (let commit = 0; commit < commits; commit += 1) {
    written.push(
      store.append(
        Array.from({ length: 10 }, (_, index) => entry(commit * 10 + index)),
        'now',
      ),
    );
    if (commit % 4 === 0) {
      const index = (commit / 4) % DEVICES.length;
      const frame = uplink(commit, { device: `compteur-${index}`, devAddr: index.toString(16).padStart(8, '0') });
      written.push(store.acceptUplink(frame, 'now'));
    }
    if (commit % 8 === 0) await Promise.all(written.splice(0));
  }
  await Promise.all(written);
  // Batches 1 and 3 are acknowledged, 2 and 4 are not.
  for (const seq of [1, 2, 3, 4]) {
    await store.sealBatch(sealed(seq, seq * 10 - 9, seq * 10 + 1), { liveFrom: seq * 10 + 1, backlog: [] });
  }
  // An acknowledgement waits for the next commit; the clock stands still here.
  const acknowledged = [1, 3].map((seq) => store.acknowledge('ville', seq, 5000));
  await Promise.all([...acknowledged, store.moveStream('ville', { liveFrom: 41, backlog: [] })]);
}

/** Copies the files of a running store: what a power cut would leave. */
export async function snapshot(from: string, to: string): Promise<void> {
  for (const name of ['cigale.db', 'cigale.db-wal', 'cigale.db-head', 'secret.key']) {
    await writeFile(join(to, name), await readFile(join(from, name)));
  }
}

export async function flip(path: string, at: number, bit = 0): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, at);
    await file.write(Buffer.of((byte[0] ?? 0) ^ (1 << bit)), 0, 1, at);
  } finally {
    await file.close();
  }
}

export const sizeOf = async (path: string): Promise<number> => (await stat(path)).size;
