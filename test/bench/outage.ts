/** Ten minutes without a broker: `npm run bench:outage`. Everything arrives, in order of number, and memory stays flat. */
import { parseArgs } from 'node:util';
import { CigaleCandidate, frozenBuild } from './cigale-candidate.ts';
import { feed } from './line-source.ts';
import { treeUsage } from './process-usage.ts';
import { figure, publish } from './report.ts';
import { pause, until } from './waiting.ts';
import { startOnLine, withBench } from './work.ts';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '60000' },
    rate: { type: 'string', default: '2000' },
    main: { type: 'string' },
  },
});
const samples = Number(options.samples);
const rate = Number(options.rate);
const DRAIN_MS = 180_000;

await withBench('tcp', async ({ place, line, broker, delivery }) => {
  const send = { order: 'in-order', backlogRate: 5000 };
  const cigale = new CigaleCandidate(place, { main: options.main ?? frozenBuild(), changes: { send } });
  const rss: number[] = [];
  let sampler: NodeJS.Timeout | undefined;
  try {
    const from = await startOnLine(cigale, line);
    await pause(8000);
    const before = treeUsage(cigale.pid).rssMb;
    await broker.stop();
    delivery.reset();
    sampler = setInterval(() => rss.push(treeUsage(cigale.pid).rssMb), 500);
    const acceptedBefore = cigale.acceptedThrough;
    await feed(line, { rate, count: samples, from });
    await until(() => cigale.acceptedThrough - acceptedBefore >= samples, 10_000);
    const during = [...rss];
    await broker.start();
    const backMs = performance.now();
    const isComplete = await until(() => delivery.missing(from, samples) === 0, DRAIN_MS);
    const drainSeconds = (performance.now() - backMs) / 1000;
    await pause(3000);
    const after = treeUsage(cigale.pid).rssMb;
    const third = Math.ceil(during.length / 3);
    publish('outage', 'npm run bench:outage', [
      {
        title: `${figure(samples)} samples at ${figure(rate)} a second while the broker is gone, then it comes back`,
        header: ['figure', 'value'],
        rows: [
          ['RSS before, MB', before],
          [
            'RSS during: greatest of the first, second, last third, MB',
            [0, 1, 2].map((part) => figure(Math.max(...during.slice(part * third, (part + 1) * third)))).join(' / '),
          ],
          ['RSS greatest while catching up, MB', Math.max(...rss.slice(during.length))],
          ['RSS after, MB', after],
          ['samples missing', delivery.missing(from, samples)],
          ['samples more than once', delivery.received - samples],
          ['samples out of order', delivery.outOfOrder],
          ['batch numbers out of order', delivery.seqJumps],
          ['seconds until the last one arrived (reconnection included)', drainSeconds],
        ],
      },
    ]);
    process.exitCode = isComplete && delivery.outOfOrder === 0 && delivery.seqJumps === 0 ? 0 : 1;
  } finally {
    clearInterval(sampler);
    await cigale.stop('SIGTERM');
  }
});
