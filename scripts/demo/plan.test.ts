/** The plan of the demo must leave room for what the demo promises, however slowly Prometheus scrapes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { validateSpec } from '#api/validate.ts';
import { rolloutObject } from './objects.ts';
import { durationText, planDemo } from './plan.ts';
import { expected } from './summary.ts';

const options = fc.record({
  isShort: fc.boolean(),
  scrapeIntervalMs: fc.integer({ min: 1, max: 300 }).map((seconds) => seconds * 1_000),
});

test('with a scrape a second the plan is the one of the issue: 50 % at 25 s, 100 % at 65 s, end at 100 s', () => {
  const plan = planDemo({ isShort: false, scrapeIntervalMs: 1_000 });
  assert.deepEqual(
    [...plan.steps.map(({ atMs }) => atMs), plan.endMs, plan.windowMs, plan.holdMs],
    [0, 25_000, 65_000, 100_000, 5_000, 5_000],
  );
});

test('every step lasts long enough for the requests that its share is judged by', () => {
  fc.assert(
    fc.property(options, (given) => {
      const { steps, endMs, requestsPerSecond } = planDemo(given);
      const ends = [...steps.slice(1).map(({ atMs }) => atMs), endMs];
      for (const [index, { atMs }] of steps.entries()) {
        const lastsMs = (ends[index] ?? 0) - atMs;
        assert.ok((lastsMs / 1_000) * requestsPerSecond >= expected.requestsMin);
      }
    }),
  );
});

test('there are enough requests at 50 % before the fault, and the fault is found out before 100 % is due', () => {
  fc.assert(
    fc.property(options, (given) => {
      const plan = planDemo(given);
      const [, half, full] = plan.steps;
      assert.ok(half !== undefined && full !== undefined);
      assert.ok((plan.faultAfterMs / 1_000) * plan.requestsPerSecond >= expected.requestsMin);
      // Two scrapes until rate() sees it, one evaluation, then the hold.
      const foundMs =
        plan.faultAfterMs + 2 * given.scrapeIntervalMs + plan.intervalMs + plan.holdMs;
      assert.ok(half.atMs + foundMs < full.atMs);
    }),
  );
});

test('no window is shorter than four scrapes, and the hold not shorter than two', () => {
  fc.assert(
    fc.property(options, (given) => {
      const plan = planDemo(given);
      assert.ok(plan.windowMs >= 4 * given.scrapeIntervalMs);
      assert.ok(plan.holdMs >= 2 * given.scrapeIntervalMs);
    }),
  );
});

test('the rollout of every plan is one that the API accepts', () => {
  fc.assert(
    fc.property(options, (given) => {
      const object = rolloutObject({
        namespace: 'shop',
        revision: 'v2',
        roles: { stable: 'blue', canary: 'green' },
        plan: planDemo(given),
      });
      assert.deepEqual(validateSpec(object['spec']), []);
    }),
  );
});

test('durations are written as the API wants them', () => {
  assert.deepEqual([0, 5_000, 60_000, 65_000, 120_000].map(durationText), [
    '0s',
    '5s',
    '1m',
    '65s',
    '2m',
  ]);
});
