import { writeSync } from 'node:fs';
import { Gateway, type GatewayOptions } from '../gateway.ts';
import { systemClock } from '../runtime/clock.ts';
import { DrivenClock } from '../runtime/driven-clock.ts';
import { createLog, type LogLevel } from '../runtime/log.ts';
import { Metrics } from '../runtime/metrics.ts';
import { dataDirOf, hostPort, readArguments, text } from './arguments.ts';
import type { Command } from './commands.ts';
import { EXIT } from './exit-codes.ts';
import { both, type Io } from './io.ts';
import { Supervision } from './supervision.ts';

const LEVELS: ReadonlySet<string> = new Set(['error', 'warn', 'info', 'debug', 'silent']);

/** Level of the log, from `CIGALE_LOG` (default `info`). */
export function logLevel(): LogLevel {
  const level = process.env['CIGALE_LOG'] ?? 'info';
  return LEVELS.has(level) ? (level as LogLevel) : 'info';
}

/** One key press may arrive twice: from the terminal, and passed on by npm. */
const SAME_PRESS_MS = 300;

/** Resolves at the first SIGINT or SIGTERM; a second one, later than the same key press, ends the process at once. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const onSignal = (): void => {
      const nowMs = systemClock.monotonicMs();
      if (firstMs !== null && nowMs - firstMs > SAME_PRESS_MS) process.exit(EXIT.ourFault);
      firstMs ??= nowMs;
      resolve();
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

/** An inherited descriptor that is told the greatest id on disk after each commit; fault tests read it. */
function acceptedReporter(): Pick<GatewayOptions, 'onAccepted'> {
  const fd = Number(process.env['CIGALE_ACCEPTED_FD'] ?? Number.NaN);
  if (!Number.isInteger(fd)) return {};
  return { onAccepted: (throughId) => void writeSync(fd, `${throughId}\n`) };
}

/** The clock that a fault trial drives; null: the machine's own. */
function drivenClock(): DrivenClock | null {
  const file = process.env['CIGALE_DRIVEN_CLOCK'] ?? '';
  return file === '' ? null : new DrivenClock(file);
}

export function editorOption(value: string | undefined): GatewayOptions['editor'] {
  if (value === undefined || value === 'off') return 'off';
  return value === 'headless' ? 'headless' : hostPort(value, '--editor');
}

export const command: Command = {
  usage: both(
    'usage: cigale run [--data DIR] [--flow FILE] [--editor HOST:PORT|headless|off] [--api HOST:PORT|off]',
    'usage : cigale run [--data DOSSIER] [--flow FICHIER] [--editor HÔTE:PORT|headless|off] [--api HÔTE:PORT|off]',
  ),
  async run(args: readonly string[], io: Io): Promise<number> {
    const { values } = readArguments(args, { flow: 'string', editor: 'string', api: 'string' });
    const api = text(values, 'api') ?? 'off';
    const driven = drivenClock();
    const deps = {
      clock: driven ?? systemClock,
      log: createLog(logLevel()),
      metrics: new Metrics(),
      random: Math.random,
    };
    const supervision = new Supervision(process.env, deps);
    let onStoreDamaged = (): void => undefined;
    const damaged = new Promise<number>((resolve) => {
      onStoreDamaged = () => resolve(EXIT.io);
    });
    const gateway = new Gateway(
      {
        dataDir: dataDirOf(values),
        flowFile: text(values, 'flow') ?? '',
        editor: editorOption(text(values, 'editor')),
        api: api === 'off' ? 'off' : hostPort(api, '--api'),
        language: io.language,
        env: process.env,
        ...acceptedReporter(),
        ...(driven === null ? {} : { machine: driven }),
        onStoreDamaged,
      },
      deps,
    );
    const signal = untilSignal().then(() => EXIT.done);
    try {
      await gateway.start();
      await supervision.started(gateway.probes());
      // A start anew salvages the store; the service manager gives it.
      return await Promise.race([signal, damaged]);
    } finally {
      await Promise.all([supervision.stop(), gateway.stop()]);
    }
  },
};
