/** What a trial printed, as a row of the result table. */
export interface SuiteRow {
  readonly fault: string;
  /** Null where the part was skipped. */
  readonly trials: number | null;
  readonly failures: number | null;
  readonly seed: string;
  readonly seconds: number;
  readonly command: string;
}

export interface PartRun {
  readonly command: string;
  readonly exitCode: number | null;
  readonly output: string;
  readonly seconds: number;
}

/** The reports among the lines of a trial, as `report` prints them. */
function reportsIn(output: string): readonly Readonly<Record<string, unknown>>[] {
  return [...output.matchAll(/^\{\n[\s\S]*?^\}$/gm)].map(([text]) => JSON.parse(text) as Record<string, unknown>);
}

/**
 * The rows of a part. A part that ends badly without a report is a failure; one that ends well without a report was skipped: its
 * last line says why.
 */
export function rowsOf({ command, exitCode, output, seconds }: PartRun): readonly SuiteRow[] {
  const reports = reportsIn(output);
  if (reports.length === 0) {
    const fault = output.trim().split('\n').at(-1) ?? '';
    const hasFailed = exitCode !== 0;
    return [
      {
        fault: hasFailed ? `${command} ended with ${exitCode ?? 'a signal'}` : fault,
        trials: null,
        failures: hasFailed ? 1 : null,
        seed: '',
        seconds,
        command,
      },
    ];
  }
  const rows = reports.map((report) => ({
    fault: String(report['fault']),
    trials: Number(report['trials']),
    failures: Number(report['failures']),
    seed: JSON.stringify(report['seed'] ?? '').replaceAll('"', ''),
    seconds,
    command,
  }));
  const known = rows.reduce((sum, row) => sum + row.failures, 0);
  const [first, ...others] = rows;
  // Whatever the reports say, an exit code that is not 0 is a failure.
  if (exitCode === 0 || known > 0 || first === undefined) return rows;
  return [{ ...first, failures: 1 }, ...others];
}

export const hasFailed = ({ failures }: SuiteRow): boolean => failures !== null && failures !== 0;

const cell = (value: string | number): string => String(value).replaceAll('|', '\\|');

/** The table of `docs/reliability.md`. */
export function resultTable(rows: readonly SuiteRow[]): string {
  const lines = rows.map(({ fault, trials, failures, seed, seconds, command }) =>
    [fault, trials ?? 'skipped', failures ?? '', seed, Math.round(seconds), `\`${command}\``].map(cell).join(' | '),
  );
  return ['fault | trials | failures | seed | s | command', '--- | ---: | ---: | ---: | ---: | ---', ...lines]
    .map((line) => `| ${line} |`)
    .join('\n');
}
