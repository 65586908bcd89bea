/** How runs start: the first, the next, in mid-run, and with blue and green changing roles. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';

const turned: RolloutSpecInput['traffic'] = {
  stable: { service: 'new', port: 80 },
  canary: { service: 'old', port: 80 },
  routes: [{ kind: 'HTTPRoute', name: 'web' }],
};

function harness(options: HarnessOptions = {}): EngineHarness {
  const run = new EngineHarness(options);
  run.runUntil(T0 + 90 * MINUTE);
  return run;
}

/** Where canary of the first spec had how much, and when, in minutes. */
const writes = (run: EngineHarness) =>
  run.writes.map(({ at, weight }) => `${(at - T0) / MINUTE}m ${weight}`);

describe('the first run', () => {
  test('records its spec and takes the finalizer before its status says so', () => {
    const run = new EngineHarness();
    run.crashNext = 'beforeStatus';
    run.look();
    assert.equal(run.hasFinalizer, true);
    assert.deepEqual(run.status, {});
    run.sleepUntil(T0 + SECOND);
    run.runUntil(T0 + 5 * SECOND);
    assert.equal(run.status.step, 'dark');
    assert.equal(run.status.startedAt, '2026-11-22T12:00:01Z');
  });

  test('of an invalid spec does not start, moves nothing, and says what is wrong', () => {
    const run = new EngineHarness({
      spec: { triggers: [{ ...errorsTrigger, query: 'sum(' }] },
      route: { weight: 30 },
    });
    run.runUntil(T0 + HOUR);
    assert.equal(run.status.phase, 'Pending');
    assert.equal(run.status.runId, undefined);
    assert.equal(run.condition('Accepted')?.reason, 'InvalidSpec');
    assert.match(
      run.condition('Stalled')?.message ?? '',
      /spec.triggers\[0\] \(errors\).*not PromQL/,
    );
    assert.deepEqual(run.writes, []);
    assert.equal(run.hasFinalizer, false);
  });

  test('beside an older rollout on the same route does not start', () => {
    const run = new EngineHarness();
    run.conflict = 'elder';
    run.runUntil(T0 + HOUR);
    assert.equal(run.status.phase, 'Pending');
    assert.equal(run.condition('Accepted')?.reason, 'RouteConflict');
    run.conflict = undefined;
    run.nextAt = run.now;
    run.runFor(MINUTE);
    assert.equal(run.status.step, 'dark');
  });

  test('waits in preflight until the chain of every trigger is proved, and names the link', () => {
    const run = new EngineHarness({ world: { series: () => 'absent' } });
    run.runUntil(T0 + HOUR);
    assert.equal(run.status.phase, 'Preflight');
    assert.match(
      run.status.message ?? '',
      /^preflight: errors: the query answers nothing, for stable too/,
    );
    assert.deepEqual(
      run.status.holds?.map(({ reason, by }) => `${reason} ${by}`),
      ['ChainBroken errors'],
    );
    run.world.fault = () => 'unreachable';
    run.runFor(MINUTE);
    assert.match(run.status.message ?? '', /errors: Prometheus: unreachable/);
    run.world.fault = () => undefined;
    run.world.series = () => 0;
    run.runFor(MINUTE);
    assert.equal(run.status.step, 'dark');
  });

  test('with policy Advise is only told, with Skip not even that', () => {
    for (const policy of ['Advise', 'Skip'] as const) {
      const run = new EngineHarness({
        spec: { preflight: { policy } },
        world: { series: () => 'absent' },
      });
      run.runUntil(T0 + MINUTE);
      assert.equal(run.status.step, 'dark');
      assert.equal(run.told().includes('PreflightAdvice'), policy === 'Advise');
    }
  });

  test('goes on beyond preflight when canary answers at weight 0 already', () => {
    const run = new EngineHarness({
      world: { series: (query) => (query.includes('"new"') ? 0 : 'absent') },
    });
    run.runUntil(T0 + MINUTE);
    assert.equal(run.status.step, 'dark');
  });
});

describe('a new revision in mid-run', () => {
  test('with Restart brings canary to 0 first, then starts from the beginning', () => {
    const run = harness();
    run.edit({ revision: 'v3' });
    run.runUntil(T0 + 10 * HOUR);
    assert.deepEqual(writes(run), ['60m 50', '90m 0', '150m 50', '210m 100']);
    assert.equal(run.status.phase, 'Succeeded');
    assert.deepEqual(
      run.status.history?.map(({ revision, outcome }) => `${revision} ${outcome}`),
      ['v3 Succeeded', 'v2 Superseded'],
    );
  });

  test('does not start before every route reads 0, and is still watched until then', () => {
    const run = harness({
      world: {
        write: (_route, _action, now) =>
          now > T0 + 80 * MINUTE && now < T0 + 100 * MINUTE ? 'lost' : 'done',
        series: (query, atMs) => (query.includes('"new"') && atMs >= T0 + 91 * MINUTE ? 1 : 0),
      },
    });
    run.edit({ revision: 'v3' });
    run.runUntil(T0 + 92 * MINUTE);
    assert.equal(run.status.revision, 'v2');
    assert.match(run.status.message ?? '', /revision v3 starts once canary of this run is at 0%/);
    run.runUntil(T0 + 97 * MINUTE);
    assert.equal(run.status.phase, 'RollingBack');
    run.runUntil(T0 + 101 * MINUTE);
    assert.equal(run.status.revision, 'v3');
    assert.equal(run.status.history?.[0]?.outcome, 'RolledBack');
  });

  test('waits for a stable that is down: canary keeps its traffic', () => {
    const run = harness({
      world: { ready: (arm, now) => (arm === 'stable' && now >= T0 + 90 * MINUTE ? 0 : 2) },
    });
    run.edit({ revision: 'v3' });
    run.runFor(10 * MINUTE);
    assert.equal(run.weight(), 50);
    assert.equal(run.status.phase, 'Held');
    run.world.ready = () => 2;
    run.nextAt = run.now;
    run.runFor(MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.revision, 'v3');
  });

  test('with the Services turned round leads nobody to the canary that was under way', () => {
    const run = harness();
    run.edit({ revision: 'v3', traffic: turned });
    run.runUntil(T0 + 100 * MINUTE);
    assert.equal(run.weight(), 0, 'the share of the Service that was canary');
    assert.equal(run.status.revision, 'v3');
    // All traffic is on what is now called canary: only a person can say that the other serves.
    assert.equal(run.status.holds?.[0]?.reason, 'WouldServeOlderVersion');
  });

  test('in a run that has not moved anything moves nothing', () => {
    const run = new EngineHarness({ route: { weight: 100 } });
    run.runUntil(T0 + HOUR);
    run.edit({ revision: 'v3' });
    run.runFor(HOUR);
    assert.equal(run.weight(), 100);
    assert.deepEqual(run.writes, []);
    assert.equal(run.status.holds?.[0]?.reason, 'WouldServeOlderVersion');
  });

  test('that is replaced, raised by another before the first step, goes to 0 again', () => {
    const run = harness();
    run.edit({
      revision: 'v3',
      schedule: { steps: [{ name: 'full', at: '1h', weight: 100 }], end: '2h' },
    });
    run.runFor(MINUTE);
    run.writeElsewhere(40);
    run.runFor(MINUTE);
    assert.equal(run.weight(), 0);
    run.runFor(HOUR);
    assert.equal(run.weight(), 100);
  });

  test('with Queue starts when the run under way has ended, and says so until then', () => {
    const run = harness();
    run.edit({ revision: 'v3', onNewRevision: 'Queue' });
    run.runFor(MINUTE);
    assert.equal(run.status.revision, 'v2');
    assert.equal(run.condition('Accepted')?.reason, 'RevisionQueued');
    run.runUntil(T0 + 3 * HOUR + MINUTE);
    assert.equal(run.told().filter((reason) => reason === 'RevisionQueued').length, 1);
    assert.equal(run.status.revision, 'v3');
    assert.equal(run.status.history?.[0]?.outcome, 'Succeeded');
    assert.equal(run.condition('Accepted')?.reason, 'Accepted');
  });

  test('with Reject is refused, also once the run has ended, until it is applied again', () => {
    const run = harness();
    run.edit({ revision: 'v3', onNewRevision: 'Reject' });
    run.runFor(MINUTE);
    assert.equal(run.condition('Accepted')?.status, 'False');
    assert.equal(run.condition('Accepted')?.reason, 'RevisionRejected');
    run.runUntil(T0 + 5 * HOUR);
    assert.equal(run.status.revision, 'v2');
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.condition('Accepted')?.reason, 'RevisionRejected');
    const told = run.events.filter(({ reason }) => reason === 'RevisionRejected');
    assert.deepEqual(
      told.map(({ type }) => type),
      ['Warning'],
    );
    assert.match(
      told[0]?.note ?? '',
      /^revision v3 came while revision v2 was under way and is rejected/,
    );
    run.edit({ revision: 'v4' });
    run.runFor(MINUTE);
    assert.equal(run.status.revision, 'v4');
    assert.equal(run.condition('Accepted')?.reason, 'Accepted');
  });

  test('that was rejected is started by a retry once the run has ended', () => {
    const run = harness();
    run.edit({ revision: 'v3', onNewRevision: 'Reject' });
    run.runUntil(T0 + 5 * HOUR);
    run.annotate('retry 1');
    run.runFor(MINUTE);
    assert.equal(run.status.revision, 'v3');
  });

  for (const crash of ['beforeFirst', 'beforeStatus', 'beforeActions'] as const) {
    test(`(crash ${crash}) ends in the same run of the new revision`, () => {
      const run = harness();
      run.edit({ revision: 'v3' });
      run.crashNext = crash;
      run.look();
      run.crashNext = crash;
      run.sleepUntil(run.now + SECOND);
      run.look();
      run.runUntil(T0 + 10 * HOUR);
      assert.equal(run.status.phase, 'Succeeded');
      assert.deepEqual(
        run.status.history?.map(({ revision, outcome }) => `${revision} ${outcome}`),
        ['v3 Succeeded', 'v2 Superseded'],
      );
    });
  }
});

describe('the next revision of an ended run', () => {
  test('with blue and green in changed roles changes nothing at its first step', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.weight(), 100);
    run.edit({ revision: 'v3', traffic: turned });
    run.runUntil(T0 + 4 * HOUR + 30 * MINUTE);
    assert.equal(run.status.step, 'dark');
    assert.deepEqual(writes(run), ['60m 50', '120m 100']);
    run.runUntil(T0 + 9 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.weight(), 0);
  });

  test('with the same roles is held: its first step would serve something older', () => {
    const run = new EngineHarness();
    run.runUntil(T0 + 4 * HOUR);
    run.edit({ revision: 'v3' });
    run.runUntil(T0 + 10 * HOUR);
    assert.equal(run.weight(), 100);
    assert.equal(run.status.phase, 'Held');
    assert.match(run.status.message ?? '', /canary serves 100% now and step dark would give it 0%/);
  });

  test('after a rollback starts at once, with nothing of the old one left', () => {
    const run = harness();
    run.annotate('abort 1');
    run.runFor(MINUTE);
    run.edit({ revision: 'v3' });
    run.runFor(MINUTE);
    const { rollback, step, acknowledgedHolds, finishedAt } = run.status;
    assert.deepEqual(
      { rollback, step, acknowledgedHolds, finishedAt },
      { rollback: undefined, step: 'dark', acknowledgedHolds: undefined, finishedAt: undefined },
    );
    run.runFor(4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
  });

  test('keeps only so many runs in history', () => {
    const run = new EngineHarness({ spec: { historyLimit: 2 } });
    for (const revision of ['a', 'b', 'c', 'd']) {
      run.edit({ revision });
      run.runFor(MINUTE);
      run.annotate(`abort ${revision}`);
      run.runFor(MINUTE);
    }
    assert.deepEqual(
      run.status.history?.map((entry) => entry.revision),
      ['d', 'c'],
    );
  });
});
