import type { Findings, NodeRef } from './findings.ts';

export const reportMissing = (instance: NodeRef, subflow: string, findings: Findings): void =>
  findings.fault('SUBFLOW_MISSING', instance, 'type', {
    en: `The subflow ${subflow} of this instance is not in the flow: import it, or delete the instance.`,
    fr: `Le sous-flux ${subflow} de cette instance n'est pas dans le flux : importez-le, ou supprimez l'instance.`,
  });

export const reportRecursion = (instance: NodeRef, findings: Findings): void =>
  findings.fault('SUBFLOW_RECURSION', instance, 'type', {
    en: 'This subflow contains itself: delete this instance inside it.',
    fr: 'Ce sous-flux se contient lui-même : supprimez cette instance à l’intérieur.',
  });

export const reportTooDeep = (instance: NodeRef, findings: Findings): void =>
  findings.fault('SUBFLOW_TOO_DEEP', instance, 'type', {
    en: 'Subflows are nested too deep here: draw these nodes on a tab.',
    fr: 'Les sous-flux sont imbriqués trop profondément ici : dessinez ces nœuds sur un onglet.',
  });

export const reportConfigInSubflow = (node: NodeRef, findings: Findings): void =>
  findings.fault('CONFIG_IN_SUBFLOW', node, 'z', {
    en: `A ${node.type} cannot stand inside a subflow: create it outside, and refer to it.`,
    fr: `Un ${node.type} ne peut pas se trouver dans un sous-flux : créez-le à l'extérieur et désignez-le.`,
  });
