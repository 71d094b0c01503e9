import { rfc3339 } from '../model/instant.ts';
import { systemClock } from '../runtime/clock.ts';
import { say } from '../runtime/language.ts';
import { dataDirOf, flag, readArguments, text, type Arguments } from './arguments.ts';
import { withClient, type Client } from './client.ts';
import { wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, type Io } from './io.ts';
import { Progress } from './progress.ts';

interface Page {
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly cursor: string | null;
}

const SAMPLE_COLUMNS = [
  'id',
  'place',
  'channel',
  'device',
  'quantity',
  'unit',
  'observedAt',
  'period',
  'value',
  'quality',
  'flags',
  'revision',
] as const;
const AGGREGATE_COLUMNS = [
  'id',
  'place',
  'channel',
  'domain',
  'quantity',
  'period',
  'part',
  'start',
  'end',
  'revision',
  'count',
  'coverage',
  'valid',
  'flags',
  'values',
] as const;

const GAP_COLUMNS = ['id', 'place', 'stream', 'from', 'to', 'cause', 'count'] as const;

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const plain = Array.isArray(value)
    ? value.join('|')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : `${value as string | number | boolean}`;
  return /[",\r\n;]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Where the records come from, and the columns of a line of them. */
function source(values: Arguments['values']): { readonly path: string; readonly columns: readonly string[] } {
  for (const [one, other] of [
    ['samples', 'aggregates'],
    ['samples', 'gaps'],
    ['aggregates', 'gaps'],
    ['gaps', 'quantity'],
    ['csv', 'json'],
  ] as const) {
    if (values[one] !== undefined && values[other] !== undefined)
      throw wrongUse(`--${one} or --${other}, not both`, `--${one} ou --${other}, pas les deux`);
  }
  if (flag(values, 'gaps')) return { path: '/v1/gaps', columns: GAP_COLUMNS };
  return flag(values, 'aggregates')
    ? { path: '/v1/aggregates', columns: AGGREGATE_COLUMNS }
    : { path: '/v1/samples', columns: SAMPLE_COLUMNS };
}

/** An instant with its offset, or a day, which begins at midnight UTC; as RFC 3339. Throws USAGE. */
function instant(values: Arguments['values'], name: 'from' | 'to'): string {
  const given = text(values, name);
  if (given === undefined) throw wrongUse('export needs --from and --to', 'export demande --from et --to');
  const isShaped = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?$/i.test(given);
  const ms = isShaped ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw wrongUse(
      `--${name} takes an instant such as 2026-06-01T00:00:00Z, or a day, not "${given}"`,
      `--${name} prend un instant comme 2026-06-01T00:00:00Z, ou un jour, pas « ${given} »`,
    );
  }
  return rfc3339(ms);
}

/** Writes every page as it comes; waits for the reader, so that a long export needs no more memory than a page. */
async function writePages(
  client: Client,
  path: string,
  query: URLSearchParams,
  line: (record: Page['records'][number]) => string,
  io: Io,
): Promise<void> {
  const progress = new Progress(systemClock);
  let written = 0;
  for (let cursor: string | null = '0'; cursor !== null;) {
    query.set('cursor', cursor);
    const page = (await client.json('GET', `${path}?${query.toString()}`)) as Page;
    for (const record of page.records) io.out(line(record));
    await io.drained();
    written += page.records.length;
    progress.show(say(both(`${written} records`, `${written} enregistrements`), io.language));
    cursor = page.cursor;
  }
  progress.end();
}

export const command: Command = {
  usage: both(
    'usage: cigale export --from T --to T [--place P] [--quantity Q] [--samples|--aggregates|--gaps] [--csv|--json]  [--data DIR]\n  T is an instant such as 2026-06-01T00:00:00Z, or a day (UTC)',
    'usage : cigale export --from T --to T [--place L] [--quantity Q] [--samples|--aggregates|--gaps] [--csv|--json]  [--data DOSSIER]\n  T est un instant comme 2026-06-01T00:00:00Z, ou un jour (UTC)',
  ),
  async run(args, io) {
    const { values } = readArguments(args, {
      from: 'string',
      to: 'string',
      place: 'string',
      quantity: 'string',
      samples: 'boolean',
      aggregates: 'boolean',
      gaps: 'boolean',
      csv: 'boolean',
    });
    const { path, columns } = source(values);
    const query = new URLSearchParams({ from: instant(values, 'from'), to: instant(values, 'to'), limit: '5000' });
    for (const name of ['place', 'quantity']) {
      const value = text(values, name);
      if (value !== undefined) query.set(name, value);
    }
    const isJson = flag(values, 'json');
    await withClient(dataDirOf(values), 'store', async (client) => {
      if (!isJson) io.out(columns.join(','));
      await writePages(
        client,
        path,
        query,
        (record) => (isJson ? JSON.stringify(record) : columns.map((column) => cell(record[column])).join(',')),
        io,
      );
    });
    return EXIT.done;
  },
};
