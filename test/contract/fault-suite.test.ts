import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SUITE_PARTS } from '../fault/suite-parts.ts';
import { type PartRun, hasFailed, resultTable, rowsOf } from '../fault/suite-result.ts';

const FAULT_FOLDER = join(import.meta.dirname, '../fault');
const run = (change: Partial<PartRun>): PartRun => ({
  command: 'node test/fault/kill.ts --trials 3',
  exitCode: 0,
  output: '',
  seconds: 12.4,
  ...change,
});
const printed = (...reports: readonly object[]): string =>
  ['a line before', ...reports.map((report) => JSON.stringify(report, null, 2)), ''].join('\n');

describe('the fault suite', () => {
  it('runs every trial that there is, by its file', () => {
    for (const { script } of SUITE_PARTS) expect(existsSync(join(FAULT_FOLDER, script)), script).toBe(true);
    const trials = readdirSync(FAULT_FOLDER).filter(
      (name) =>
        name.endsWith('.ts') && /parseArgs|process\.argv\.slice/.test(readFileSync(join(FAULT_FOLDER, name), 'utf8')),
    );
    const inSuite = new Set(SUITE_PARTS.map(({ script }) => script));
    expect(trials.filter((name) => !inSuite.has(name) && name !== 'suite.ts')).toEqual([]);
  });

  it('needs no root in its short form', () => {
    expect(SUITE_PARTS.filter(({ short, needsRoot }) => short !== null && needsRoot === true)).toEqual([]);
  });

  it('makes a row of each report that a part prints', () => {
    const output = printed(
      { fault: 'F3, one', trials: 10, seed: '7', failures: 0, details: ['}', '{'] },
      { fault: 'F3, two', trials: 20, seed: 7, failures: 2, nested: { a: 1 } },
    );
    expect(rowsOf(run({ output, exitCode: 1 }))).toMatchObject([
      { fault: 'F3, one', trials: 10, failures: 0, seed: '7' },
      { fault: 'F3, two', trials: 20, failures: 2, seed: '7' },
    ]);
  });

  it('counts a part that ends badly as failed, whatever it printed', () => {
    const output = printed({ fault: 'F1', trials: 3, seed: 1, failures: 0 });
    expect(rowsOf(run({ output, exitCode: 1 })).some(hasFailed)).toBe(true);
    expect(rowsOf(run({ output: 'it threw', exitCode: 1 })).some(hasFailed)).toBe(true);
    expect(rowsOf(run({ output: 'it hung', exitCode: null })).some(hasFailed)).toBe(true);
    expect(rowsOf(run({ output: printed({ fault: 'F1', trials: 3 }) })).some(hasFailed)).toBe(true);
    expect(rowsOf(run({ output })).some(hasFailed)).toBe(false);
  });

  it('says what was skipped and why', () => {
    const rows = rowsOf(run({ output: 'F7 the disk fails: skipped, there is no gcc\n' }));
    expect(rows.some(hasFailed)).toBe(false);
    expect(resultTable(rows)).toContain('| F7 the disk fails: skipped, there is no gcc | skipped |');
  });

  it('ends with a table of fault, trials and failures', () => {
    const output = printed({ fault: 'F1 kill -9', trials: 40, seed: 11, failures: 0 });
    expect(resultTable(rowsOf(run({ output }))).split('\n')).toEqual([
      '| fault | trials | failures | seed | s | command |',
      '| --- | ---: | ---: | ---: | ---: | --- |',
      '| F1 kill -9 | 40 | 0 | 11 | 12 | `node test/fault/kill.ts --trials 3` |',
    ]);
  });
});
