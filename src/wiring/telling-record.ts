import { QUANTITIES } from '../model/quantity.ts';
import type { Aggregate, LogEntry, Sample } from '../model/record.ts';

const RANK: ReadonlyMap<string, number> = new Map(QUANTITIES.map(({ id }, index) => [id, index]));

const rankOf = ({ quantity }: Sample | Aggregate): number => RANK.get(quantity) ?? QUANTITIES.length;

/**
 * The record that stands for all that came together, under a node of the editor: of the quantity that the catalogue
 * names first (the level before its peak, the temperature before the humidity), the newest.
 */
export function tellingRecord(entries: readonly LogEntry[]): Sample | Aggregate | undefined {
  let telling: Sample | Aggregate | undefined;
  for (const { record } of entries) {
    if (record.kind === 'gap') continue;
    if (telling === undefined || rankOf(record) <= rankOf(telling)) telling = record;
  }
  return telling;
}
