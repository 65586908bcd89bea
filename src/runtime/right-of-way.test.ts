import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from './clock.ts';
import { RightOfWay } from './right-of-way.ts';

const never = new AbortController().signal;

describe('right of way', () => {
  test('other work goes on at once while nothing is urgent', async () => {
    await new RightOfWay(systemClock).giveWay(never);
  });

  test('other work waits until the last urgent work is over', async () => {
    const way = new RightOfWay(systemClock);
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const order: string[] = [];
    const urgent = [
      way.urgent(async () => {
        await first.promise;
        order.push('first');
      }),
      way.urgent(async () => {
        await second.promise;
        order.push('second');
      }),
    ];
    const waiting = way.giveWay(never).then(() => order.push('other'));
    first.resolve();
    await urgent[0];
    second.resolve();
    await Promise.all([...urgent, waiting]);
    assert.deepEqual(order, ['first', 'second', 'other']);
  });

  test('urgent work that fails gives the way free', async () => {
    const way = new RightOfWay(systemClock);
    await assert.rejects(
      way.urgent(() => Promise.reject(new Error('no'))),
      /no/,
    );
    await way.giveWay(never);
  });

  test('nobody waits for ever, and an aborted look ends its wait', async () => {
    const clock = {
      ...systemClock,
      after: (_: number, ring: () => void) => systemClock.after(0, ring),
    };
    const way = new RightOfWay(clock);
    const stuck = Promise.withResolvers<void>();
    const urgent = way.urgent(() => stuck.promise);
    await way.giveWay(never);
    await assert.rejects(way.giveWay(AbortSignal.abort(new Error('stopped'))), /stopped/);
    stuck.resolve();
    await urgent;
  });
});
