import type { FlowFault } from '../model/fault.ts';
import type { Text } from '../model/text.ts';
import type { FaultCode, NoticeCode } from './fault-codes.ts';

/** Something about a flow that does not stop it; built like a fault. */
export type FlowNotice = FlowFault;

/** The node a finding is about. */
export interface NodeRef {
  readonly id: string;
  readonly name: string;
  readonly type: string;
}

/** Findings of one kind beyond this number are counted, not listed. */
export const MAX_FINDINGS = 1000;

export const THE_FLOW: NodeRef = { id: '', name: '', type: '' };

const finding = (code: string, at: NodeRef, field: string, message: Text): FlowFault => ({
  code,
  node: at.id,
  nodeName: at.name,
  nodeType: at.type,
  field,
  message,
});

function listed(found: readonly FlowFault[], refused: number, code: FaultCode | NoticeCode): FlowFault[] {
  if (refused === 0) return [...found];
  const message: Text = {
    en: `${refused} more are not listed: correct these first.`,
    fr: `${refused} autres ne sont pas listés : corrigez d'abord ceux-ci.`,
  };
  return [...found, finding(code, THE_FLOW, '', message)];
}

/** Collects all faults and notices of one compilation, bounded. */
export class Findings {
  readonly #faults: FlowFault[] = [];
  readonly #notices: FlowNotice[] = [];
  #faultsRefused = 0;
  #noticesRefused = 0;

  fault(code: FaultCode, at: NodeRef, field: string, message: Text): void {
    if (this.#faults.length < MAX_FINDINGS) this.#faults.push(finding(code, at, field, message));
    else this.#faultsRefused += 1;
  }

  notice(code: NoticeCode, at: NodeRef, field: string, message: Text): void {
    if (this.#notices.length < MAX_FINDINGS) this.#notices.push(finding(code, at, field, message));
    else this.#noticesRefused += 1;
  }

  get faults(): readonly FlowFault[] {
    return listed(this.#faults, this.#faultsRefused, 'TOO_MANY_FAULTS');
  }

  get notices(): readonly FlowNotice[] {
    return listed(this.#notices, this.#noticesRefused, 'TOO_MANY_NOTICES');
  }
}
