import type { Text } from '../model/text.ts';
import type { Findings, NodeRef } from './findings.ts';
import type { NodeType, RecordKind } from './node-type.ts';

/** How a sentence speaks of a node: its name and type, or its id. */
export const called = (node: NodeRef): string => `${node.name === '' ? node.id : node.name} (${node.type})`;

export function reportLinkCall(from: NodeRef, call: NodeRef, findings: Findings): void {
  findings.fault('LINK_CALL', from, 'wires', {
    en: `The data of this node reaches ${called(call)}: a call returns only inside the editor. Use a plain link or a wire.`,
    fr: `Les données de ce nœud atteignent ${called(call)} : un appel ne revient que dans l'éditeur. Utilisez un lien simple ou un fil.`,
  });
}

export function reportDangling(from: NodeRef, id: string, findings: Findings): void {
  findings.notice('WIRE_DANGLING', from, 'wires', {
    en: `A wire of this node ends at ${id}, which does not exist: draw it again if data should go somewhere.`,
    fr: `Un fil de ce nœud aboutit à ${id}, qui n'existe pas : redessinez-le si les données doivent aller quelque part.`,
  });
}

export function reportOutputUnknown(from: NodeRef, output: number, findings: Findings): void {
  findings.notice('OUTPUT_UNKNOWN', from, 'wires', {
    en: `This node has no output ${output + 1}; its wires there carry nothing.`,
    fr: `Ce nœud n'a pas de sortie ${output + 1} ; ces fils ne transportent rien.`,
  });
}

export function reportEventsEmpty(from: NodeRef, findings: Findings): void {
  findings.notice('EVENTS_EMPTY', from, 'wires', {
    en: 'The events output carries nothing in this version.',
    fr: 'La sortie événements ne transporte rien dans cette version.',
  });
}

export function reportCrossing(from: NodeRef, through: NodeRef, findings: Findings): void {
  findings.notice('CROSSES_FOREIGN', from, 'wires', {
    en: `Data of this node goes through ${called(through)} and comes back to a Cigale node: that works only while the editor's process runs, and a gap is recorded while it does not.`,
    fr: `Des données de ce nœud passent par ${called(through)} et reviennent à un nœud Cigale : cela ne marche que tant que le processus de l'éditeur tourne ; sinon une lacune est enregistrée.`,
  });
}

const REJECTED: Text = {
  en: 'Rejected frames are not measurements: wire this output to a debug node only.',
  fr: 'Les trames rejetées ne sont pas des mesures : reliez cette sortie à un nœud debug seulement.',
};

/** A wire that a Cigale node cannot take. */
export function reportBadWire(from: NodeRef, kind: RecordKind, to: NodeRef, type: NodeType, findings: Findings): void {
  if (type.accepts.length === 0) {
    findings.fault('NO_INPUT', from, 'wires', {
      en: `A wire leads to ${called(to)}, which has no input: remove it.`,
      fr: `Un fil mène à ${called(to)}, qui n'a pas d'entrée : supprimez-le.`,
    });
  } else if (kind === 'rejected') findings.fault('REJECTED_TO_CIGALE', from, 'wires', REJECTED);
  else if (kind === 'events') {
    findings.fault('NOT_IN_THIS_VERSION', from, 'wires', {
      en: `Events are not in this version: remove the wire from the second output to ${called(to)}.`,
      fr: `Les événements n'existent pas dans cette version : supprimez le fil de la seconde sortie vers ${called(to)}.`,
    });
  } else {
    findings.fault('RULE_AFTER_RULE', from, 'wires', {
      en: `This rule is wired to the rule ${called(to)}: rules compute from samples. Wire the source to both.`,
      fr: `Cette règle est reliée à la règle ${called(to)} : les règles calculent sur des mesures. Reliez la source aux deux.`,
    });
  }
}
