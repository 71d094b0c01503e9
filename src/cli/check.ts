import type { Text } from '../model/text.ts';
import { say } from '../runtime/language.ts';
import { dataDirOf, flag, readArguments } from './arguments.ts';
import { withClient } from './client.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, type Io } from './io.ts';
import type { StatusAnswer } from './status.ts';
import { clockText, roomText, stageText } from './wording.ts';

const FEW_DAYS = 14;
/** Records older than this wait for something that does not come by itself. */
const OLD_BACKLOG_MS = 3_600_000;

/** One check: `wait` is worth a look but does not make the command fail. */
export interface Finding {
  readonly level: 'ok' | 'wait' | 'fail';
  readonly text: Text;
}

const finding = (level: Finding['level'], en: string, fr: string): Finding => ({ level, text: { en, fr } });

function flowFindings({ running, faults }: StatusAnswer['flow']): readonly Finding[] {
  const runs =
    running === 0
      ? finding(
          'fail',
          'no flow runs: deploy one in the editor, or with "cigale flow load"',
          'aucun flux ne tourne : déployez-en un dans l’éditeur, ou avec « cigale flow load »',
        )
      : finding('ok', `flow version ${running} runs`, `le flux version ${running} tourne`);
  if (faults.length === 0) return [runs];
  return [
    runs,
    finding(
      'fail',
      'the newest flow has faults: "cigale flow show", then "cigale flow check" names them',
      'le dernier flux a des fautes : « cigale flow show », puis « cigale flow check » les nomme',
    ),
  ];
}

const STAGE_LEVEL = { ok: 'ok', waiting: 'wait', failed: 'fail' } as const;
const NODE_LEVEL = { green: 'ok', blue: 'ok', grey: 'ok', yellow: 'wait', red: 'fail' } as const;

const stageFindings = (stages: StatusAnswer['stages']): readonly Finding[] =>
  stages.map(({ stage, id, name, state, text }) => {
    const what = stageText(stage);
    return finding(
      STAGE_LEVEL[state],
      `${what.en} "${name || id}": ${text.en}`,
      `${what.fr} « ${name || id} » : ${text.fr}`,
    );
  });

/** What each node of the flow shows in the editor, where it is not well: silent sensors, bad lines. */
const nodeFindings = (nodes: StatusAnswer['nodes'], names: ReadonlyMap<string, string>): readonly Finding[] =>
  nodes
    .filter(({ fill }) => NODE_LEVEL[fill] !== 'ok')
    .map(({ node, fill, text }) => {
      const name = names.get(node) ?? node;
      return finding(NODE_LEVEL[fill], `node "${name}": ${text.en}`, `nœud « ${name} » : ${text.fr}`);
    });

function backlogFinding({ backlog, clock }: StatusAnswer): Finding {
  const { records, oldestAt } = backlog;
  const isOld = oldestAt !== null && Date.parse(clock.now) - Date.parse(oldestAt) > OLD_BACKLOG_MS;
  return isOld
    ? finding(
        'wait',
        `${records} records wait to be sent since ${oldestAt}; nothing is lost`,
        `${records} enregistrements attendent depuis ${oldestAt} ; rien n’est perdu`,
      )
    : finding('ok', `${records} records wait to be sent`, `${records} enregistrements attendent l’envoi`);
}

function clockFinding(clock: StatusAnswer['clock']): Finding {
  const text = clockText(clock);
  if (clock.quality === 'estimated')
    return finding(
      'fail',
      `clock: ${text.en}; let the gateway reach a time server (NTP, UDP 123), or set it on the page`,
      `horloge : ${text.fr} ; laissez la passerelle joindre un serveur de temps (NTP, UDP 123), ou réglez-la sur la page`,
    );
  return clock.source === 'system'
    ? finding(
        'wait',
        'clock: nothing tells whether it is set; compare it with your watch',
        'horloge : rien ne dit si elle est réglée ; comparez-la à votre montre',
      )
    : finding('ok', `clock: ${text.en}`, `horloge : ${text.fr}`);
}

function diskFinding(disk: StatusAnswer['disk']): Finding {
  const text = roomText(disk);
  const isShort = disk.outageDays !== null && disk.outageDays < FEW_DAYS;
  return isShort
    ? finding(
        'fail',
        `disk: ${text.en}; free some room, or set diskLimitMb on the gateway node`,
        `disque : ${text.fr} ; libérez de la place, ou réglez diskLimitMb sur le nœud passerelle`,
      )
    : finding('ok', `disk: ${text.en}`, `disque : ${text.fr}`);
}

/** What a technician should know before leaving: flow, stages, sensors, backlog, clock, disk. */
export const findings = (status: StatusAnswer, names: ReadonlyMap<string, string> = new Map()): readonly Finding[] => [
  ...flowFindings(status.flow),
  ...stageFindings(status.stages),
  ...nodeFindings(status.nodes, names),
  backlogFinding(status),
  clockFinding(status.clock),
  diskFinding(status.disk),
];

const MARK: Readonly<Record<Finding['level'], Text>> = {
  ok: both('ok   ', 'ok   '),
  wait: both('look ', 'voir '),
  fail: both('FAIL ', 'NON  '),
};

function print(list: readonly Finding[], io: Io): void {
  for (const { level, text } of list) io.out(`${say(MARK[level], io.language)} ${say(text, io.language)}`);
}

interface NamedNode {
  readonly id?: unknown;
  readonly name?: unknown;
}

/** Names of the flow's nodes by id, where they have one. */
function namesOf(flow: readonly NamedNode[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { id, name } of flow) {
    if (typeof id === 'string' && typeof name === 'string' && name !== '') names.set(id, name);
  }
  return names;
}

export const command: Command = {
  usage: both('usage: cigale check [--data DIR] [--json]', 'usage : cigale check [--data DOSSIER] [--json]'),
  async run(args, io) {
    const { values } = readArguments(args);
    const list = await withClient(dataDirOf(values), 'live', async (client) => {
      const status = (await client.json('GET', '/v1/status')) as StatusAnswer;
      const { flow } = (await client.json('GET', '/v1/flow')) as { readonly flow: readonly NamedNode[] };
      return findings(status, namesOf(flow));
    });
    if (flag(values, 'json')) io.out(JSON.stringify(list.map((one) => ({ ok: one.level !== 'fail', ...one }))));
    else print(list, io);
    return list.some((one) => one.level === 'fail') ? EXIT.checkFailed : EXIT.done;
  },
};
