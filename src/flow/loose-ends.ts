import { outputKey } from '../model/ids.ts';
import { gives, sourcesOfRules } from './source-series.ts';
import type { Connections } from './connections.ts';
import type { ExpandedFlow, ExpandedNode } from './expanded.ts';
import type { Findings } from './findings.ts';
import { findNodeType } from './node-types.ts';
import type { Parts } from './parts.ts';
import { called } from './wire-findings.ts';

function reportUnfed(node: ExpandedNode, role: 'rule' | 'sink', findings: Findings): void {
  const sink = role === 'sink';
  findings.notice(sink ? 'STREAM_UNFED' : 'RULE_UNFED', node, 'wires', {
    en: `Nothing is wired into this node: it will ${sink ? 'send' : 'compute'} nothing.`,
    fr: `Rien n'est relié à ce nœud : il ${sink ? "n'enverra" : 'ne calculera'} rien.`,
  });
}

function reportUnused(node: ExpandedNode, findings: Findings): void {
  findings.notice('SOURCE_UNUSED', node, 'wires', {
    en: 'This source is wired to nothing: its samples are stored, but neither computed nor sent.',
    fr: "Cette source n'est reliée à rien : ses mesures sont stockées, mais ni calculées ni envoyées.",
  });
}

function checkInputs(flow: ExpandedFlow, connections: Connections, findings: Findings): void {
  const taps = new Set(connections.taps);
  for (const node of flow.nodes.values()) {
    const role = findNodeType(node.type)?.role;
    const fed = connections.fedBy.has(node.id) || connections.injectable.has(node.id);
    if ((role === 'rule' || role === 'sink') && !fed) reportUnfed(node, role, findings);
    const samples = outputKey(node.id, 0);
    if (role === 'source' && !connections.feeds.has(samples) && !taps.has(samples)) reportUnused(node, findings);
  }
}

function checkConfigNodes(flow: ExpandedFlow, parts: Parts, findings: Findings): void {
  const used = new Set<string>([
    ...parts.serialSources.map((source) => source.port),
    ...parts.loraSources.map((source) => source.concentrator),
    ...parts.streams.map((stream) => stream.broker),
  ]);
  for (const part of [...parts.ports, ...parts.concentrators, ...parts.brokers]) {
    const node = flow.nodes.get(part.nodeId);
    if (node === undefined || used.has(node.id)) continue;
    findings.notice('CONFIG_UNUSED', node, '', {
      en: 'No node uses this one: delete it if it is not needed.',
      fr: "Aucun nœud n'utilise celui-ci : supprimez-le s'il est inutile.",
    });
  }
}

function checkTlsFiles(flow: ExpandedFlow, parts: Parts, findings: Findings): void {
  for (const broker of parts.brokers) {
    const node = flow.nodes.get(broker.nodeId);
    const hasFiles = broker.caFile !== '' || broker.certFile !== '';
    if (node === undefined || !hasFiles || /^(mqtts|wss):/i.test(broker.url)) continue;
    findings.notice('TLS_FILES_UNUSED', node, 'url', {
      en: 'The certificate files have no effect without TLS: use mqtts or wss.',
      fr: 'Les fichiers de certificat sont sans effet sans TLS : utilisez mqtts ou wss.',
    });
  }
}

function checkQuantities(flow: ExpandedFlow, parts: Parts, connections: Connections, findings: Findings): void {
  const sources = sourcesOfRules(parts, connections);
  for (const rule of parts.rules) {
    const node = flow.nodes.get(rule.nodeId);
    for (const source of sources.get(rule.nodeId) ?? []) {
      const from = flow.nodes.get(source.settings.nodeId);
      if (node === undefined || from === undefined || gives(source, rule.domain)) continue;
      findings.notice('NO_QUANTITY_FOR_RULE', node, 'wires', {
        en: `${called(from)} gives no quantity that this rule computes: wire it to another rule, or remove the wire.`,
        fr: `${called(from)} ne donne aucune grandeur que cette règle calcule : reliez-le à une autre règle, ou supprimez le fil.`,
      });
    }
  }
}

/** Notices about what is drawn, but has no effect. */
export function reportLooseEnds(flow: ExpandedFlow, parts: Parts, connections: Connections, findings: Findings): void {
  checkInputs(flow, connections, findings);
  checkConfigNodes(flow, parts, findings);
  checkTlsFiles(flow, parts, findings);
  checkQuantities(flow, parts, connections, findings);
}
