import { defineNode } from '../../src/index.ts';

export default defineNode({ type: 'cigale-heat', inputs: 1, outputs: 1 });
