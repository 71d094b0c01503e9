import type { EnvFailure } from './environment.ts';
import type { ExpandedNode } from './expanded.ts';
import type { Findings } from './findings.ts';
import type { Properties } from './migration.ts';

/** What the editor itself stores on any node; `name` and `version` every Cigale node has. */
const OF_THE_EDITOR: ReadonlySet<string> = new Set(
  [
    'id',
    'type',
    'name',
    'version',
    'z',
    'g',
    'd',
    'x',
    'y',
    'w',
    'h',
    'l',
    'wires',
    'info',
    'icon',
    'inputs',
    'outputs',
  ].concat(['inputLabels', 'outputLabels', 'credentials', 'env', 'locked', 'hidden', 'users', 'valid', 'changed']),
);

export function reportUnknownProperties(
  node: ExpandedNode,
  given: Properties,
  known: readonly string[],
  findings: Findings,
): void {
  for (const name of Object.keys(given)) {
    if (OF_THE_EDITOR.has(name) || known.includes(name)) continue;
    findings.notice('UNKNOWN_PROPERTY', node, name, {
      en: `"${name}" is not a property of ${node.type}; it has no effect.`,
      fr: `« ${name} » n'est pas une propriété de ${node.type} ; elle est sans effet.`,
    });
  }
}

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** Flows are exported, versioned and mailed: credentials never stand in them. */
export function reportSecrets(node: ExpandedNode, secrets: readonly string[], findings: Findings): void {
  const held: unknown = node.raw['credentials'];
  const inside = typeof held === 'object' && held !== null ? Object.entries(held) : [];
  const found = [...inside, ...secrets.map((name): [string, unknown] => [name, node.raw[name]])]
    .filter(([, value]) => isFilled(value))
    .map(([name]) => name);
  for (const name of new Set(found)) {
    findings.fault('CREDENTIALS_IN_FLOW', node, name, {
      en: `"${name}" must not stand in the flow: remove it, and set it with "cigale secrets set ${node.id} ${name}".`,
      fr: `« ${name} » ne doit pas figurer dans le flux : retirez-le et définissez-le avec « cigale secrets set ${node.id} ${name} ».`,
    });
  }
}

export function reportEnvFailure(node: ExpandedNode, field: string, failure: EnvFailure, findings: Findings): void {
  const { name, type } = failure;
  if (type === '') {
    findings.fault('ENV_UNSET', node, field, {
      en: `"${field}" uses \${${name}}, which has no value: set it in the group, tab, subflow or service environment.`,
      fr: `« ${field} » utilise \${${name}}, qui n'a pas de valeur : définissez-la dans le groupe, l'onglet, le sous-flux ou l'environnement du service.`,
    });
    return;
  }
  findings.fault('ENV_UNSUPPORTED', node, field, {
    en: `"${field}" uses \${${name}}, whose value (type ${type}) the gateway cannot read: make it a valid text, number or boolean.`,
    fr: `« ${field} » utilise \${${name}}, dont la valeur (type ${type}) est illisible pour la passerelle : mettez un texte, un nombre ou un booléen valide.`,
  });
}
