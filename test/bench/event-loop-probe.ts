/** Loaded into the gateway with `--import`: writes the event loop's delay into a file when it gets SIGUSR2, and begins anew. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 5;
const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
histogram.enable();

/** The histogram counts the timer's own interval too. */
const delayMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

process.on('SIGUSR2', () => {
  const [p50, p99, max] = [histogram.percentile(50), histogram.percentile(99), histogram.max].map(delayMs);
  writeFileSync(process.env['EVENT_LOOP_FILE'] ?? '/dev/null', JSON.stringify({ p50, p99, max }));
  histogram.reset();
});
