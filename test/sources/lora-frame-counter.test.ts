import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fullFCntUp, pastFCntUp, SessionCounter } from '../../src/sources/lora/frame-counter.ts';

describe('fullFCntUp', () => {
  it.each([
    [1, 1, 1],
    [65_536, 0, 65_536],
    [65_537, 1, 65_537],
    [0, 1, 1],
    [65_537, 2, 65_538],
    [2, 1, 1],
    [65_537, 0, 65_536],
    [65_536, 65_535, 65_535],
    [2 ** 32 - 1, 0, 0],
  ])('with %i expected and %i on the air gives %i', (next, wire, full) => {
    expect(fullFCntUp(next, wire)).toBe(full);
  });

  it('finds any counter that lies less than 65,535 ahead, or is the last one', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), fc.integer({ min: -1, max: 65_534 }), (next, ahead) => {
        const full = Math.max(0, next + ahead);
        expect(fullFCntUp(next, full % 65_536)).toBe(full);
      }),
    );
  });

  it('finds the past counter that a replayed frame came with', () => {
    expect(pastFCntUp(70_000, 69_990 % 65_536)).toBe(69_990);
    expect(pastFCntUp(10, 20)).toBeNull();
    expect(pastFCntUp(10, 3)).toBe(3);
  });
});

describe('SessionCounter', () => {
  it('runs ahead of the disk by what is being committed', () => {
    const counter = new SessionCounter(5);
    const ticket = counter.reserve(5, false);
    expect(counter.next).toBe(6);
    counter.commit(ticket);
    expect(counter.next).toBe(6);
  });

  it('gives the number back when the store refuses it', () => {
    const counter = new SessionCounter(5);
    counter.release(counter.reserve(9, false));
    expect(counter.next).toBe(5);
  });

  it('stays behind a later frame that is on its way when an earlier one is refused', () => {
    const counter = new SessionCounter(0);
    const first = counter.reserve(0, false);
    const second = counter.reserve(1, false);
    counter.release(first);
    expect(counter.next).toBe(2);
    counter.release(second);
    expect(counter.next).toBe(0);
  });

  it('goes back with a device that started again, and forward again when that is refused', () => {
    const counter = new SessionCounter(500);
    const reset = counter.reserve(0, true);
    expect(counter.next).toBe(1);
    counter.release(reset);
    expect(counter.next).toBe(500);
    counter.commit(counter.reserve(0, true));
    expect(counter.next).toBe(1);
  });

  it('settles a ticket once', () => {
    const counter = new SessionCounter(0);
    const ticket = counter.reserve(3, false);
    counter.release(ticket);
    counter.commit(ticket);
    expect(counter.next).toBe(0);
  });
});
