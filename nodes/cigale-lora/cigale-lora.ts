import { defineNode } from '../../src/index.ts';

export default defineNode({ type: 'cigale-lora', inputs: 0, outputs: 1 });
