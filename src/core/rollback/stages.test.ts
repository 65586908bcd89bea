/** Stages 2 to 5 of a rollback: each succeeds, fails or runs over, in order, within the SLA or not, and hooks once. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutSpecInput } from '#api/rollout.ts';
import { errorsTrigger, HOUR, MINUTE, SECOND, suiteRun, T0 } from '#test/builders.ts';
import { type Crash, EngineHarness, type World } from '#test/engine-harness.ts';

type Rollback = NonNullable<RolloutSpecInput['rollback']>;

const START = T0 + 90 * MINUTE;
const DECIDED = START + MINUTE;
const isCanary = (query: string) => query.includes('"new"');
const at = (ms: number) => new Date(ms).toISOString().replace('.000Z', 'Z');

const health = { url: 'http://stable/health' };
const suite = { name: 'smoke', interval: '1h', timeout: '1m', http: { url: 'http://suite/run' } };
const baseline = [{ name: 'errors', query: 'errors{service="$(arm.service)"}', condition: '< 1%' }];
const jobTemplate = {
  spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'x' }] } } },
};
const hook = (stage: 'StopTraffic' | 'Verify' | 'Restore' | 'Stabilize' | 'Report') => ({
  stage,
  jobTemplate,
});

/** At 50 % since 1h; canary fails from START on, so that the decision falls at DECIDED. */
function harness(rollback: Rollback, world: Partial<World> = {}): EngineHarness {
  const run = new EngineHarness({
    spec: {
      triggers: [{ ...errorsTrigger, for: '1m' }],
      healthSuites: [suite],
      rollback,
    },
    world: {
      series: (query, atMs) => (isCanary(query) && atMs >= START ? 1 : 0),
      probe: () => true,
      ...world,
    },
  });
  run.runUntil(DECIDED - SECOND);
  return run;
}

function stages(run: EngineHarness): string[] {
  return (run.status.rollback?.stages ?? []).map(({ name, outcome, startedAt, finishedAt }) => {
    const from = (Date.parse(startedAt) - DECIDED) / SECOND;
    const to = finishedAt === undefined ? '' : (Date.parse(finishedAt) - DECIDED) / SECOND;
    return `${name} ${outcome} ${from}-${to}`;
  });
}

/** Rolled back within the SLA, with this outcome and these stages. */
function assertEnded(run: EngineHarness, outcome: string, expected: readonly string[]): void {
  assert.deepEqual(stages(run), expected);
  const { phase, rollback } = run.status;
  assert.deepEqual([phase, rollback?.outcome, rollback?.withinSla], ['RolledBack', outcome, true]);
}

function outcomes(run: EngineHarness): Record<string, string> {
  return Object.fromEntries(
    (run.status.rollback?.stages ?? []).map(({ name, outcome }) => [name, outcome]),
  );
}

describe('a rollback with nothing configured', () => {
  test('is over as soon as the look that reads 0 has had its report written', () => {
    const run = harness({});
    const looks = run.timeline.length;
    run.runUntil(DECIDED);
    assert.deepEqual(
      run.timeline.slice(looks, looks + 3).map(({ phase }) => phase),
      ['RollingBack', 'RollingBack', 'RolledBack'],
    );
    assertEnded(run, 'Succeeded', [
      'StopTraffic Succeeded 0-0',
      'Verify Skipped 0-0',
      'Restore Skipped 0-0',
      'Stabilize Skipped 0-0',
      'Report Succeeded 0-0',
    ]);
  });
});

describe('every stage configured', () => {
  const all: Rollback = {
    health,
    healthSuite: 'smoke',
    baseline,
    hooks: [hook('StopTraffic'), hook('Restore')],
  };

  test('and well: one after the other, Succeeded within the SLA', () => {
    const run = harness(all, {
      suite: () => suiteRun({ passed: 9, flaky: 1 }),
      job: (_name, createdAt, now) => ({
        type: now < createdAt + 90 * SECOND ? 'running' : 'succeeded',
      }),
    });
    run.runUntil(DECIDED);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RollingBack');
    run.runUntil(DECIDED + 10 * MINUTE);
    assertEnded(run, 'Succeeded', [
      'StopTraffic Succeeded 0-0',
      'Verify Succeeded 0-20',
      'Restore Succeeded 20-111',
      'Stabilize Succeeded 111-180',
      'Report Succeeded 180-180',
    ]);
    assert.equal(run.status.rollback?.completedAt, at(DECIDED + 180 * SECOND));
    assert.deepEqual(
      run.status.rollback?.hooks?.map(({ stage, outcome, startedAt }) => [
        stage,
        outcome,
        startedAt,
      ]),
      [
        ['StopTraffic', 'Succeeded', at(DECIDED)],
        ['Restore', 'Succeeded', at(DECIDED + 20 * SECOND)],
      ],
    );
  });

  test('and nothing goes well: each is over its budget, told, and Degraded; canary was at 0 at once', () => {
    const run = harness(all, {
      probe: () => false,
      suite: () => suiteRun({ passed: 8, failed: 2 }),
      job: () => ({ type: 'running' }),
      series: (query, atMs) => (atMs >= START && query.startsWith('errors') ? 1 : 0),
    });
    run.runUntil(DECIDED);
    assert.equal(run.weight(), 0);
    run.runUntil(DECIDED + HOUR);
    assertEnded(run, 'Degraded', [
      'StopTraffic Succeeded 0-0',
      'Verify Overrun 0-120',
      'Restore Overrun 120-420',
      'Stabilize Overrun 420-720',
      'Report Succeeded 720-720',
    ]);
    const told = run.told();
    assert.equal(told.filter((reason) => reason === 'RollbackStageOverrun').length, 3);
    assert.equal(told.filter((reason) => reason === 'RollbackDegraded').length, 1);
    const [, verify, , stabilize] = run.status.rollback?.stages ?? [];
    assert.match(
      verify?.message ?? '',
      /http:\/\/stable\/health does not answer 2xx; suite smoke: 8 of 10 passed/,
    );
    assert.match(stabilize?.message ?? '', /errors is 100%, not < 1%/);
  });
});

describe('one stage', () => {
  const cases: readonly [string, Rollback, Partial<World>, Record<string, string>, string][] = [
    [
      'Verify waits for an endpoint that comes back',
      { health },
      { probe: (_url, now) => now >= DECIDED + MINUTE },
      { Verify: 'Succeeded' },
      'Succeeded',
    ],
    [
      'Verify is over its budget when nobody could ask',
      { health },
      { probe: () => undefined },
      { Verify: 'Overrun' },
      'Degraded',
    ],
    [
      'Verify runs the suite again after a run that failed, and takes the good one',
      { healthSuite: 'smoke' },
      {
        suite: (_name, now) =>
          suiteRun(now < DECIDED + 10 * SECOND ? { passed: 1, failed: 1 } : { passed: 2 }),
      },
      { Verify: 'Succeeded' },
      'Succeeded',
    ],
    [
      'Restore fails with its hook, and the stages after it go on',
      {
        hooks: [hook('Restore')],
        baseline: [{ ...baseline[0], name: 'errors', condition: '< 1%', for: '0s' }],
      },
      { job: () => ({ type: 'failed', message: 'BackoffLimitExceeded' }) },
      { Restore: 'Failed', Stabilize: 'Succeeded', Report: 'Succeeded' },
      'Degraded',
    ],
    [
      'Stabilize with a baseline that has no reading of stable runs over',
      { baseline },
      {
        series: (query, atMs) =>
          isCanary(query) ? Number(atMs >= START) : atMs >= DECIDED ? 'absent' : 0,
      },
      { Stabilize: 'Overrun' },
      'Degraded',
    ],
    [
      'Stabilize takes a result of the suite that Verify has had run',
      { healthSuite: 'smoke', baseline: [{ name: 'rate', suite: 'smoke', condition: '>= 98%' }] },
      { suite: () => suiteRun({ passed: 100 }) },
      { Verify: 'Succeeded', Stabilize: 'Succeeded' },
      'Succeeded',
    ],
    [
      'a hook of StopTraffic that fails makes Restore fail',
      { hooks: [hook('StopTraffic')] },
      { job: () => ({ type: 'failed', message: 'no such image' }) },
      { StopTraffic: 'Succeeded', Restore: 'Failed' },
      'Degraded',
    ],
  ];
  for (const [name, rollback, world, expected, outcome] of cases) {
    test(name, () => {
      const run = harness(rollback, world);
      run.runUntil(DECIDED + 20 * MINUTE);
      assert.equal(run.status.phase, 'RolledBack');
      assert.deepEqual(
        { ...outcomes(run), ...expected },
        outcomes(run),
        JSON.stringify(stages(run)),
      );
      assert.equal(run.status.rollback?.outcome, outcome);
    });
  }

  test('Stabilize wants the baseline for a minute, and a relapse starts that minute again', () => {
    const run = harness(
      { baseline },
      {
        series: (query, atMs) =>
          isCanary(query)
            ? Number(atMs >= START)
            : Number(atMs >= DECIDED + 30 * SECOND && atMs < DECIDED + MINUTE),
      },
    );
    run.runUntil(DECIDED + 10 * MINUTE);
    assert.deepEqual(stages(run)[3], 'Stabilize Succeeded 0-120');
  });
});

describe('the SLA', () => {
  test('that runs out is told at once, and once; the end says so', () => {
    const run = harness(
      { sla: '3m', health, baseline },
      { probe: () => false, series: (query, atMs) => Number(atMs >= START && query !== '') },
    );
    run.runUntil(DECIDED + HOUR);
    const missed = run.events.filter(({ reason }) => reason === 'RollbackSlaMissed');
    assert.deepEqual(
      missed.map((event) => event.at),
      [DECIDED + 3 * MINUTE + 1],
    );
    assert.equal(run.status.rollback?.withinSla, false);
    assert.equal(run.status.phase, 'RolledBack');
  });
});

describe('during the later stages', () => {
  test('drift is lowered, nothing rises, and the end waits for it', () => {
    const run = harness({ health }, { probe: () => false });
    run.runUntil(DECIDED + MINUTE);
    run.writeElsewhere(40);
    run.runUntil(run.now + SECOND);
    assert.equal(run.weight(), 0);
    run.runUntil(DECIDED + 119 * SECOND);
    run.world.write = (_route, _action, now) => (now < DECIDED + 3 * MINUTE ? 'lost' : 'done');
    run.writeElsewhere(40);
    run.runUntil(DECIDED + 170 * SECOND);
    assert.equal(run.status.phase, 'RollingBack');
    assert.deepEqual(outcomes(run)['Report'], 'Succeeded');
    run.runUntil(DECIDED + 4 * MINUTE);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.weight(), 0);
    assert.deepEqual(
      run.writes.filter((write) => write.at >= DECIDED && write.weight > 0),
      [],
    );
  });

  test('a steady wait writes nothing', () => {
    const run = harness({ hooks: [hook('Restore')] }, { job: () => ({ type: 'running' }) });
    run.runUntil(DECIDED + MINUTE);
    const writes = run.statusWrites;
    run.runUntil(DECIDED + 4 * MINUTE);
    assert.equal(run.statusWrites, writes);
  });
});

describe('hooks', () => {
  test('of StopTraffic never delay it: nothing of them comes before the first lowering', () => {
    const run = harness({ hooks: [hook('StopTraffic')] }, { job: () => ({ type: 'running' }) });
    run.runUntil(DECIDED);
    const decision = run.timeline.find((one) => one.rule === 'fired');
    assert.deepEqual(decision?.actions, ['SetWeight web 0']);
    assert.equal(run.weight(), 0);
    assert.equal(outcomes(run)['StopTraffic'], 'Succeeded');
    assert.equal(run.jobs.created.size, 1);
  });

  test('are begun while traffic cannot be stopped', () => {
    const run = harness(
      { hooks: [hook('StopTraffic')] },
      { write: (_route, _action, now) => (now >= START ? 'lost' : 'done') },
    );
    run.runUntil(DECIDED + 10 * SECOND);
    assert.equal(run.weight(), 50);
    assert.equal(run.jobs.created.size, 1);
  });
});

describe('a process that dies at any write of a rollback', () => {
  const rollback: Rollback = {
    health,
    healthSuite: 'smoke',
    baseline,
    hooks: [hook('StopTraffic'), hook('Restore'), hook('Restore'), hook('Report')],
  };
  const world: Partial<World> = {
    suite: () => suiteRun({ passed: 3 }),
    job: (_name, createdAt, now) => ({
      type: now < createdAt + 30 * SECOND ? 'running' : 'succeeded',
    }),
  };
  const undisturbed = harness(rollback, world);
  undisturbed.runUntil(DECIDED);
  const before = undisturbed.statusWrites;
  undisturbed.runUntil(DECIDED + 20 * MINUTE);
  const writes = undisturbed.statusWrites - before + 2;

  for (const crash of ['beforeFirst', 'beforeStatus', 'beforeActions'] as const satisfies Crash[]) {
    test(`(${crash}) leaves the same outcome, and every hook runs once`, () => {
      assert.ok(writes >= 5, `${writes} writes`);
      for (let nth = 0; nth < writes; nth += 1) {
        const run = harness(rollback, world);
        const from = run.statusWrites;
        let guard = 0;
        while (run.statusWrites - from < nth && (run.nextAt ?? 0) < DECIDED + 20 * MINUTE) {
          run.runUntil(Math.max(run.now, run.nextAt ?? run.now));
          assert.ok((guard += 1) < 1_000);
        }
        run.crashNext = crash;
        run.look();
        run.restart();
        run.sleepUntil(run.now + 5 * SECOND);
        run.runUntil(DECIDED + 30 * MINUTE);
        assert.equal(run.status.phase, 'RolledBack', `after write ${nth}`);
        assert.equal(run.status.rollback?.outcome, 'Succeeded', JSON.stringify(stages(run)));
        assert.equal(run.weight(), 0);
        assert.equal(run.jobs.created.size, 4);
        assert.equal(run.status.rollback?.hooks?.length, 4);
        assert.equal(run.status.history?.length, 1);
      }
    });
  }
});

describe('sticky sessions', () => {
  const sticky = {
    problems: [{ reason: 'SessionPersistence', message: 'pinned', blocking: false }],
  };

  test('are broken in the first stage: canary is cut off as soon as the route reads 0', () => {
    const run = new EngineHarness({
      spec: { triggers: [{ ...errorsTrigger, for: '1m' }] },
      world: { series: (query, atMs) => (isCanary(query) && atMs >= START ? 1 : 0) },
      route: sticky,
    });
    run.runUntil(DECIDED + SECOND);
    assert.equal(run.route().isolated, true);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.outcome, 'Succeeded');
  });

  test('that cannot be broken are an overrun, and Degraded', () => {
    const run = new EngineHarness({
      spec: { triggers: [{ ...errorsTrigger, for: '1m' }] },
      world: {
        series: (query, atMs) => (isCanary(query) && atMs >= START ? 1 : 0),
        write: (_route, action) => (action.type === 'Isolate' ? 'lost' : 'done'),
      },
      route: sticky,
    });
    run.runUntil(DECIDED + 2 * MINUTE);
    assert.equal(run.weight(), 0);
    assert.equal(run.status.phase, 'RolledBack');
    assert.equal(run.status.rollback?.outcome, 'Degraded');
    assert.match(
      run.status.rollback?.stages[0]?.message ?? '',
      /pinned to canary could not be broken/,
    );
  });
});
