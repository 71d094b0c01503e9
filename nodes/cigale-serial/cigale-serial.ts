import { defineNode } from '../../src/index.ts';

export default defineNode({ type: 'cigale-serial', inputs: 0, outputs: 2 });
