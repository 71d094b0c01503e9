import { defineNode } from '../../src/index.ts';

export default defineNode({ type: 'cigale-count', inputs: 1, outputs: 1 });
