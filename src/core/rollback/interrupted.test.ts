/** A rollback of which only the mark on the route is known: nobody else is blamed for what we lowered ourselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsTrigger, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const START = T0 + 90 * MINUTE;
const decidedAt = START + MINUTE;

test('canary that we have lowered ourselves was lowered by no other writer, whatever else forbids a rise', () => {
  const run = new EngineHarness({
    spec: { triggers: [{ ...errorsTrigger, for: '1m' }] },
    world: { series: (query, atMs) => (query.includes('"new"') && atMs >= START ? 1 : 0) },
  });
  run.runUntil(decidedAt - SECOND);
  run.crashNext = 'beforeStatus';
  run.now = decidedAt;
  run.look();
  assert.equal(run.weight(), 0);
  const written = run.status;
  assert.equal(written.rollback, undefined);
  // Its pods are gone with the traffic, which is a reason of its own not to rise.
  run.world.ready = (arm) => (arm === 'canary' ? 0 : 2);
  run.sleepUntil(decidedAt + 5 * SECOND);
  run.runUntil(decidedAt + MINUTE);
  assert.equal(run.status.phase, 'RolledBack');
  assert.equal(run.status.rollback?.trigger, 'errors');
  const blamed = run.events.filter(({ note }) => note.includes('another writer'));
  assert.deepEqual(blamed, []);
});
