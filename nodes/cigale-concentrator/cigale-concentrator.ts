import { defineConfigNode } from '../../src/index.ts';

export default defineConfigNode('cigale-concentrator');
