import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killFlow } from '../fault/kill-flow.ts';
import { RunningGateway, temporaryFolder } from './running-gateway.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let running: RunningGateway | undefined;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await running?.gateway.stop();
  await folder.remove();
});

const flow = (killFlow({ line: 9, udp: 0, mqtt: 9 }) as Record<string, unknown>[]).map((node) =>
  node['type'] === 'cigale-port' ? { ...node, path: 'tcp://127.0.0.1:${LINE_PORT}' } : node,
);

async function start(env: Record<string, string>, flowFile = ''): Promise<RunningGateway> {
  await running?.gateway.stop();
  running = new RunningGateway(folder.path, { env, flowFile });
  await running.gateway.start();
  return running;
}

const portPath = (gateway: RunningGateway): string | undefined => gateway.gateway.runner?.plan?.ports[0]?.path;

describe('a gateway that starts again', () => {
  it('runs the plan that it compiled before', async () => {
    const first = await start({ LINE_PORT: '4001' });
    await first.request('PUT', '/v1/flow', { flow, author: 'test' });
    const before = first.gateway.runner?.plan;
    const second = await start({ LINE_PORT: '4001' });
    expect(second.gateway.runner?.plan).toEqual(before);
  });

  it('compiles anew when a variable that the flow names has another value', async () => {
    const first = await start({ LINE_PORT: '4001' });
    await first.request('PUT', '/v1/flow', { flow, author: 'test' });
    expect(portPath(await start({ LINE_PORT: '4002' }))).toBe('tcp://127.0.0.1:4002');
  });

  it('runs empty, with the fault named, when that variable is gone', async () => {
    const first = await start({ LINE_PORT: '4001' });
    await first.request('PUT', '/v1/flow', { flow, author: 'test' });
    const second = await start({});
    const status = (await second.request('GET', '/v1/status')).json as {
      flow: { running: number; faults: { node: string }[] };
    };
    expect(status.flow.running).toBe(0);
    expect(status.flow.faults.map((fault) => fault.node)).toContain('a2');
  });

  it('takes its flow file again when the stored versions are lost', async () => {
    const file = join(folder.path, 'flow.json');
    await writeFile(file, JSON.stringify(flow));
    const first = await start({ LINE_PORT: '4001' }, file);
    await first.gateway.stop();
    const database = new DatabaseSync(join(folder.path, 'cigale.db'));
    database.exec('DELETE FROM flow; DELETE FROM compiled_plan');
    database.close();
    expect(portPath(await start({ LINE_PORT: '4001' }, file))).toBe('tcp://127.0.0.1:4001');
  });

  const damage = (sql: string): void => {
    const database = new DatabaseSync(join(folder.path, 'cigale.db'));
    database.exec(sql);
    database.close();
  };

  it('compiles anew when the plan that it kept is damaged', async () => {
    const first = await start({ LINE_PORT: '4001' });
    await first.request('PUT', '/v1/flow', { flow, author: 'test' });
    await first.gateway.stop();
    damage("UPDATE compiled_plan SET plan = replace(plan, '4001', '4003')");
    expect(portPath(await start({ LINE_PORT: '4001' }))).toBe('tcp://127.0.0.1:4001');
  });

  it('runs the newest whole version when a later one is damaged', async () => {
    const first = await start({ LINE_PORT: '4001' });
    await first.request('PUT', '/v1/flow', { flow, author: 'test' });
    const other = flow.map((node) =>
      node['type'] === 'cigale-port' ? { ...node, path: 'tcp://127.0.0.1:5001' } : node,
    );
    await first.request('PUT', '/v1/flow', { flow: other, author: 'test' });
    await first.gateway.stop();
    damage("UPDATE flow SET json = replace(json, '5001', '5003') WHERE version = 2");
    const second = await start({ LINE_PORT: '4001' });
    expect(second.gateway.runner?.plan?.ports[0]?.path).toBe('tcp://127.0.0.1:4001');
    expect(((await second.request('GET', '/v1/status')).json as { flow: { running: number } }).flow.running).toBe(1);
  });

  it('takes its flow file again when the version made from it is damaged', async () => {
    const file = join(folder.path, 'flow.json');
    await writeFile(file, JSON.stringify(flow));
    await start({ LINE_PORT: '4001' }, file);
    const other = flow.map((node) =>
      node['type'] === 'cigale-port' ? { ...node, path: 'tcp://127.0.0.1:5001' } : node,
    );
    await writeFile(file, JSON.stringify(other));
    const second = await start({ LINE_PORT: '4001' }, file);
    expect(portPath(second)).toBe('tcp://127.0.0.1:5001');
    await second.gateway.stop();
    damage("UPDATE flow SET json = replace(json, '5001', '5003') WHERE version = 2");
    expect(portPath(await start({ LINE_PORT: '4001' }, file))).toBe('tcp://127.0.0.1:5001');
  });
});
