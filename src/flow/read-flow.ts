import type { FlowFault } from '../model/fault.ts';
import { Findings, THE_FLOW, type NodeRef } from './findings.ts';
import { jsonFaultPosition } from './json-position.ts';

/** A flow of 1300 nodes is about 0.4 MiB; beyond this it is not a flow. */
export const MAX_FLOW_BYTES = 8 * 1024 * 1024;
/** Also the bound on nodes after subflows are expanded. */
export const MAX_NODES = 20_000;
const MAX_ID_LENGTH = 200;

/** A node of the flow file, not yet checked beyond its id and type. */
export interface FlowNode extends NodeRef {
  /** The tab, subflow or nothing that holds it. */
  readonly z: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

export type ParsedFlow =
  | { readonly flow: unknown; readonly fault: null }
  | { readonly flow: null; readonly fault: FlowFault };

const refused = (fill: (findings: Findings) => void): ParsedFlow => {
  const findings = new Findings();
  fill(findings);
  const [fault] = findings.faults;
  return fault === undefined ? { flow: [], fault: null } : { flow: null, fault };
};

/** Reads the text of a flow file. A file with a byte order mark is read too. */
export function parseFlow(text: string): ParsedFlow {
  if (Buffer.byteLength(text) > MAX_FLOW_BYTES) return refused((findings) => reportTooLarge(findings, 'bytes'));
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return { flow: JSON.parse(json) as unknown, fault: null };
  } catch {
    const { line, column } = jsonFaultPosition(json);
    return refused((findings) =>
      findings.fault('FLOW_NOT_JSON', THE_FLOW, '', {
        en: `The flow is not JSON: line ${line}, column ${column}. Export it again from the editor.`,
        fr: `Le flux n'est pas du JSON : ligne ${line}, colonne ${column}. Exportez-le à nouveau depuis l'éditeur.`,
      }),
    );
  }
}

/** A flow that passes a bound of size. */
export function reportTooLarge(findings: Findings, what: 'bytes' | 'nodes' | 'wires'): void {
  const limits = {
    bytes: { en: `${MAX_FLOW_BYTES / 1_048_576} MiB of text`, fr: `${MAX_FLOW_BYTES / 1_048_576} Mio de texte` },
    nodes: { en: `${MAX_NODES} nodes, subflows expanded`, fr: `${MAX_NODES} nœuds, sous-flux développés` },
    wires: { en: 'the number of wires it can follow', fr: 'le nombre de fils qu’il peut suivre' },
  };
  findings.fault('FLOW_TOO_LARGE', THE_FLOW, '', {
    en: `The flow is larger than a gateway takes (${limits[what].en}): put sensors into the registry, not into nodes.`,
    fr: `Le flux dépasse ce qu'une passerelle accepte (${limits[what].fr}) : mettez les capteurs dans le registre, pas dans des nœuds.`,
  });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function readNode(value: unknown, index: number, findings: Findings): FlowNode | undefined {
  const raw = isRecord(value) ? value : {};
  const id = textOf(raw['id']);
  const at: NodeRef = { id, name: textOf(raw['name']), type: textOf(raw['type']) };
  if (id === '' || id.length > MAX_ID_LENGTH) {
    findings.fault('NODE_WITHOUT_ID', at, 'id', {
      en: `Element ${index + 1} of the flow is not a node with an id: export the flow again.`,
      fr: `L'élément ${index + 1} du flux n'est pas un nœud avec un identifiant : exportez à nouveau le flux.`,
    });
    return undefined;
  }
  if (at.type === '') {
    findings.fault('NODE_WITHOUT_TYPE', at, 'type', {
      en: `Element ${index + 1} of the flow has no type: export the flow again.`,
      fr: `L'élément ${index + 1} du flux n'a pas de type : exportez à nouveau le flux.`,
    });
    return undefined;
  }
  return { ...at, z: textOf(raw['z']), raw };
}

/** The nodes of a flow, in file order; a node at fault is reported and left out. */
export function readNodes(flow: unknown, findings: Findings): readonly FlowNode[] {
  if (!Array.isArray(flow)) {
    findings.fault('FLOW_NOT_A_LIST', THE_FLOW, '', {
      en: 'The flow is not a list of nodes, as Node-RED exports it.',
      fr: "Le flux n'est pas une liste de nœuds, telle que Node-RED l'exporte.",
    });
    return [];
  }
  if (flow.length > MAX_NODES) {
    reportTooLarge(findings, 'nodes');
    return [];
  }
  const nodes = new Map<string, FlowNode>();
  flow.forEach((value: unknown, index) => {
    const node = readNode(value, index, findings);
    if (node === undefined) return;
    if (nodes.has(node.id)) reportDuplicate(node, findings);
    else nodes.set(node.id, node);
  });
  return [...nodes.values()];
}

/** Two nodes with one id, in the file or after subflows were expanded. */
export function reportDuplicate(node: NodeRef, findings: Findings): void {
  findings.fault('NODE_ID_DUPLICATE', node, 'id', {
    en: `Two nodes have the id ${node.id}: delete one, and draw it again in the editor.`,
    fr: `Deux nœuds ont l'identifiant ${node.id} : supprimez-en un et redessinez-le dans l'éditeur.`,
  });
}
