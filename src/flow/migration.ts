import type { NodeRef, Findings } from './findings.ts';
import { numberOrAsIs } from './fields.ts';

export type Properties = Readonly<Record<string, unknown>>;

/** Properties of one version of a node as the next version would have saved them. */
export type Migration = (properties: Properties) => Properties;

/** The node's properties as the current version knows them, or null (reported) where its version cannot be read. */
export function migrate(
  node: NodeRef & { readonly raw: Properties },
  migrations: readonly Migration[],
  findings: Findings,
): Properties | null {
  const current = migrations.length + 1;
  const version = numberOrAsIs(node.raw['version']) ?? 1;
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 1) {
    findings.fault('PROPERTY_INVALID', node, 'version', {
      en: `"version" takes a whole number from 1 to ${current}: open the node in the editor and save it.`,
      fr: `« version » prend un nombre entier de 1 à ${current} : ouvrez le nœud dans l'éditeur et enregistrez-le.`,
    });
    return null;
  }
  if (version > current) {
    findings.fault('VERSION_TOO_NEW', node, 'version', {
      en: `This node was saved by a newer Cigale (version ${version}, here ${current}): update the gateway.`,
      fr: `Ce nœud vient d'un Cigale plus récent (version ${version}, ici ${current}) : mettez la passerelle à jour.`,
    });
    return null;
  }
  return migrations.slice(version - 1).reduce((properties, step) => step(properties), node.raw);
}
