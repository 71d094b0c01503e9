import { defineNode } from '../../src/index.ts';

export default defineNode({ type: 'cigale-send', inputs: 1, outputs: 0 });
