import { withCigale, type Question } from './questions.ts';
import { measureWork, type WorkResult } from './work.ts';

/** CPU and bytes end to end: a line of a bench, a street's worth of sensors, and as fast as it goes. */
export const costPerSample: Question = async (main) => {
  const cases: [string, 'pty' | 'tcp', number, number][] = [
    ['200/s, pty', 'pty', 200, 3000],
    ['3/s, pty', 'pty', 3, 180],
    ['unthrottled (fed 40,000/s), TCP', 'tcp', 40_000, 120_000],
  ];
  const rows: [string, WorkResult][] = [];
  for (const [name, kind, rate, samples] of cases)
    rows.push([
      name,
      await withCigale(kind, { main }, (cigale, bench) => measureWork(cigale, bench, { rate, samples })),
    ]);
  return {
    title: 'CPU and bytes for each sample, from the line to the acknowledged batch',
    header: [
      'rate',
      'CPU s per 100,000',
      'bytes written',
      'bytes to write(2)',
      'bytes to the broker',
      'peak RSS, MB',
      'missing',
    ],
    rows: rows.map(([name, work]) => [
      name,
      work.cpuPer100k,
      work.writtenPerSample,
      work.writeCallsPerSample,
      work.wirePerSample,
      work.peakRssMb,
      work.missing,
    ]),
  };
};
