/** The clocks of a rollback, the health suites and the monitoring systems of a rollout, as they are scraped. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '#api/status.ts';
import { key, setUp } from '#test/telemetry/scraped-telemetry.ts';
import type { SeenBefore, SeenSuites } from './look.ts';

const labels = 'namespace="shop",rollout="checkout"';
const before: SeenBefore = { now: 0, status: {}, recorded: { rollback: { slaMs: 900_000 } } };
const iso = (atMs: number) => new Date(atMs).toISOString();

describe('the clocks of a rollback', () => {
  const rollingBack = (nowMs: number): RolloutStatus => ({
    phase: 'RollingBack',
    rollback: {
      reason: 'Aborted',
      message: '',
      startedAt: iso(nowMs - 60_000),
      slaDeadline: '',
      stages: [
        {
          name: 'StopTraffic',
          startedAt: iso(nowMs - 60_000),
          finishedAt: iso(nowMs - 58_000),
          outcome: 'Succeeded',
          message: '',
        },
        { name: 'Verify', startedAt: iso(nowMs - 58_000), outcome: 'Running', message: '' },
      ],
    },
  });

  test('stand at 0 before there is one', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.reconciles.decided(key, before, { status: { phase: 'Held' }, triggers: [] });
    const stages = ['StopTraffic', 'Verify', 'Restore', 'Stabilize', 'Report'];
    assert.deepEqual(
      await linesOf('genesis_rollback_stage_seconds'),
      stages.map((stage) => `genesis_rollback_stage_seconds{${labels},stage="${stage}"} 0`),
    );
    assert.match((await linesOf('genesis_rollback_elapsed_seconds')).join(), / 0$/);
    assert.match((await linesOf('genesis_rollback_sla_seconds')).join(), / 900$/);
  });

  test('run at the scrape, each stage until it ends', async () => {
    const { clock, telemetry, linesOf } = setUp();
    const status = rollingBack(clock.now());
    telemetry.reconciles.decided(key, before, { status, triggers: [] });
    await clock.advance(5_000);
    const [stop, verify, restore] = await linesOf('genesis_rollback_stage_seconds');
    assert.match(stop ?? '', / 2$/);
    assert.match(verify ?? '', / 63$/);
    assert.match(restore ?? '', / 0$/);
    assert.match((await linesOf('genesis_rollback_elapsed_seconds')).join(), / 65$/);
  });

  test('stop with the rollback', async () => {
    const { clock, telemetry, linesOf } = setUp();
    const { rollback } = rollingBack(clock.now());
    assert.ok(rollback !== undefined);
    const done = { rollback: { ...rollback, completedAt: iso(clock.now()) } };
    telemetry.reconciles.decided(key, before, { status: done, triggers: [] });
    await clock.advance(5_000);
    assert.match((await linesOf('genesis_rollback_elapsed_seconds')).join(), / 60$/);
  });
});

describe('a health suite', () => {
  const run = (finishedAtMs: number, failed: number, skipped = 0) =>
    ({
      startedAtMs: finishedAtMs - 2_000,
      finishedAtMs,
      outcome: {
        type: 'done',
        total: 36,
        passed: 36 - failed - skipped,
        failed,
        skipped,
        knownFlaky: Math.min(1, failed),
      },
    }) as const;
  const broken = (finishedAtMs: number) =>
    ({ startedAtMs: 0, finishedAtMs, outcome: { type: 'failed' } }) as const;
  const suites = (...runs: NonNullable<ReturnType<SeenSuites['get']>>['runs']): SeenSuites =>
    new Map([['health', { runs }]]);
  const suite = `${labels},suite="health"`;

  test('is counted over its runs, each once', async () => {
    const { telemetry, linesOf } = setUp();
    for (const seen of [
      suites(run(10_000, 0)),
      suites(run(10_000, 0), broken(15_000)),
      suites(broken(15_000), run(20_000, 3, 6)),
    ]) {
      telemetry.reconciles.decided(key, { ...before, suites: seen }, { status: {}, triggers: [] });
    }
    for (const [name, line] of [
      ['genesis_tests_total', '72'],
      ['genesis_tests_passed_total', '63'],
      ['genesis_tests_failed_total', '3'],
      ['genesis_tests_skipped_total', '6'],
      ['genesis_tests_known_flaky_total', '1'],
      ['genesis_test_pass_rate', '0.9'],
      ['genesis_suite_duration_seconds', '2'],
      ['genesis_suite_finished_timestamp_seconds', '20'],
    ] as const) {
      assert.deepEqual(await linesOf(name), [`${name}{${suite}} ${line}`]);
    }
    assert.deepEqual(await linesOf('genesis_suite_runs_total'), [
      `genesis_suite_runs_total{${suite},outcome="done"} 2`,
      `genesis_suite_runs_total{${suite},outcome="failed"} 1`,
    ]);
    assert.deepEqual(await linesOf('genesis_suite_tests'), [
      `genesis_suite_tests{${suite},result="passed"} 27`,
      `genesis_suite_tests{${suite},result="failed"} 3`,
      `genesis_suite_tests{${suite},result="skipped"} 6`,
      `genesis_suite_tests{${suite},result="known_flaky"} 1`,
    ]);
  });

  test('that skipped everything has no pass rate', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.reconciles.decided(
      key,
      { ...before, suites: suites(run(10_000, 0, 36)) },
      { status: {}, triggers: [] },
    );
    assert.deepEqual(await linesOf('genesis_test_pass_rate'), []);
  });
});

describe('Prometheus', () => {
  const rows: readonly (readonly [name: string, answers: SeenBefore['answers'], up: string])[] = [
    ['that has answered is up', new Map([['i 1 x', { type: 'samples' }]]), '1'],
    ['that refuses a query is up', new Map([['i 1 x', { type: 'error', fault: 'badQuery' }]]), '1'],
    [
      'that cannot be reached is down',
      new Map([['r 1 x', { type: 'error', fault: 'unreachable' }]]),
      '0',
    ],
  ];
  for (const [name, answers, up] of rows) {
    test(name, async () => {
      const { telemetry, linesOf } = setUp();
      telemetry.reconciles.decided(
        key,
        { ...before, answers: answers ?? new Map() },
        { status: {}, triggers: [] },
      );
      // A look that asks nothing knows no better.
      telemetry.reconciles.decided(key, before, { status: {}, triggers: [] });
      assert.deepEqual(await linesOf('genesis_monitoring_up'), [
        `genesis_monitoring_up{${labels},system="prometheus"} ${up}`,
      ]);
    });
  }
});

describe('a check of the metric chain', () => {
  const up = { state: 'Up' };
  const link = (name: string, verdict: string) => ({ link: name, verdict });
  const report = {
    checkedAtMs: 1_700_000_000_000,
    findings: [link('metric', 'fine'), link('metric', 'fine'), link('panel', 'broken')],
    health: {
      prometheus: up,
      alertmanager: { state: 'Down' },
      grafana: { state: 'NotConfigured' },
    },
  };

  test('shows links by verdict, when it was, and which systems answer', async () => {
    const { telemetry, linesOf } = setUp();
    const chain = { type: 'known', report } as const;
    telemetry.reconciles.decided(key, { ...before, chain }, { status: {}, triggers: [] });
    assert.deepEqual(await linesOf('genesis_chain_links'), [
      `genesis_chain_links{${labels},link="metric",verdict="fine"} 2`,
      `genesis_chain_links{${labels},link="panel",verdict="broken"} 1`,
    ]);
    assert.deepEqual(await linesOf('genesis_chain_check_timestamp_seconds'), [
      `genesis_chain_check_timestamp_seconds{${labels}} 1700000000`,
    ]);
    assert.deepEqual(await linesOf('genesis_monitoring_up'), [
      `genesis_monitoring_up{${labels},system="prometheus"} 1`,
      `genesis_monitoring_up{${labels},system="alertmanager"} 0`,
    ]);
  });

  test('shows nothing before the first', async () => {
    const { telemetry, linesOf } = setUp();
    const chain = { type: 'unknown' } as const;
    telemetry.reconciles.decided(key, { ...before, chain }, { status: {}, triggers: [] });
    assert.deepEqual(await linesOf('genesis_chain_links'), []);
  });
});
