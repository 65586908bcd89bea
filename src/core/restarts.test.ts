/** Workloads that read the flag only at their start: each change of the flag restarts them once, and never twice. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { rolloutSpecSchema } from '#api/rollout.ts';
import { inspectQuery } from '#promql/inspect-query.ts';
import { HOUR, MINUTE, resolved, rolloutSpec, SECOND, T0 } from '#test/builders.ts';
import { EngineHarness, type HarnessOptions } from '#test/engine-harness.ts';
import { resolveSpec } from './resolve.ts';
import { unsupported } from './unsupported.ts';

const traffic = {
  stable: { service: 'old', port: 80 },
  canary: { service: 'new', port: 80 },
  routes: [{ kind: 'HTTPRoute', name: 'web' }],
  featureFlag: {
    configMap: 'flags',
    key: 'share',
    format: 'Percent' as const,
    restart: [{ kind: 'Deployment' as const, name: 'a2a' }],
  },
};

/** The flag has moved to 50 at one hour. */
function harness(options: HarnessOptions = {}): EngineHarness {
  return new EngineHarness({ ...options, spec: { traffic, ...options.spec } });
}

const restartsOf = (run: EngineHarness) =>
  run.timeline.flatMap(({ at, actions }) =>
    actions.filter((one) => one.startsWith('Restart')).map((one) => `${(at - T0) / SECOND} ${one}`),
  );

describe('a workload that reads the flag at its start', () => {
  test('is not restarted while the flag stays at 0', () => {
    const run = harness();
    run.runUntil(T0 + 59 * MINUTE);
    assert.notEqual(run.passedAt('dark'), undefined);
    assert.deepEqual(restartsOf(run), []);
    assert.equal(run.workloads.of('a2a').restarts, 0);
  });

  test('is restarted once the flag is read back, and the step begins when it runs with it', () => {
    const run = harness();
    run.runUntil(T0 + HOUR + 19 * SECOND);
    assert.deepEqual([run.weight('flags'), run.weight()], [50, 50]);
    assert.deepEqual(restartsOf(run), ['3600 Restart a2a 50']);
    assert.equal(run.passedAt('half'), undefined);
    assert.equal(run.condition('Ready')?.reason, 'RestartPending');
    assert.match(run.status.message ?? '', /half: waiting until .*: Deployment a2a$/);
    run.runUntil(T0 + HOUR + 21 * SECOND);
    assert.equal(run.passedAt('half'), '2026-11-22T13:00:20Z');
    assert.deepEqual(run.status.restarts, [{ kind: 'Deployment', name: 'a2a', weight: 50 }]);
    run.runUntil(T0 + 4 * HOUR);
    assert.equal(run.status.phase, 'Succeeded');
    assert.equal(run.workloads.of('a2a').restarts, 2);
    const told = run.told().filter((reason) => reason === 'WorkloadRestarted');
    assert.equal(told.length, 2);
  });

  test('is restarted by the next look when the process dies between flag and restart', () => {
    const run = harness();
    run.runUntil(T0 + HOUR - 1);
    for (let looks = 0; looks < 50 && run.weight('flags') === 0; looks += 1) {
      run.now = Math.max(run.now, T0 + HOUR);
      run.look();
    }
    assert.equal(run.weight('flags'), 50);
    run.crashNext = 'beforeActions';
    run.look();
    assert.equal(run.workloads.of('a2a').restarts, 0, 'it died before the restart');
    run.restart();
    run.runFor(MINUTE);
    assert.equal(run.workloads.of('a2a').mark, 50);
    assert.equal(run.workloads.of('a2a').restarts, 1);
    assert.notEqual(run.passedAt('half'), undefined);
  });

  test('is not restarted again by a process that dies after the restart', () => {
    const run = harness();
    run.runUntil(T0 + HOUR + SECOND);
    run.crashNext = 'beforeStatus';
    run.look();
    run.restart();
    run.runFor(10 * MINUTE);
    assert.equal(run.workloads.of('a2a').restarts, 1);
  });

  test('follows a rollback at once, and nothing waits for it but the end of the first stage', () => {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.world.series = () => 1;
    run.runFor(6 * MINUTE);
    const lowered = run.writes.filter(({ weight }) => weight === 0);
    assert.deepEqual(lowered.map(({ route }) => route).sort(), ['flags', 'web']);
    const [first] = lowered;
    assert.ok(first !== undefined);
    assert.ok(lowered.every(({ at }) => at === first.at));
    assert.equal(restartsOf(run).at(-1), `${(first.at - T0) / SECOND} Restart a2a 0`);
    const [stage] = run.status.rollback?.stages ?? [];
    assert.equal(stage?.outcome, 'Succeeded');
    assert.equal(Date.parse(stage?.finishedAt ?? '') - first.at, 20 * SECOND);
    assert.equal(run.workloads.of('a2a').restarts, 2);
    assert.equal(run.status.phase, 'RolledBack');
  });

  test('that does not come round makes the first stage of a rollback an overrun, which names it', () => {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.workloads.of('a2a').tookMs = HOUR;
    run.world.series = () => 1;
    run.runFor(50 * SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    const during = run.status.rollback?.stages[0];
    assert.match(during?.message ?? '', /reads 0% canary; not restarted .*: Deployment a2a$/);
    run.runFor(2 * MINUTE);
    const [stage] = run.status.rollback?.stages ?? [];
    assert.equal(stage?.outcome, 'Overrun');
    assert.match(stage?.message ?? '', /not restarted with the flag yet: Deployment a2a$/);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.route().isolated, false, 'routes that read 0 are left as they are');
  });

  test('that was restarted when the process died in a rollback is restarted once', () => {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.world.series = () => 1;
    for (let looks = 0; looks < 500 && run.weight('flags') === 50; looks += 1) {
      run.now = Math.max(run.now, run.nextAt ?? run.now);
      run.look();
    }
    run.crashNext = 'beforeStatus';
    run.look();
    assert.equal(
      run.workloads.of('a2a').mark,
      0,
      'like the routes it does not wait for the status',
    );
    run.restart();
    run.runFor(10 * MINUTE);
    assert.equal(run.workloads.of('a2a').restarts, 2);
  });
});

describe('a workload that cannot be restarted', () => {
  test('because it is not there is told once, and holds neither steps nor rollback', () => {
    const run = harness();
    run.workloads.of('a2a').mode = 'missing';
    run.runUntil(T0 + HOUR + 2 * SECOND);
    assert.notEqual(run.passedAt('half'), undefined);
    assert.match(run.status.restarts?.[0]?.problem ?? '', /a2a is missing/);
    run.world.series = () => 1;
    run.runFor(10 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.stages[0]?.outcome, 'Succeeded');
    assert.equal(run.told().filter((reason) => reason === 'WorkloadNotFound').length, 1);
  });

  for (const mode of ['refused', 'unknown'] as const) {
    test(`because it is ${mode} keeps the step from beginning, and is tried until it goes`, () => {
      const run = harness();
      const workload = run.workloads.of('a2a');
      workload.mode = mode;
      workload.tookMs = 0;
      run.runUntil(T0 + HOUR + MINUTE);
      assert.deepEqual([run.weight('flags'), run.passedAt('half')], [50, undefined]);
      const told = run.told().filter((reason) => reason === 'RestartBlocked');
      assert.equal(told.length, mode === 'refused' ? 1 : 0);
      workload.mode = 'read';
      run.runFor(MINUTE);
      assert.notEqual(run.passedAt('half'), undefined);
      assert.equal(run.status.restarts?.[0]?.problem, undefined);
    });
  }

  test('because it is paused is told once and named in the status', () => {
    const run = harness();
    const workload = run.workloads.of('a2a');
    workload.obstacle = 'it is paused';
    run.runUntil(T0 + HOUR + 10 * MINUTE);
    assert.equal(run.passedAt('half'), undefined);
    assert.equal(run.status.restarts?.[0]?.problem, 'it is paused');
    assert.equal(run.told().filter((reason) => reason === 'RestartBlocked').length, 1);
    const written = run.statusWrites;
    run.runFor(10 * MINUTE);
    assert.equal(run.statusWrites, written, 'and nothing is written while it stays so');
  });
});

describe('the mark on a template', () => {
  test('that another writer takes off restarts nothing: its own rollout has done so', () => {
    const run = harness();
    run.runUntil(T0 + HOUR + 30 * MINUTE);
    run.workloads.of('a2a').mark = undefined;
    run.runFor(10 * MINUTE);
    assert.equal(run.workloads.of('a2a').restarts, 1);
    run.world.series = () => 1;
    run.runFor(10 * MINUTE);
    assert.equal(run.workloads.of('a2a').mark, 0, 'but the next change does');
  });

  test('of another run is followed down by a run that begins', () => {
    const run = harness();
    run.workloads.of('a2a').mark = 100;
    run.runUntil(T0 + MINUTE);
    assert.equal(run.workloads.of('a2a').mark, 0);
    assert.equal(run.workloads.of('a2a').restarts, 1);
  });

  test('goes to 0 when the rollout is deleted with canary traffic', () => {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.delete();
    run.runFor(MINUTE);
    assert.equal(run.hasFinalizer, false);
    assert.deepEqual([run.weight('flags'), run.workloads.of('a2a').mark], [0, 0]);
  });

  test('stays when the rollout is deleted and traffic is to be kept', () => {
    const run = harness({ spec: { deletionPolicy: 'KeepTraffic' } });
    run.runUntil(T0 + 90 * MINUTE);
    run.delete();
    run.runFor(MINUTE);
    assert.deepEqual([run.weight('flags'), run.workloads.of('a2a').mark], [50, 50]);
  });

  test('follows another revision that starts anew', () => {
    const run = harness();
    run.runUntil(T0 + 90 * MINUTE);
    run.edit({ revision: 'v3' });
    run.runFor(5 * MINUTE);
    assert.deepEqual([run.weight('flags'), run.workloads.of('a2a').mark], [0, 0]);
    assert.equal(run.workloads.of('a2a').restarts, 2);
  });
});

describe('spec.traffic.featureFlag.restart', () => {
  test('examples/genesis-48h.yaml resolves as a whole', () => {
    const text = readFileSync(new URL('../../examples/genesis-48h.yaml', import.meta.url), 'utf8');
    const { spec } = parse(text) as { readonly spec: unknown };
    const found = resolved(spec);
    assert.deepEqual(found.type === 'invalid' ? found.problems : [], []);
    assert.deepEqual(unsupported(rolloutSpecSchema.parse(spec)), []);
    assert.ok(found.type === 'ok');
    assert.deepEqual(found.run.restarts, [
      {
        namespace: 'shop',
        kind: 'Deployment',
        name: 'genesis-a2a',
        flag: 'genesis-flags/flags.json/genesis-rollout',
      },
    ]);
  });

  test('a kind that cannot be restarted is refused with a sentence', () => {
    const spec = rolloutSpecSchema.parse(rolloutSpec({ traffic }));
    Object.assign(spec.traffic.featureFlag?.restart[0] ?? {}, { kind: 'CronJob' });
    const input = { namespace: 'shop', name: 'checkout', spec, inspect: inspectQuery };
    const found = resolveSpec(input);
    assert.deepEqual(found.type === 'invalid' ? found.problems : [], [
      'spec.traffic.featureFlag.restart[0].kind: "CronJob" cannot be restarted; allowed are Deployment, StatefulSet, DaemonSet',
    ]);
  });
});
