import type { Text } from '../model/text.ts';
import { checkClashes } from './clash.ts';
import type { Connections } from './connections.ts';
import type { ExpandedFlow } from './expanded.ts';
import type { FaultCode } from './fault-codes.ts';
import { THE_FLOW, type Findings, type NodeRef } from './findings.ts';
import { reportLooseEnds } from './loose-ends.ts';
import type { Parts } from './parts.ts';
import { called } from './wire-findings.ts';

const isGateway = (node: NodeRef): boolean => node.type === 'cigale-gateway';

function checkGateway(flow: ExpandedFlow, findings: Findings): void {
  const [first, ...others] = [...flow.nodes.values()].filter(isGateway);
  if (first === undefined) {
    findings.fault('GATEWAY_MISSING', THE_FLOW, '', {
      en: 'The flow has no cigale-gateway: add one (config nodes) and give the gateway its id.',
      fr: "Le flux n'a pas de cigale-gateway : ajoutez-en un (nœuds de configuration) et donnez son identifiant à la passerelle.",
    });
  }
  for (const other of others) {
    findings.fault('GATEWAY_DUPLICATE', other, '', {
      en: `A flow holds one cigale-gateway, and ${called(first ?? other)} is there already: delete this one.`,
      fr: `Un flux contient un seul cigale-gateway, et ${called(first ?? other)} existe déjà : supprimez celui-ci.`,
    });
  }
}

interface Uniqueness<Part> {
  readonly parts: readonly Part[];
  readonly key: (part: Part) => string | null;
  readonly code: FaultCode;
  readonly type: string;
  readonly field: string;
  readonly message: (key: string, other: string) => Text;
}

function checkUnique<Part extends { readonly nodeId: string; readonly name: string }>(
  { parts, key, code, type, field, message }: Uniqueness<Part>,
  findings: Findings,
): void {
  const first = new Map<string, NodeRef>();
  for (const part of parts) {
    const node: NodeRef = { id: part.nodeId, name: part.name, type };
    const value = key(part);
    if (value === null) continue;
    const holder = first.get(value);
    if (holder === undefined) first.set(value, node);
    else findings.fault(code, node, field, message(value, called(holder)));
  }
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Two sockets on one UDP port clash when the addresses are equal or one stands for all; port 0 takes a free one. */
function checkBinds(parts: Parts, findings: Findings): void {
  const bound = parts.concentrators.filter((part) => part.port !== 0);
  bound.forEach((part, index) => {
    const holder = bound
      .slice(0, index)
      .find(
        (other) =>
          other.port === part.port &&
          (other.bind === part.bind || WILDCARDS.has(other.bind) || WILDCARDS.has(part.bind)),
      );
    if (holder === undefined) return;
    const type = 'cigale-concentrator';
    const other = called({ id: holder.nodeId, name: holder.name, type });
    findings.fault('BIND_DUPLICATE', { id: part.nodeId, name: part.name, type }, 'port', {
      en: `${other} already listens on port ${part.port}: choose another port, or refer to that node.`,
      fr: `${other} écoute déjà sur le port ${part.port} : choisissez un autre port, ou désignez ce nœud.`,
    });
  });
}

/** The rules that need the whole flow; those of single nodes are in `nodes/`, those of single wires in `connections.ts`. */
export function validateFlow(flow: ExpandedFlow, parts: Parts, connections: Connections, findings: Findings): void {
  checkGateway(flow, findings);
  checkUnique(
    {
      parts: parts.streams,
      key: (part) => part.stream,
      code: 'STREAM_DUPLICATE',
      type: 'cigale-send',
      field: 'stream',
      message: (key, other) => ({
        en: `The stream "${key}" is already that of ${other}: give this one another id.`,
        fr: `L'envoi « ${key} » est déjà celui de ${other} : donnez à celui-ci un autre identifiant.`,
      }),
    },
    findings,
  );
  checkUnique(
    {
      parts: parts.ports,
      key: (part) => part.path,
      code: 'PORT_DUPLICATE',
      type: 'cigale-port',
      field: 'path',
      message: (key, other) => ({
        en: `${other} already opens ${key}: refer to that node, and delete this one.`,
        fr: `${other} ouvre déjà ${key} : désignez ce nœud et supprimez celui-ci.`,
      }),
    },
    findings,
  );
  checkBinds(parts, findings);
  checkClashes(parts, connections, findings);
  reportLooseEnds(flow, parts, connections, findings);
}
