import { open } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { receiveBatches, type ReceiveProblem } from '../forward/receive.ts';
import { systemClock } from '../runtime/clock.ts';
import { messageOf, systemCode } from '../runtime/errors.ts';
import { say } from '../runtime/language.ts';
import { createLog } from '../runtime/log.ts';
import { flag, readArguments, text } from './arguments.ts';
import { CommandError, wrongUse } from './command-error.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, type Io } from './io.ts';
import { untilSignal } from './run.ts';

/** Appends lines to a file, or to standard output when there is none. */
async function lineWriter(
  file: string | undefined,
  io: Io,
): Promise<{ write: (line: string) => Promise<void>; close: () => Promise<void> }> {
  if (file === undefined) {
    const write = (line: string): Promise<void> => {
      io.out(line);
      return io.drained();
    };
    return { write, close: () => Promise.resolve() };
  }
  try {
    const handle = await open(file, 'a');
    return { write: (line) => handle.appendFile(`${line}\n`), close: () => handle.close() };
  } catch (error) {
    const reason = systemCode(error) ?? messageOf(error);
    throw new CommandError(
      'FILE_UNWRITABLE',
      both(`cannot write ${file} (${reason})`, `impossible d'écrire ${file} (${reason})`),
      { cause: error, context: { file, reason } },
    );
  }
}

const optional = <Key extends string>(key: Key, value: string | undefined): Partial<Record<Key, string>> =>
  (value === undefined ? {} : { [key]: value }) as Partial<Record<Key, string>>;

export const command: Command = {
  usage: both(
    `usage: cigale receive --broker URL [--prefix P] [--gateway G] [--stream S] [--out FILE.ndjson] [--history]
  [--protocol 5|4] [--client-id ID --persistent] [--username U] [--ca FILE --cert FILE --key FILE]   (password: $CIGALE_PASSWORD)
  checks number and SHA-256 of each batch, drops repeats, asks again for gaps; one record a line`,
    `usage : cigale receive --broker URL [--prefix P] [--gateway G] [--stream S] [--out FICHIER.ndjson] [--history]
  [--protocol 5|4] [--client-id ID --persistent] [--username U] [--ca FICHIER --cert FICHIER --key FICHIER]   (mot de passe : $CIGALE_PASSWORD)
  vérifie numéro et SHA-256 de chaque lot, écarte les répétitions, redemande les manques ; un enregistrement par ligne`,
  ),
  async run(args, io) {
    const { values } = readArguments(args, {
      broker: 'string',
      prefix: 'string',
      gateway: 'string',
      stream: 'string',
      out: 'string',
      protocol: 'string',
      history: 'boolean',
      'client-id': 'string',
      persistent: 'boolean',
      username: 'string',
      ca: 'string',
      cert: 'string',
      key: 'string',
    });
    const brokerUrl = text(values, 'broker');
    const protocol = text(values, 'protocol') ?? '5';
    if (brokerUrl === undefined) throw wrongUse('receive needs --broker URL', 'receive demande --broker URL');
    if (protocol !== '5' && protocol !== '4')
      throw wrongUse('--protocol is 5 or 4 (MQTT 3.1.1)', '--protocol vaut 5 ou 4 (MQTT 3.1.1)');
    const output = await lineWriter(text(values, 'out'), io);
    const onProblem = ({ kind, topic, detail }: ReceiveProblem): void => io.err(`${kind} ${topic}: ${detail}`);
    const signal = untilSignal();
    const receiver = await receiveBatches(
      {
        brokerUrl,
        prefix: text(values, 'prefix') ?? 'cigale/v1',
        protocol: protocol === '5' ? 5 : 4,
        clientId: text(values, 'client-id') ?? `cigale-receive-${randomUUID().slice(0, 8)}`,
        persistent: flag(values, 'persistent'),
        history: flag(values, 'history'),
        credentials: {
          ...optional('username', text(values, 'username')),
          ...optional('password', process.env['CIGALE_PASSWORD']),
        },
        ...optional('gateway', text(values, 'gateway')),
        ...optional('stream', text(values, 'stream')),
        ...optional('caFile', text(values, 'ca')),
        ...optional('certFile', text(values, 'cert')),
        ...optional('keyFile', text(values, 'key')),
        onRecord: (record, { gateway, stream, epoch, seq, lane }) =>
          output.write(JSON.stringify({ gateway, stream, epoch, seq, lane, ...record })),
        onProblem,
      },
      { clock: systemClock, log: createLog('error') },
    );
    io.err(
      say(
        both(`receiving from ${brokerUrl}; Ctrl-C stops`, `réception depuis ${brokerUrl} ; Ctrl-C arrête`),
        io.language,
      ),
    );
    await signal;
    await receiver.stop();
    await output.close();
    io.err(JSON.stringify(receiver.counters()));
    return receiver.counters().missing === 0 ? EXIT.done : EXIT.checkFailed;
  },
};
