import type { ExpandedFlow, ExpandedNode } from './expanded.ts';
import type { Findings } from './findings.ts';

/** A property that names a config node: the node must be there, enabled and of the right type. An empty one is the schema's business. */
export function checkReference(
  node: ExpandedNode,
  field: string,
  id: unknown,
  type: string,
  flow: ExpandedFlow,
  findings: Findings,
): void {
  if (typeof id !== 'string' || id.trim() === '') return;
  const target = flow.nodes.get(id.trim());
  if (target === undefined) {
    const disabled = flow.disabled.has(id.trim());
    findings.fault('REFERENCE_MISSING', node, field, {
      en: `"${field}" refers to the node ${id}, which ${disabled ? 'is disabled: enable it' : 'does not exist: choose it again'}.`,
      fr: `« ${field} » désigne le nœud ${id}, qui ${disabled ? 'est désactivé : activez-le' : "n'existe pas : choisissez-le à nouveau"}.`,
    });
  } else if (target.type !== type) {
    findings.fault('REFERENCE_WRONG_TYPE', node, field, {
      en: `"${field}" refers to a ${target.type}, but it takes a ${type}: choose it again.`,
      fr: `« ${field} » désigne un ${target.type}, mais il faut un ${type} : choisissez-le à nouveau.`,
    });
  }
}
