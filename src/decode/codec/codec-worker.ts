import assert from 'node:assert/strict';
import { parentPort, workerData } from 'node:worker_threads';
import type { CodecOutcome, FromWorker, ToWorker, WorkerData } from './codec-messages.ts';
import { Sandbox } from './sandbox.ts';

/** Entry of the codec worker thread: jobs in, outcomes out, in order. */
const port = parentPort;
assert.ok(port !== null, 'codec-worker runs as a worker thread');

const progress = new Int32Array((workerData as WorkerData).progress);
const sandbox = await Sandbox.open();
const say = (message: FromWorker): void => port.postMessage(message);

port.on('message', (message: ToWorker) => {
  if (message.kind === 'scripts') {
    sandbox.setScripts(message.scripts);
    return;
  }
  const outcomes: [number, CodecOutcome][] = [];
  for (const job of message.jobs) {
    Atomics.store(progress, 0, job.id);
    const outcome = sandbox.run(job);
    outcomes.push([job.id, outcome]);
    // After a crash nothing more runs here: the gateway ends this worker and gives the rest to a new one.
    if (outcome.kind === 'crashed') break;
  }
  say({ kind: 'outcomes', outcomes });
});
say({ kind: 'ready' });
