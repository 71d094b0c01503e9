import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate, Place } from './candidate.ts';
import { Delivery } from './delivery.ts';
import { feed, openPty, openTcpLine, type LineSource } from './line-source.ts';
import { startBroker, type LocalBroker } from './local-broker.ts';
import { treeUsage, type Usage } from './process-usage.ts';
import { pause, until } from './waiting.ts';

export interface Bench {
  readonly folder: string;
  readonly place: Place;
  readonly line: LineSource;
  readonly broker: LocalBroker;
  readonly delivery: Delivery;
}

/** Everything a candidate needs around it, in a folder that goes when the work is done. */
export async function withBench<Result>(kind: 'pty' | 'tcp', work: (bench: Bench) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'cigale-bench-'));
  const broker = await startBroker(folder);
  const line = kind === 'pty' ? await openPty(folder) : await openTcpLine();
  const delivery = new Delivery();
  try {
    await delivery.connect(broker.url);
    const place = { folder, linePath: line.path, brokerPort: broker.port };
    return await work({ folder, place, line, broker, delivery });
  } finally {
    await delivery.stop();
    await line.stop();
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface WorkResult {
  readonly startSeconds: number;
  readonly idle: Usage;
  readonly peakRssMb: number;
  readonly cpuPer100k: number;
  readonly writtenPerSample: number;
  readonly writeCallsPerSample: number;
  readonly wirePerSample: number;
  readonly missing: number;
}

const START_DEADLINE_MS = 30_000;
/** Batches wait 5 s at most; what is not there after this is not coming. */
const DRAIN_MS = 15_000;

/** Starts a candidate on a line that already talks, and waits until it has a sample on disk; `next` is the number of the next line. */
export async function startOnLine(candidate: Candidate, line: LineSource): Promise<number> {
  await candidate.start();
  let next = 0;
  const first = until(() => !Number.isNaN(candidate.firstAcceptedMs), START_DEADLINE_MS);
  while (Number.isNaN(candidate.firstAcceptedMs) && next < 3000)
    next += (await feed(line, { rate: 100, count: 10, from: next })).lines;
  if (!(await first)) throw new Error(`${candidate.name} accepted nothing`);
  return next;
}

/** The work of the comparison: start, idle, then `samples` lines at `rate` a second, until they are delivered. */
export async function measureWork(
  candidate: Candidate,
  { line, delivery }: Bench,
  { rate, samples, idleMs = 4000 }: { rate: number; samples: number; idleMs?: number },
): Promise<WorkResult> {
  const from = await startOnLine(candidate, line);
  await pause(idleMs + 3000);
  const idle = treeUsage(candidate.pid);
  delivery.reset();
  await feed(line, { rate, count: samples, from });
  await until(() => delivery.missing(from, samples) === 0, DRAIN_MS);
  // What a store still writes after the last sample belongs to the samples.
  await pause(2000);
  const after = treeUsage(candidate.pid);
  return {
    startSeconds: candidate.firstAcceptedMs / 1000,
    idle,
    peakRssMb: after.peakRssMb,
    cpuPer100k: ((after.cpuSeconds - idle.cpuSeconds) / samples) * 100_000,
    writtenPerSample: (after.writtenBytes - idle.writtenBytes) / samples,
    writeCallsPerSample: (after.writeCallBytes - idle.writeCallBytes) / samples,
    wirePerSample: delivery.wireBytes / samples,
    missing: delivery.missing(from, samples),
  };
}

export interface RampStep {
  readonly rate: number;
  readonly isSustained: boolean;
  readonly missing: number;
  readonly lagMs: number;
  readonly drainMs: number;
}

/** A reader that falls further behind than this has lost lines on a port without flow control. */
const MAX_LAG_MS = 500;
const MAX_DRAIN_MS = 8000;

/** Higher and higher rates, until one is not sustained: lines lost, the line held up, or samples more than 3 s late beside the batch's age. */
export async function measureRamp(
  candidate: Candidate,
  { line, delivery }: Bench,
  rates: readonly number[],
  seconds: number,
): Promise<RampStep[]> {
  let from = await startOnLine(candidate, line);
  await pause(7000);
  const steps: RampStep[] = [];
  for (const rate of rates) {
    const count = rate * seconds;
    delivery.reset();
    const { worstLagMs } = await feed(line, { rate, count, from });
    const endedMs = performance.now();
    await until(() => delivery.missing(from, count) === 0, MAX_DRAIN_MS);
    const drainMs = performance.now() - endedMs;
    const missing = delivery.missing(from, count);
    const isSustained = missing === 0 && worstLagMs <= MAX_LAG_MS;
    steps.push({ rate, isSustained, missing, lagMs: Math.round(worstLagMs), drainMs: Math.round(drainMs) });
    if (!isSustained) break;
    from += count;
    await pause(500);
  }
  return steps;
}

export interface OutageResult {
  readonly sent: number;
  readonly delivered: number;
}

/** The broker goes, `samples` come, the process is killed; then both start again. What was on disk must arrive. */
export async function measureOutage(
  candidate: Candidate,
  { line, broker, delivery }: Bench,
  { rate, samples }: { rate: number; samples: number },
): Promise<OutageResult> {
  const from = await startOnLine(candidate, line);
  await pause(7000);
  await broker.stop();
  delivery.reset();
  await feed(line, { rate, count: samples, from });
  await pause(3000);
  await candidate.stop('SIGKILL');
  await broker.start();
  await candidate.start();
  await until(() => delivery.missing(from, samples) === 0, 40_000);
  return { sent: samples, delivered: samples - delivery.missing(from, samples) };
}
