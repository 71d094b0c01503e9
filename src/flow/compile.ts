import type { FlowFault } from '../model/fault.ts';
import type { Plan } from '../model/plan.ts';
import { connect } from './connections.ts';
import { processScope } from './environment.ts';
import { expandFlow } from './expand.ts';
import { Findings, type FlowNotice } from './findings.ts';
import { readParts } from './parts.ts';
import { readNodes } from './read-flow.ts';
import { planWiring } from './routes.ts';
import { validateFlow } from './validate.ts';

export interface CompileOptions {
  /** The process environment, the outermost place where `${NAME}` is looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A plan, or every fault of the flow; notices in both cases. */
export type CompiledFlow =
  | { readonly plan: Plan; readonly faults: readonly []; readonly notices: readonly FlowNotice[] }
  | { readonly plan: null; readonly faults: readonly FlowFault[]; readonly notices: readonly FlowNotice[] };

/** Compiles Node-RED flow JSON (the list of nodes, as exported or stored) without Node-RED. Never throws, does no I/O. */
export function compileFlow(flow: unknown, options: CompileOptions): CompiledFlow {
  const findings = new Findings();
  const nodes = readNodes(flow, findings);
  const expanded = expandFlow(nodes, processScope(options.env), findings);
  const parts = readParts(expanded, findings);
  const connections = connect(expanded, findings);
  validateFlow(expanded, parts, connections, findings);
  const { faults, notices } = findings;
  const [gateway] = parts.gateways;
  if (faults.length > 0 || gateway === undefined) return { plan: null, faults, notices };
  const { gateways: _gateways, ...settings } = parts;
  return { plan: { gateway, ...settings, ...planWiring(connections, parts) }, faults: [], notices };
}
