import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { type Turn, Turns } from './turns.ts';

const underWay = { isBeginning: false };
const beginning = { isBeginning: true };

function setUp(placesMax: number) {
  const called: string[] = [];
  const waiting: number[] = [];
  const turns = new Turns({
    placesMax,
    call: (key) => called.push(key),
    onWaiting: (count) => waiting.push(count),
  });
  return { turns, called, waiting };
}

describe('turns', () => {
  test('a place for each until there is none; then the next in line is called', () => {
    const { turns, called, waiting } = setUp(1);
    const [first, second] = [turns.begin('a'), turns.begin('b')];
    assert.equal(first.take(underWay), true);
    assert.equal(first.take(underWay), true, 'a place that is held is held');
    assert.equal(second.take(underWay), false);
    second.end();
    assert.deepEqual(called, []);
    first.end();
    assert.deepEqual(called, ['b']);
    assert.equal(turns.begin('c').take(underWay), false, 'the place is kept for the one called');
    assert.equal(turns.begin('b').take(underWay), true);
    assert.deepEqual(waiting, [1, 0, 1]);
  });

  test('who is under way goes before who begins, and stands in line once', () => {
    const { turns, called } = setUp(1);
    const held = turns.begin('a');
    held.take(underWay);
    for (const key of ['new', 'new', 'later']) turns.begin(key).take(beginning);
    turns.begin('running').take(underWay);
    turns.begin('later').take(underWay);
    assert.equal(turns.waitingCount, 3);
    held.end();
    for (const key of ['running', 'later', 'new']) {
      const turn = turns.begin(key);
      assert.equal(turn.take(beginning), true);
      turn.end();
    }
    assert.deepEqual(called, ['running', 'later', 'new']);
    assert.equal(turns.waitingCount, 0);
  });

  test('who has nothing to write any more when called gives the place back', () => {
    const { turns, called } = setUp(1);
    const held = turns.begin('a');
    held.take(underWay);
    turns.begin('b').take(underWay);
    turns.begin('c').take(underWay);
    held.end();
    turns.begin('b').end();
    assert.deepEqual(called, ['b', 'c']);
  });

  test('a look that began before its key was called leaves the place to the next', () => {
    const { turns, called } = setUp(1);
    const held = turns.begin('a');
    held.take(underWay);
    const early = turns.begin('b');
    assert.equal(early.take(underWay), false);
    held.end();
    assert.equal(early.take(underWay), false, 'kept for the look that was called for');
    early.end();
    assert.equal(turns.waitingCount, 0);
    assert.equal(turns.begin('b').take(underWay), true);
    assert.deepEqual(called, ['b']);
  });

  test('any course of looks: never more places than there are, and everybody in line is called', () => {
    const steps = fc.array(
      fc.record({
        key: fc.integer({ min: 0, max: 5 }),
        isBeginning: fc.boolean(),
        ends: fc.boolean(),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), steps, (placesMax, course) => {
        const holders = new Set<Turn>();
        const refused = new Set<string>();
        const called: string[] = [];
        const turns = new Turns({ placesMax, call: (key) => called.push(key) });
        const look = (key: string, isBeginning: boolean): void => {
          const turn = turns.begin(key);
          if (turn.take({ isBeginning })) {
            holders.add(turn);
            refused.delete(key);
          } else {
            refused.add(key);
            turn.end();
          }
          assert.ok(holders.size <= placesMax);
        };
        const end = (): void => {
          const [first] = holders;
          if (first === undefined) return;
          holders.delete(first);
          first.end();
        };
        for (const { key, isBeginning, ends } of course) {
          if (ends) end();
          else look(String(key), isBeginning);
        }
        while (holders.size + called.length > 0) {
          const key = called.shift();
          if (key === undefined) end();
          else look(key, false);
        }
        assert.deepEqual([...refused], []);
        assert.equal(turns.waitingCount, 0);
      }),
    );
  });
});
