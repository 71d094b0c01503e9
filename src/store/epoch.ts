import type { Clock } from '../runtime/clock.ts';
import { GatewayError } from '../runtime/errors.ts';
import type { Driver } from './driver.ts';
import { HighWater } from './high-water.ts';
import { readMeta, writeMeta } from './meta.ts';
import { ulid } from './ulid.ts';

interface EpochSeams {
  readonly clock: Clock;
  readonly dataDir: string;
  readonly random: () => number;
}

/** A ULID; anything else was not written by us. */
const EPOCH = /^[0-9A-HJKMNP-TV-Z]{26}$/;

/** The epoch of the store; a new one for a new store. STORE_CORRUPT when a store that was used has none. */
export async function epochOf(driver: Driver, { clock, dataDir, random }: EpochSeams): Promise<string> {
  const known = await readMeta(driver, 'epoch');
  if (known !== undefined && EPOCH.test(known)) return known;
  const [used] = await driver.read('SELECT 1 FROM log UNION ALL SELECT 1 FROM stream LIMIT 1');
  if (known !== undefined || used !== undefined) throw new GatewayError('STORE_CORRUPT', 'the epoch cannot be read');
  const epoch = ulid(clock.nowMs(), random);
  const lostSince = await HighWater.madeAt(dataDir);
  const lost = lostSince === null ? [] : [writeMeta('lost_since', String(lostSince))];
  await driver.transaction([...lost, writeMeta('epoch', epoch)]);
  return epoch;
}
