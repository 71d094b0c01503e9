import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { expandFlow } from '../../src/flow/expand.ts';
import { processScope, substitute } from '../../src/flow/environment.ts';
import { isPassThrough } from '../../src/flow/expanded.ts';
import { Findings } from '../../src/flow/findings.ts';
import { readNodes } from '../../src/flow/read-flow.ts';
import { WireTrace } from '../../src/flow/wire-trace.ts';
import { FIXTURE_ENV, FIXTURE_FLOW } from './fixture-flow.ts';

interface Seen {
  readonly started: readonly { readonly id: string; readonly [property: string]: unknown }[];
  readonly arrivals: readonly string[];
}

async function runNodeRed(flow: unknown, env: Record<string, string>): Promise<Seen> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./node-red/run.mjs', import.meta.url))], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(flow));
  return JSON.parse(await text(child.stdout)) as Seen;
}

const PROBED = ['place', 'device', 'address', 'minCoverage'];

describe('the flow as Node-RED 5 runs it', () => {
  let seen: Seen;
  const findings = new Findings();
  const expanded = expandFlow(readNodes(FIXTURE_FLOW, findings), processScope(FIXTURE_ENV), findings);
  const running = [...expanded.nodes.values()].filter((node) => !isPassThrough(node));

  beforeAll(async () => {
    seen = await runNodeRed(FIXTURE_FLOW, FIXTURE_ENV);
  });

  it('has the same nodes under the same ids', () => {
    const ours = running.map((node) => node.id);
    expect(ours.sort()).toEqual(seen.started.map((node) => node.id).sort());
    expect(ours).toContain('instance1-nested-inner-serial');
  });

  it('gives properties the same values of the environment', () => {
    for (const theirs of seen.started) {
      const node = expanded.nodes.get(theirs.id);
      for (const name of PROBED) {
        const value = substitute(node?.raw[name], node?.scope ?? processScope({}), []);
        expect(value, `${theirs.id} ${name}`).toEqual(theirs[name]);
      }
    }
  });

  it('leads messages to the same nodes', () => {
    const trace = new WireTrace(expanded, findings);
    const ours = running.flatMap((node) =>
      node.wires.flatMap((_wires, output) =>
        trace.ends(node, output).nodes.map((end) => `${node.id}:${output} > ${end.id}`),
      ),
    );
    expect(ours.sort()).toEqual([...seen.arrivals].sort());
    expect(ours).toContain('in-tab:0 > send1');
  });
});
