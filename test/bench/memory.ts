import { treeUsage, type Usage } from './process-usage.ts';
import { withCigale, type Question } from './questions.ts';
import { freePort, pause } from './waiting.ts';
import { startOnLine } from './work.ts';

const SETTLE_MS = 15_000;

/** Memory of a gateway that has just accepted its first samples; with the editor: gateway and child together. */
export const memory: Question = async (main) => {
  const idle = (editor: string): Promise<Usage> =>
    withCigale('pty', { main, editor }, async (cigale, { line }) => {
      await startOnLine(cigale, line);
      await pause(SETTLE_MS);
      return treeUsage(cigale.pid);
    });
  const modes: [string, Usage][] = [];
  for (const editor of ['off', 'headless', `127.0.0.1:${await freePort()}`])
    modes.push([editor.includes(':') ? 'HOST:PORT' : editor, await idle(editor)]);
  return {
    title: 'Idle memory, MB',
    header: ['`--editor`', 'RSS', 'PSS', 'anonymous', 'peak RSS'],
    rows: modes.map(([mode, usage]) => [mode, usage.rssMb, usage.pssMb, usage.anonymousMb, usage.peakRssMb]),
    note: 'PSS depends on how many other Node processes share the pages of the same binary at that moment.',
  };
};
