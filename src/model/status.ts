import type { Text } from './text.ts';

/** Status of a flow node as the editor shows it: text of at most 20 characters; ring = not working, dot = working. */
export interface NodeStatus {
  readonly node: string;
  readonly fill: 'green' | 'yellow' | 'red' | 'blue' | 'grey';
  readonly shape: 'dot' | 'ring';
  readonly text: Text;
}
