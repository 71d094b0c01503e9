import { defineConfigNode } from '../../src/index.ts';

export default defineConfigNode('cigale-broker', {
  credentials: { username: { type: 'text' }, password: { type: 'password' } },
});
