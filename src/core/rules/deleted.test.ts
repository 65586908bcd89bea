/** Deletion: traffic where the policy wants it, fields released, and never a `kubectl delete` that hangs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';

function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness(options);
  run.runUntil(T0 + 90 * MINUTE);
  return run;
}

describe('a rollout that is deleted', () => {
  test('in mid-run brings traffic to stable, lets the fields go, then the finalizer', () => {
    const run = harness();
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.route().owned, false);
    assert.equal(run.hasFinalizer, false);
    const course = run.timeline.filter((one) => one.rule === 'deleted').map((one) => one.actions);
    assert.deepEqual(course, [['SetWeight web 0'], ['Release web'], ['RemoveFinalizer'], []]);
  });

  test('with KeepTraffic leaves the weight as it is, and lets the fields go', () => {
    const run = harness({ spec: { deletionPolicy: 'KeepTraffic' } });
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.route().owned, false);
    assert.equal(run.hasFinalizer, false);
  });

  test('before it has moved anything moves nothing', () => {
    const run = new EngineHarness({ route: { weight: 100 } });
    run.runUntil(T0 + HOUR);
    run.delete();
    run.runFor(SECOND);
    assert.deepEqual([run.weight(), run.writes.length, run.hasFinalizer], [100, 0, false]);
  });

  test('that never had a run is simply gone', () => {
    const run = new EngineHarness({ spec: { triggers: [{ ...errorsTrigger, query: 'sum(' }] } });
    run.runUntil(T0 + MINUTE);
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.hasFinalizer, false);
  });

  test('after it has succeeded goes to stable as well, by policy', () => {
    const run = harness();
    run.runUntil(T0 + 4 * HOUR);
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.hasFinalizer, false);
  });

  test('after it has succeeded keeps its traffic where its owner has said so since', () => {
    const run = harness();
    run.runUntil(T0 + 4 * HOUR);
    run.edit({ deletionPolicy: 'KeepTraffic' });
    run.runFor(MINUTE);
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.weight(), 100);
    assert.equal(run.route().owned, false);
    assert.equal(run.hasFinalizer, false);
  });

  test('under a broken edit goes by its recorded spec', () => {
    const run = harness({ spec: { deletionPolicy: 'KeepTraffic' } });
    run.edit({ triggers: [{ ...errorsTrigger, query: 'sum(' }], deletionPolicy: 'RestoreStable' });
    run.runFor(MINUTE);
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.hasFinalizer, false);
  });
});

describe('a deletion that does not get through', () => {
  test('is retried, and after a minute gives up and says so', () => {
    const run = harness();
    run.world.write = () => 'lost';
    run.delete();
    run.runFor(59 * SECOND);
    assert.equal(run.hasFinalizer, true);
    assert.ok(run.timeline.filter((one) => one.actions.includes('SetWeight web 0')).length >= 59);
    run.runFor(SECOND);
    assert.equal(run.hasFinalizer, false);
    const told = run.events.filter(({ reason }) => reason === 'ReleaseGivenUp');
    assert.equal(told.length, 1);
    assert.match(told[0]?.note ?? '', /not seen released within 60s.*check the routes by hand/);
  });

  test('and was seen too late is tried once all the same', () => {
    const run = harness();
    run.delete();
    run.sleepUntil(run.now + HOUR);
    run.runFor(SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.hasFinalizer, false);
    assert.ok(run.told().includes('ReleaseGivenUp'));
  });

  test('for want of a route that may be written is not taken for done', () => {
    const run = harness();
    run.route().mode = 'refused';
    run.delete();
    run.runFor(30 * SECOND);
    assert.equal(run.hasFinalizer, true);
    run.route().mode = 'read';
    run.runFor(2 * SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.hasFinalizer, false);
    assert.ok(!run.told().includes('ReleaseGivenUp'));
  });

  test('of a route that is gone has nothing to do', () => {
    const run = harness();
    run.route().mode = 'missing';
    run.delete();
    run.runFor(SECOND);
    assert.equal(run.hasFinalizer, false);
  });

  test('sends nobody to a stable that is not there, and gives up after a minute', () => {
    const run = harness({
      world: { ready: (arm, now) => (arm === 'stable' && now > T0 + 80 * MINUTE ? 0 : 2) },
    });
    run.delete();
    run.runFor(2 * MINUTE);
    assert.equal(run.weight(), 50);
    assert.equal(run.hasFinalizer, false);
    assert.ok(run.told().includes('ReleaseGivenUp'));
  });
});

describe('a deletion during a rollback', () => {
  test('carries the rollback out, whatever the policy says', () => {
    const run = harness({ spec: { deletionPolicy: 'KeepTraffic' } });
    run.world.write = (_route, _action, now) => (now < T0 + 91 * MINUTE ? 'lost' : 'done');
    run.annotate('abort 1');
    run.runFor(30 * SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    run.delete();
    run.runUntil(T0 + 91 * MINUTE + 2 * SECOND);
    assert.equal(run.weight(), 0);
    assert.equal(run.route().mark, undefined, 'released');
    assert.equal(run.hasFinalizer, false);
  });
});
