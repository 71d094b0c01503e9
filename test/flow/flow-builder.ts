import { compileFlow, type CompiledFlow } from '../../src/flow/compile.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The smallest nodes that are right; a test changes what it speaks of. */
export const gateway = (more: Json = {}): Json => ({
  id: 'gateway',
  type: 'cigale-gateway',
  gateway: 'gw-test',
  ...more,
});
export const broker = (more: Json = {}): Json => ({
  id: 'broker',
  type: 'cigale-broker',
  url: 'mqtt://localhost',
  ...more,
});
export const port = (more: Json = {}): Json => ({ id: 'port', type: 'cigale-port', path: '/dev/ttyUSB0', ...more });
export const concentrator = (more: Json = {}): Json => ({ id: 'concentrator', type: 'cigale-concentrator', ...more });
export const lora = (more: Json = {}): Json => ({
  id: 'lora',
  type: 'cigale-lora',
  concentrator: 'concentrator',
  wires: [['send']],
  ...more,
});
export const serial = (more: Json = {}): Json => ({
  id: 'serial',
  type: 'cigale-serial',
  name: 'sonometre',
  port: 'port',
  channels: [{ key: '0', quantity: 'LAeq' }],
  place: 'mairie',
  device: 'sono-1',
  wires: [['send'], []],
  ...more,
});
export const send = (more: Json = {}): Json => ({
  id: 'send',
  type: 'cigale-send',
  broker: 'broker',
  stream: 'ville',
  wires: [],
  ...more,
});
export const rule = (kind: 'noise' | 'heat' | 'count', more: Json = {}): Json => ({
  id: kind,
  type: `cigale-${kind}`,
  wires: [['send']],
  ...more,
});
export const foreign = (id: string, wires: string[][] = [], more: Json = {}): Json => ({
  id,
  type: 'function',
  wires,
  ...more,
});
export const tab = (id: string, more: Json = {}): Json => ({ id, type: 'tab', label: id, ...more });

/** gateway, broker and port, with the given nodes. */
export const flowOf = (...nodes: Json[]): Json[] => [gateway(), broker(), port(), ...nodes];

export const compile = (flow: unknown, env: Readonly<Record<string, string | undefined>> = {}): CompiledFlow =>
  compileFlow(flow, { env });

/** The plan of a flow that must be right. */
export function planOf(flow: unknown, env: Readonly<Record<string, string | undefined>> = {}) {
  const { plan, faults } = compile(flow, env);
  if (plan === null) throw new Error(JSON.stringify(faults, null, 1));
  return plan;
}

/** `CODE node field` of every fault. */
export const faultsOf = (flow: unknown, env: Readonly<Record<string, string | undefined>> = {}): string[] =>
  compile(flow, env).faults.map(({ code, node, field }) => [code, node, field].filter((part) => part !== '').join(' '));

export const noticesOf = (flow: unknown): string[] =>
  compile(flow).notices.map(({ code, node, field }) => [code, node, field].filter((part) => part !== '').join(' '));
