import type { FlowFault } from '../model/fault.ts';
import type { Language, Text } from '../model/text.ts';
import { say } from '../runtime/language.ts';

const refusedSentence = (count: number): Text => ({
  en: `the gateway refuses this flow (${count} fault${count === 1 ? '' : 's'}); the running flow goes on unchanged`,
  fr: `la passerelle refuse ce flux (${count} erreur${count === 1 ? '' : 's'}) ; le flux en marche continue sans changement`,
});

const CONFLICT: Text = {
  en: 'another version was deployed in between',
  fr: 'une autre version a été déployée entre-temps',
};

/** What the gateway answered to a deploy that it did not take. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly faults: readonly FlowFault[];
}

/**
 * A deploy that the gateway refused, as Node-RED wants its errors: it hands `code`, `status` and `message` to the page, and
 * logs `message` and `stack`. The stack holds the faults: where in our code it was made helps nobody.
 */
export class DeployRefused extends Error {
  readonly code: 'FLOW_INVALID' | 'version_mismatch' | 'deploy_refused';
  readonly status: number;
  readonly faults: readonly FlowFault[];

  constructor({ status, code, detail, faults }: Refusal, language: Language) {
    const isConflict = status === 412;
    const isInvalid = code === 'FLOW_INVALID';
    super(isInvalid ? say(refusedSentence(faults.length), language) : isConflict ? say(CONFLICT, language) : detail);
    this.name = 'DeployRefused';
    this.code = isConflict ? 'version_mismatch' : isInvalid ? 'FLOW_INVALID' : 'deploy_refused';
    this.status = isConflict ? 409 : 400;
    this.faults = faults;
    const lines = faults.map(
      (fault) => `${fault.nodeName || fault.nodeType} (${fault.node}): ${fault.message[language]}`,
    );
    this.stack = lines.length === 0 ? this.message : lines.join('\n');
  }

  /** The message in the language of a reader. */
  sentence(language: Language): string {
    return this.code === 'FLOW_INVALID' ? say(refusedSentence(this.faults.length), language) : this.message;
  }
}
