/** A rollback of which only the mark on the route is known: nobody else is blamed for what we lowered ourselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorsTrigger, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness } from '#test/engine-harness.ts';

const START = T0 + 90 * MINUTE;
const decidedAt = START + MINUTE;

/** Canary fails from START on. */
function failing(fails: (atMs: number) => boolean = () => true): EngineHarness {
  return new EngineHarness({
    spec: { triggers: [{ ...errorsTrigger, for: '1m' }] },
    world: {
      series: (query, atMs) => (query.includes('"new"') && atMs >= START && fails(atMs) ? 1 : 0),
    },
  });
}

test('canary that we have lowered ourselves was lowered by no other writer, whatever else forbids a rise', () => {
  const run = failing();
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

/** It fails from START on; the abort comes half a minute before its minute is over, and is cut off. */
function aborted(
  ask: (run: EngineHarness) => void,
  fails: (atMs: number) => boolean,
): EngineHarness {
  const run = failing(fails);
  run.runUntil(START + 30 * SECOND);
  assert.equal(run.trigger()?.state, 'Pending');
  run.crashNext = 'beforeStatus';
  ask(run);
  run.look();
  assert.equal(run.weight(), 0);
  assert.equal(run.status.rollback, undefined);
  run.sleepUntil(START + 2 * MINUTE);
  run.runFor(MINUTE);
  assert.equal(run.status.phase, 'RolledBack');
  return run;
}

test('an abort by annotation is laid to no trigger that came due while nobody looked', () => {
  const run = aborted(
    (one) => one.annotate('abort 1'),
    (atMs) => atMs <= START + 30 * SECOND,
  );
  assert.equal(run.status.rollback?.trigger, undefined);
  assert.match(run.status.rollback?.message ?? '', /aborted by request "abort 1"/);
});

test('an abort by decision is laid to no trigger that has fired since', () => {
  const run = aborted(
    (one) => one.decide({ decision: 'Abort' }),
    () => true,
  );
  assert.equal(run.trigger()?.state, 'Firing');
  assert.equal(run.status.rollback?.trigger, undefined);
  assert.equal(run.status.rollback?.reason, 'Aborted');
  assert.equal(run.status.decisions?.[0]?.outcome, 'Applied');
});

test('a trigger that had fired before anybody aborted is the cause, whoever aborts later', () => {
  const run = failing();
  run.runUntil(decidedAt - SECOND);
  run.crashNext = 'beforeStatus';
  run.now = decidedAt;
  run.look();
  run.now = decidedAt + 5 * SECOND;
  run.decide({ decision: 'Abort' });
  run.runFor(MINUTE);
  assert.equal(run.status.rollback?.trigger, 'errors');
});
