import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { createLane, LaneFullError } from './lane.ts';

const forever = new AbortController().signal;

describe('a lane', () => {
  test('places pass on in order of arrival, urgent ones first', async () => {
    const lane = createLane({ placesMax: 1, waitingMax: 10 });
    const leaveFirst = await lane.enter(forever, false);
    const entered: string[] = [];
    const all = ['a', 'b', 'C', 'd', 'E'].map(async (name) => {
      const leave = await lane.enter(forever, name === name.toUpperCase());
      entered.push(name);
      leave();
    });
    leaveFirst();
    await Promise.all(all);
    assert.deepEqual(entered, ['C', 'E', 'a', 'b', 'd']);
  });

  test('leaving twice gives back one place', async () => {
    const lane = createLane({ placesMax: 2, waitingMax: 10 });
    const leave = await lane.enter(forever, false);
    await lane.enter(forever, false);
    leave();
    leave();
    assert.equal(lane.busy(), 1);
  });

  test('a full lane refuses all but the urgent', async () => {
    const lane = createLane({ placesMax: 1, waitingMax: 1 });
    const leave = await lane.enter(forever, false);
    const patient = lane.enter(forever, false);
    await assert.rejects(lane.enter(forever, false), LaneFullError);
    const urgent = lane.enter(forever, true);
    leave();
    (await urgent)();
    (await patient)();
    assert.deepEqual([lane.busy(), lane.waiting()], [0, 0]);
  });

  test('an aborted wait rejects with the reason and leaves the line', async () => {
    const lane = createLane({ placesMax: 1, waitingMax: 1 });
    const leave = await lane.enter(forever, false);
    const stop = new AbortController();
    const waiting = lane.enter(stop.signal, false);
    stop.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    assert.equal(lane.waiting(), 0);
    leave();
    assert.equal(lane.busy(), 0);
  });

  test('whatever comes and goes, no more are inside than there are places, and no place is lost', async () => {
    const step = fc.oneof(
      fc.constant('enter'),
      fc.constant('urgent'),
      fc.constant('leave'),
      fc.constant('abort'),
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(step), async (placesMax, steps) => {
        const lane = createLane({ placesMax, waitingMax: 1_000 });
        const inside: (() => void)[] = [];
        const stops: AbortController[] = [];
        const asked: Promise<unknown>[] = [];
        for (const what of steps) {
          if (what === 'leave') inside.shift()?.();
          else if (what === 'abort') stops.shift()?.abort(new Error('enough'));
          else {
            const stop = new AbortController();
            stops.push(stop);
            const entering = lane.enter(stop.signal, what === 'urgent');
            asked.push(
              entering.then(
                (leave) => inside.push(leave),
                () => undefined,
              ),
            );
          }
          await new Promise(setImmediate);
          assert.ok(lane.busy() <= placesMax);
          assert.equal(lane.busy(), inside.length);
          assert.ok(lane.waiting() === 0 || lane.busy() === placesMax);
        }
        while (inside.length > 0) {
          inside.shift()?.();
          await new Promise(setImmediate);
        }
        await Promise.all(asked);
        assert.deepEqual([lane.busy(), lane.waiting()], [0, 0]);
      }),
      { numRuns: 50 },
    );
  });
});
