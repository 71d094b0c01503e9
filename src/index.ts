/** The only module that `nodes/` may import. */
export { defineConfigNode, defineNode } from './editor/define-node.ts';
