type JsonRecord = Readonly<Partial<Record<string, unknown>>>;

const AGGREGATE_KEY = ['place', 'channel', 'domain', 'quantity', 'period', 'part', 'start', 'revision'] as const;

/** What tells a record of a body from every other (`docs/batches.md`), as one text. */
export function naturalKey(gateway: string, epoch: string, record: JsonRecord): string {
  const said =
    record['kind'] === 'aggregate'
      ? AGGREGATE_KEY.map((name) => record[name])
      : [epoch, record['id'], record['revision'] ?? 0];
  return [gateway, ...said].map(String).join('/');
}
