import type { Log } from '../../src/runtime/log.ts';

export interface LogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
  readonly facts: object;
}

/** A log that keeps its lines for the test to read. */
export function memoryLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write =
    (level: LogLine['level']) =>
    (facts: object, message: string): void => {
      lines.push({ level, message, facts });
    };
  const log = { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
  return { ...log, lines, child: () => ({ ...log, child: () => log as never }) };
}
