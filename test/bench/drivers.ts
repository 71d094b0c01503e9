import { withCigale, type Question } from './questions.ts';
import { measureRamp, measureWork } from './work.ts';

/** The two SQLite libraries behind the same store. */
export const drivers: Question = async (main) => {
  const rows: (string | number)[][] = [];
  for (const driver of ['sqlite3', 'node:sqlite']) {
    const options = { main, env: { CIGALE_SQLITE_DRIVER: driver } };
    const work = await withCigale('pty', options, (cigale, bench) =>
      measureWork(cigale, bench, { rate: 200, samples: 3000 }),
    );
    const ramp = await withCigale('tcp', options, (cigale, bench) =>
      measureRamp(cigale, bench, [6400, 12_800, 25_600, 51_200], 4),
    );
    rows.push([
      driver,
      work.startSeconds,
      work.idle.rssMb,
      work.idle.anonymousMb,
      work.cpuPer100k,
      work.writtenPerSample,
      Math.max(0, ...ramp.filter((step) => step.isSustained).map((step) => step.rate)),
    ]);
  }
  return {
    title: 'SQLite libraries (`CIGALE_SQLITE_DRIVER`), 200 lines a second',
    header: [
      'library',
      'start s',
      'idle RSS, MB',
      'anonymous, MB',
      'CPU s per 100,000',
      'bytes written',
      'most lines/s, TCP',
    ],
    rows,
  };
};
