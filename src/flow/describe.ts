import type { FlowFault } from '../model/fault.ts';
import type { Language } from '../model/text.ts';

/** One line for a terminal or a list: which node, what is wrong and what to do; the message names the property itself. */
export function describeFault(fault: FlowFault, language: Language): string {
  const message = fault.message[language];
  if (fault.node === '') return message;
  const node = `(${fault.nodeType} ${fault.node})`;
  if (language === 'fr') return `${fault.nodeName === '' ? '' : `« ${fault.nodeName} » `}${node} : ${message}`;
  return `${fault.nodeName === '' ? '' : `"${fault.nodeName}" `}${node}: ${message}`;
}
