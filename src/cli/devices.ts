import { COLUMNS } from '../store/registry/csv-columns.ts';
import { say } from '../runtime/language.ts';
import type { Text } from '../model/text.ts';
import { dataDirOf, flag, text, type Arguments } from './arguments.ts';
import { withClient } from './client.ts';
import { wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { readBytes } from './files.ts';
import { both, table, type Io } from './io.ts';
import { runVerb, type Verbs } from './verbs.ts';

interface DeviceRow {
  readonly id: string;
  readonly model: string;
  readonly devEui: string;
  readonly devAddr: string;
  readonly assignments: readonly { readonly place: string; readonly from: string; readonly to: string | null }[];
}

interface ImportReport {
  readonly applied: boolean;
  readonly summary: Readonly<Record<string, unknown>>;
  readonly faults: readonly { readonly line: number; readonly column: string; readonly message: Text }[];
  readonly notices: readonly { readonly message: Text }[];
}

async function list({ values }: Arguments, io: Io): Promise<number> {
  const devices = (await withClient(dataDirOf(values), 'store', (client) =>
    client.json('GET', '/v1/devices'),
  )) as DeviceRow[];
  if (flag(values, 'json')) {
    io.out(JSON.stringify(devices));
    return EXIT.done;
  }
  const header = [
    say(both('place', 'lieu'), io.language),
    say(both('device', 'appareil'), io.language),
    say(both('model', 'modèle'), io.language),
    'DevEUI',
    'DevAddr',
  ];
  const rows = devices.map((device) => {
    const current = device.assignments.find((assignment) => assignment.to === null);
    return [current?.place ?? '-', device.id, device.model, device.devEui || '-', device.devAddr || '-'];
  });
  for (const line of table([header, ...rows])) io.out(line);
  return EXIT.done;
}

const importFile = async ({ values, positionals: [file = ''] }: Arguments, io: Io): Promise<number> =>
  importCsv(values, await readBytes(file), io);

async function importCsv(values: Arguments['values'], csv: Buffer, io: Io): Promise<number> {
  const query = `dryRun=${flag(values, 'dry-run')}&partial=${flag(values, 'partial')}`;
  const answer = await withClient(dataDirOf(values), 'create', (client) =>
    client.text('POST', `/v1/registry/import?${query}`, csv, 'text/csv'),
  );
  const report = JSON.parse(answer) as ImportReport;
  if (flag(values, 'json')) io.out(answer);
  else printReport(report, flag(values, 'dry-run'), io);
  return report.faults.length === 0 ? EXIT.done : EXIT.badData;
}

const SUMMARY: Readonly<Record<string, Text>> = {
  added: both('added', 'ajoutés'),
  changed: both('changed', 'modifiés'),
  unchanged: both('unchanged', 'inchangés'),
};

function printReport(report: ImportReport, isDryRun: boolean, io: Io): void {
  for (const notice of report.notices) io.out(say(notice.message, io.language));
  for (const { line, column, message } of report.faults) {
    io.out(`${say(both('line', 'ligne'), io.language)} ${line}, ${column}: ${say(message, io.language)}`);
  }
  io.out(
    Object.entries(report.summary)
      .map(([name, count]) => `${say(SUMMARY[name] ?? both(name, name), io.language)}: ${String(count)}`)
      .join(', '),
  );
  if (report.applied) io.out(say(both('imported', 'importé'), io.language));
  else if (!isDryRun) io.out(say(both('nothing was imported', "rien n'a été importé"), io.language));
}

/** One row from options, through the same checks as a file. */
async function add({ values }: Arguments, io: Io): Promise<number> {
  const given = COLUMNS.map((column) => [column, text(values, column.replaceAll('_', '-'))] as const).filter(
    ([, value]) => value !== undefined,
  );
  if (given.length === 0)
    throw wrongUse('add needs --place or --device at least', 'add demande au moins --place ou --device');
  const cell = (value: string): string => `"${value.replaceAll('"', '""')}"`;
  const csv = `${given.map(([column]) => column).join(',')}\n${given.map(([, value]) => cell(value ?? '')).join(',')}\n`;
  return importCsv(values, Buffer.from(csv), io);
}

async function exportAll({ values }: Arguments, io: Io): Promise<number> {
  const keys = flag(values, 'keys');
  io.out(
    (
      await withClient(dataDirOf(values), 'store', (client) => client.text('GET', `/v1/registry/export?keys=${keys}`))
    ).trimEnd(),
  );
  return EXIT.done;
}

async function replace({ values, positionals: [place = ''] }: Arguments): Promise<number> {
  const device = text(values, 'device');
  if (device === undefined) throw wrongUse('replace needs --device EUI', 'replace demande --device EUI');
  await withClient(dataDirOf(values), 'store', (client) =>
    client.json('POST', '/v1/registry/replace', { place, device, replaced: text(values, 'replaced') }),
  );
  return EXIT.done;
}

const ADD_OPTIONS = Object.fromEntries(COLUMNS.map((column) => [column.replaceAll('_', '-'), 'string' as const]));

const VERBS: Verbs = {
  list: { words: [], run: list },
  add: { words: [], options: { ...ADD_OPTIONS, 'dry-run': 'boolean' }, run: add },
  import: { words: ['FILE.csv'], options: { 'dry-run': 'boolean', partial: 'boolean' }, run: importFile },
  export: { words: [], options: { keys: 'boolean' }, run: exportAll },
  replace: { words: ['PLACE'], options: { device: 'string', replaced: 'string' }, run: replace },
};

const COLUMN_OPTIONS = Object.keys(ADD_OPTIONS)
  .map((name) => `--${name}`)
  .join(' ');

export const command: Command = {
  usage: both(
    `usage: cigale devices list | add OPTIONS [--dry-run] | import FILE.csv [--dry-run] [--partial] | export [--keys] | replace PLACE --device EUI [--replaced DEVICE]  [--data DIR] [--json]
  options of add, one for each column of the CSV file: ${COLUMN_OPTIONS}`,
    `usage : cigale devices list | add OPTIONS [--dry-run] | import FICHIER.csv [--dry-run] [--partial] | export [--keys] | replace LIEU --device EUI [--replaced APPAREIL]  [--data DOSSIER] [--json]
  options de add, une par colonne du fichier CSV : ${COLUMN_OPTIONS}`,
  ),
  run: (args, io) => runVerb(VERBS, args, io),
};
