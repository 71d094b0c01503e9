import type { Text } from '../model/text.ts';
import { say } from '../runtime/language.ts';
import { dataDirOf, flag, readArguments } from './arguments.ts';
import { withClient } from './client.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, table, type Io } from './io.ts';
import { type ClockAnswer, clockText, numberText, roomText, sizeText, stageText, stateText } from './wording.ts';

/** What `GET /v1/status` answers, as far as commands read it. */
export interface StatusAnswer {
  readonly gateway: string;
  readonly version: string;
  readonly acceptedTotal: number;
  readonly atRiskMs: number;
  readonly driver: string;
  readonly flow: { readonly running: number; readonly stored: number; readonly faults: readonly unknown[] };
  readonly stages: readonly {
    readonly stage: string;
    readonly id: string;
    readonly name: string;
    readonly state: 'ok' | 'waiting' | 'failed';
    readonly text: Text;
  }[];
  readonly nodes: readonly {
    readonly node: string;
    readonly fill: 'green' | 'yellow' | 'red' | 'blue' | 'grey';
    readonly text: Text;
  }[];
  readonly backlog: { readonly records: number; readonly oldestAt: string | null };
  readonly clock: ClockAnswer;
  readonly disk: {
    readonly storeBytes: number;
    readonly freeBytes: number;
    readonly limitBytes: number | null;
    readonly outageDays: number | null;
    readonly thinnedSamples: number;
  };
}

function flowText({ running, stored, faults }: StatusAnswer['flow']): Text {
  if (running === 0 && stored === 0) return both('no flow', 'aucun flux');
  if (faults.length === 0) return both(`flow version ${running}`, `flux version ${running}`);
  return running === 0
    ? both('the flow has faults: nothing runs', 'le flux a des fautes : rien ne tourne')
    : both(`flow version ${running}; the newest has faults`, `flux version ${running} ; le plus récent a des fautes`);
}

function print(status: StatusAnswer, io: Io): void {
  const { language } = io;
  const { disk, backlog, clock, stages, acceptedTotal, atRiskMs } = status;
  const line = (en: string, fr: string): void => io.out(say(both(en, fr), language));
  io.out(`${status.gateway || '-'}  Cigale ${status.version}  SQLite: ${status.driver}`);
  io.out(say(flowText(status.flow), language));
  const rows = stages.map((one) => [
    `  ${say(stageText(one.stage), language)}`,
    one.name || one.id,
    say(stateText(one.state), language),
    say(one.text, language),
  ]);
  for (const row of table(rows)) io.out(row);
  const accepted = numberText(acceptedTotal, language);
  line(`samples accepted since the start: ${accepted}`, `mesures acceptées depuis le démarrage : ${accepted}`);
  line(`at risk: the last ${atRiskMs} ms`, `à risque : les dernières ${atRiskMs} ms`);
  const records = numberText(backlog.records, language);
  const since =
    backlog.oldestAt === null ? both('', '') : both(`, since ${backlog.oldestAt}`, `, depuis ${backlog.oldestAt}`);
  line(`backlog: ${records} records${since.en}`, `en attente d'envoi : ${records} enregistrements${since.fr}`);
  const clockSays = clockText(clock);
  line(`clock: ${clock.now}, ${clockSays.en}`, `horloge : ${clock.now}, ${clockSays.fr}`);
  const [store, free, room] = [sizeText(disk.storeBytes, language), sizeText(disk.freeBytes, language), roomText(disk)];
  line(`store ${store}, free ${free}: ${room.en}`, `stockage ${store}, libre ${free} : ${room.fr}`);
  if (disk.thinnedSamples === 0) return;
  const thinned = numberText(disk.thinnedSamples, language);
  line(
    `lost resolution at the disk limit: ${thinned} samples`,
    `résolution perdue à la limite du disque : ${thinned} mesures`,
  );
}

export const command: Command = {
  usage: both('usage: cigale status [--data DIR] [--json]', 'usage : cigale status [--data DOSSIER] [--json]'),
  async run(args, io) {
    const { values } = readArguments(args);
    const status = await withClient(dataDirOf(values), 'live', (client) => client.json('GET', '/v1/status'));
    if (flag(values, 'json')) io.out(JSON.stringify(status));
    else print(status as StatusAnswer, io);
    return EXIT.done;
  },
};
