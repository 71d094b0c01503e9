import { defineNode } from '../../src/index.ts';

export default defineNode({ type: 'cigale-noise', inputs: 1, outputs: 2 });
