import type { FlowNode } from './read-flow.ts';

/** An end of a wire at the border of a subflow: an inner node and its output, or the subflow's own input. */
interface PortWire {
  readonly id: string;
  readonly output: number;
}

function portWires(port: unknown): PortWire[] {
  if (typeof port !== 'object' || port === null || !('wires' in port) || !Array.isArray(port.wires)) return [];
  return (port.wires as readonly unknown[]).flatMap((wire): PortWire[] => {
    if (typeof wire !== 'object' || wire === null || !('id' in wire) || typeof wire.id !== 'string') return [];
    const output = 'port' in wire ? wire.port : 0;
    return typeof output === 'number' && Number.isInteger(output) && output >= 0 && output < 64
      ? [{ id: wire.id, output }]
      : [];
  });
}

const portsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Ids of inner nodes (as in the definition) that the subflow's inputs lead to. */
export const inputTargets = (definition: FlowNode): string[] =>
  portsOf(definition.raw['in'])
    .flatMap(portWires)
    .map((wire) => wire.id);

/** For each output of the subflow, the inner outputs that feed it. `fromInput` where the subflow's input does so itself. */
export const outputSources = (
  definition: FlowNode,
): readonly (readonly (PortWire & { readonly fromInput: boolean })[])[] =>
  portsOf(definition.raw['out']).map((port) =>
    portWires(port).map((wire) => ({ ...wire, fromInput: wire.id === definition.id })),
  );
