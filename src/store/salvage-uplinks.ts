import type { Driver } from './driver.ts';
import { insertRow, type SalvageTarget } from './salvage-target.ts';
import { makesSense } from './salvage-tables.ts';
import { scan } from './tolerant-scan.ts';
import { uplinkOf, upsertCounter } from './uplink-row.ts';

const UPLINK_COLUMNS = 'id result device dev_addr f_cnt confirmed received_at reception phy_payload'.split(' ');
/** FCntUp has 32 bits (LoRaWAN 1.0.4 §4.3.1.5). */
const MAX_COUNTER = 2 ** 32;

export interface SalvagedUplinks {
  readonly incomplete: readonly string[];
  /** Devices whose counter may have stood in what could not be read: their session is closed until they are imported again. */
  readonly closedSessions: readonly string[];
}

/**
 * Carries over the raw frames and the session counters. A counter is the highest that either of the two tells, so that a
 * counter that cannot be read or went back does not let in frames that were heard before.
 */
export async function copyUplinks(from: Driver, to: SalvageTarget): Promise<SalvagedUplinks> {
  const counters = new Counters();
  const heard = { isComplete: true };
  for await (const rows of scan(from, { name: 'uplink', key: ['rowid'] }, heard)) {
    for (const row of rows) {
      if (!makesSense(() => isCounter(uplinkOf(row).fCnt) && row['phy_payload'] instanceof Uint8Array)) {
        to.refuse('uplink');
        continue;
      }
      const { device, devAddr, fCnt } = uplinkOf(row);
      counters.raise(device, devAddr, fCnt + 1);
      await to.put('uplink', insertRow('uplink', UPLINK_COLUMNS, row));
    }
  }
  const counted = { isComplete: true };
  let refused = 0;
  for await (const rows of scan(from, { name: 'session_counter', key: ['rowid'] }, counted)) {
    for (const row of rows) {
      const next = Number(row['next_fcnt_up']);
      if (isCounter(next) && typeof row['device'] === 'string' && typeof row['dev_addr'] === 'string') {
        counters.raise(row['device'], row['dev_addr'], next);
      } else refused += 1;
    }
  }
  to.refuse('session_counter', refused);
  const closedSessions = counted.isComplete && refused === 0 ? [] : await closeUnknown(to, counters);
  await counters.write(to);
  const incomplete = [...(heard.isComplete ? [] : ['uplink']), ...(counted.isComplete ? [] : ['session_counter'])];
  return { incomplete, closedSessions };
}

const isCounter = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= MAX_COUNTER;

/** A device without a DevAddr has no session; its keys stay, and an import that gives the DevAddr opens it again. */
async function closeUnknown(to: SalvageTarget, counters: Counters): Promise<readonly string[]> {
  await to.flush();
  const rows = await to.driver.read(`SELECT id, dev_addr FROM device WHERE lorawan IS NOT NULL AND dev_addr <> ''`);
  const unknown = rows
    .filter((row) => !counters.has(String(row['id']), String(row['dev_addr'])))
    .map(({ id }) => String(id));
  await to.put('device', {
    sql: `UPDATE device SET dev_addr = '' WHERE id IN (SELECT value FROM json_each(?))`,
    params: [JSON.stringify(unknown)],
  });
  return unknown;
}

/** The highest counter known of each session. */
class Counters {
  readonly #next = new Map<string, { readonly device: string; readonly devAddr: string; readonly next: number }>();

  raise(device: string, devAddr: string, next: number): void {
    const key = `${device}\u001f${devAddr}`;
    if (next > (this.#next.get(key)?.next ?? 0)) this.#next.set(key, { device, devAddr, next });
  }

  has(device: string, devAddr: string): boolean {
    return this.#next.has(`${device}\u001f${devAddr}`);
  }

  /** One session a device: that of its DevAddr in the registry, which has one row here. */
  async write(to: SalvageTarget): Promise<void> {
    await to.flush();
    const rows = await to.driver.read('SELECT id, dev_addr FROM device');
    const current = new Map(rows.map((row) => [String(row['id']), String(row['dev_addr'])]));
    for (const { device, devAddr, next } of this.#next.values()) {
      const isCurrent = (current.get(device) ?? devAddr) === devAddr;
      if (isCurrent) await to.put('session_counter', upsertCounter(device, devAddr, next));
    }
    await to.flush();
  }
}
