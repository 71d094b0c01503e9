import { describe, expect, it } from 'vitest';
import { SendQueue } from '../../src/forward/send-queue.ts';

describe('publishes that wait for a place', () => {
  it('leave live before backlog, each lane as long as it has room', () => {
    const queue = new SendQueue();
    const sent: string[] = [];
    const add = (lane: 'live' | 'backlog', name: string): boolean =>
      queue.add(lane, { send: () => sent.push(name), giveUp: () => sent.push(`${name} given up`) });
    add('backlog', 'b1');
    add('live', 'l1');
    add('backlog', 'b2');
    add('live', 'l2');
    queue.sendWhile((lane) => sent.length < (lane === 'live' ? 3 : 2));
    expect(sent).toEqual(['l1', 'l2']);
    queue.sendWhile(() => sent.length < 3);
    expect(sent).toEqual(['l1', 'l2', 'b1']);
    queue.giveUp();
    expect(sent.at(-1)).toBe('b2 given up');
  });

  it('are bounded', () => {
    const queue = new SendQueue();
    const nothing = { send: () => undefined, giveUp: () => undefined };
    const taken = Array.from({ length: 300 }, () => queue.add('live', nothing)).filter(Boolean).length;
    expect(taken).toBe(256);
    expect(queue.add('backlog', nothing)).toBe(false);
  });
});
