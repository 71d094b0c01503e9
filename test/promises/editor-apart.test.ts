import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { until, type RunningGateway } from '../e2e/running-gateway.ts';
import { foreign, type Json } from '../flow/flow-builder.ts';
import { embeddedBroker, flowParts, folder, lineServer, numbersIn, receiverAt, runningGateway } from './parts.ts';

/** Processes that this one started and that run the editor. */
async function editors(dataDir: string): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    try {
      const command = await readFile(`/proc/${entry}/cmdline`, 'utf8');
      const status = await readFile(`/proc/${entry}/status`, 'utf8');
      const isChild = new RegExp(`^PPid:\\s+${process.pid}$`, 'm').test(status);
      if (isChild && command.includes('editor-child') && command.includes(dataDir)) found.push(pid);
    } catch {
      // The process ended while it was looked at.
    }
  }
  return found;
}

const editorState = async (own: RunningGateway): Promise<string> => {
  const stages = (await own.request('GET', '/v1/status')).json['stages'] as { stage: string; facts: Json }[];
  return String(stages.find(({ stage }) => stage === 'editor')?.facts['phase']);
};

describe('the editor is not the gateway', () => {
  it('killed while it starts and while it runs, it stops no line on its way to the broker', async () => {
    const line = await lineServer();
    const broker = await embeddedBroker();
    const received = await receiverAt(broker.port);
    const dataDir = await folder();
    const own = await runningGateway(dataDir, { editor: 'headless' });
    const flow = [
      { id: 'tab', type: 'tab', label: 'test' },
      flowParts.gateway(),
      flowParts.broker(broker.port),
      flowParts.port(line.port),
      flowParts.serial({ z: 'tab', wires: [['send'], []] }),
      flowParts.send({ z: 'tab' }),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    await until('the line is connected', () => line.send('') > 0);
    let sent = 0;
    const sending = setInterval(() => line.send(`${(sent += 1)},50.0\n`), 20);
    for (const phase of ['starting', 'ready']) {
      await until('the editor runs', async () => (await editors(dataDir)).length === 1);
      await until(`it is ${phase}`, async () => ['ready', phase].includes(await editorState(own)));
      for (const pid of await editors(dataDir)) process.kill(pid, 'SIGKILL');
      await until('its death is known', async () => (await editorState(own)) === 'failed');
      const before = received.records.length;
      await until('lines go on to arrive', () => received.records.length > before + 20);
    }
    clearInterval(sending);
    await until('the last line arrives', () => numbersIn(received.records).includes(sent));
    const arrived = numbersIn(received.records);
    expect(arrived).toEqual(arrived.map((_, index) => (arrived[0] ?? 0) + index));
  });

  it('a function of the flow that throws, and ends the editor each time, stops no line either', async () => {
    const line = await lineServer();
    const own = await runningGateway(await folder(), { editor: 'headless' });
    const flow = [
      { id: 'tab', type: 'tab', label: 'test' },
      flowParts.gateway(),
      flowParts.broker(9),
      flowParts.port(line.port),
      flowParts.serial({ z: 'tab', wires: [['send'], []] }),
      foreign('i', [['f']], { z: 'tab', type: 'inject', props: [{ p: 'payload' }], once: true, onceDelay: 0.1 }),
      foreign('f', [[]], { z: 'tab', func: 'Promise.reject(new Error("third party")); throw new Error("now");' }),
      flowParts.send({ z: 'tab' }),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    await until('the line is connected', () => line.send('') > 0);
    await until('the editor has ended by itself', async () => (await editorState(own)) === 'failed');
    expect(JSON.stringify(own.log.lines)).toContain('Function node:f');
    const accepted = own.metrics.value('cigale_samples_accepted_total');
    await until('lines are still accepted', () => {
      line.send('1,50.0\n');
      return own.metrics.value('cigale_samples_accepted_total') > accepted + 10;
    });
  });

  it('a flow that is broken is refused to it, and what ran goes on', async () => {
    const line = await lineServer();
    const own = await runningGateway(await folder());
    const flow = [
      flowParts.gateway(),
      flowParts.broker(9),
      flowParts.port(line.port),
      flowParts.serial({ wires: [['send'], []] }),
      flowParts.send(),
    ];
    expect((await own.request('PUT', '/v1/flow', { flow })).status).toBe(200);
    await until('the line is connected', () => line.send('') > 0);
    for (const broken of [[{ id: 'x', type: 'cigale-serial' }], [null, 7], [{}], flow.slice(2)]) {
      const accepted = own.metrics.value('cigale_samples_accepted_total');
      expect((await own.request('PUT', '/v1/flow', { flow: broken })).status).toBe(422);
      await until('lines are still accepted', () => {
        line.send('1,50.0\n');
        return own.metrics.value('cigale_samples_accepted_total') > accepted;
      });
    }
  });
});
