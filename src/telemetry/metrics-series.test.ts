/** The series of a rollout and of its triggers, as the last look left them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RolloutStatus } from '#api/status.ts';
import type { VirtualClock } from '#test/kube/virtual-clock.ts';
import { idle, key, seenTrigger, setUp } from '#test/telemetry/scraped-telemetry.ts';
import type { SeenTrigger } from './look.ts';
import { rolloutSeries } from './rollout-catalogue.ts';

describe('the series of a rollout', () => {
  const status = (clock: VirtualClock): RolloutStatus => ({
    phase: 'Progressing',
    revision: 'v"2"\n\\',
    step: 'half',
    weight: 50,
    plan: [
      { name: 'half', kind: 'Step', dueAt: '', weight: 50 },
      { name: 'all', kind: 'Step', dueAt: '', weight: 100 },
    ],
    nextStepAt: new Date(clock.now() + 90_000).toISOString(),
    holds: [{ reason: 'Paused', by: 'ann', since: '', message: '' }],
    conditions: [
      { type: 'Ready', status: 'False', reason: 'Waiting', message: '', lastTransitionTime: '' },
    ],
  });
  const labels = 'namespace="shop",rollout="checkout"';

  const rows: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['genesis_rollout_weight_ratio', [`{${labels}} 0.5`]],
    ['genesis_rollout_planned_weight_ratio', [`{${labels}} 0.5`]],
    ['genesis_rollout_phase', [`{${labels},phase="Progressing"} 1`]],
    ['genesis_rollout_step_info', [`{${labels},step="half",revision="v\\"2\\"\\n\\\\"} 1`]],
    ['genesis_rollout_next_step_seconds', [`{${labels}} 90`]],
    ['genesis_rollout_hold', [`{${labels},reason="Paused",by="ann"} 1`]],
    ['genesis_rollout_condition', [`{${labels},condition="Ready",status="False"} 1`]],
  ];
  for (const [name, lines] of rows) {
    test(name, async () => {
      const { clock, telemetry, linesOf } = setUp();
      telemetry.reconciles.decided(key, idle, { status: status(clock), triggers: [] });
      assert.deepEqual(
        await linesOf(name),
        lines.map((line) => name + line),
      );
    });
  }

  test('the time to the next step is that of the scrape, and may be overdue', async () => {
    const { clock, telemetry, linesOf } = setUp();
    telemetry.reconciles.decided(key, idle, { status: status(clock), triggers: [] });
    await clock.advance(100_000);
    const [line = ''] = await linesOf('genesis_rollout_next_step_seconds');
    assert.match(line, / -10$/);
  });

  test('in a rollback the planned weight is 0, whatever the step', async () => {
    const { clock, telemetry, linesOf } = setUp();
    const rollback = { reason: 'Aborted', message: '', startedAt: '', slaDeadline: '', stages: [] };
    const after = { status: { ...status(clock), rollback }, triggers: [] };
    telemetry.reconciles.decided(key, idle, after);
    const [line = ''] = await linesOf('genesis_rollout_planned_weight_ratio');
    assert.match(line, / 0$/);
  });

  test('what is not known has no series', async () => {
    const { telemetry, linesOf } = setUp();
    telemetry.reconciles.decided(key, idle, { status: {}, triggers: [] });
    for (const name of Object.keys(rolloutSeries)) assert.deepEqual(await linesOf(name), [], name);
  });

  test('the last look counts', async () => {
    const { telemetry, linesOf } = setUp();
    for (const phase of ['Progressing', 'Held']) {
      telemetry.reconciles.decided(key, idle, { status: { phase }, triggers: [] });
    }
    assert.deepEqual(await linesOf('genesis_rollout_phase'), [
      `genesis_rollout_phase{${labels},phase="Held"} 1`,
    ]);
  });

  test('a rollout that is gone takes its series with it, and only its own', async () => {
    const { telemetry, linesOf } = setUp();
    const other = { namespace: 'shop', name: 'search' };
    for (const one of [key, other]) {
      telemetry.reconciles.decided(one, idle, { status: { phase: 'Held' }, triggers: [] });
    }
    telemetry.reconciles.forgotten(key);
    assert.deepEqual(await linesOf('genesis_rollout_phase'), [
      'genesis_rollout_phase{namespace="shop",rollout="search",phase="Held"} 1',
    ]);
  });
});

describe('the series of a trigger', () => {
  const at = (clock: VirtualClock, agoMs: number) => new Date(clock.now() - agoMs).toISOString();
  const base = { name: 'error-rate', severity: 'Critical' };
  const labels = 'namespace="shop",rollout="checkout",trigger="error-rate",severity="Critical"';

  const rows: readonly {
    readonly name: string;
    readonly seen: (clock: VirtualClock) => SeenTrigger;
    readonly want: Readonly<Record<string, readonly string[]>>;
  }[] = [
    {
      name: 'inactive, with a reading',
      seen: () => seenTrigger({ ...base, state: 'Inactive' }, { type: 'value', value: 0.001 }),
      want: { state: [',state="Inactive"} 1'], value: ['} 0.001'], active_seconds: ['} 0'] },
    },
    {
      name: 'pending: gaps were not held',
      seen: (clock) =>
        seenTrigger(
          { ...base, state: 'Pending', activeAt: at(clock, 90_000), gapMs: 30_000 },
          { type: 'value', value: Number.POSITIVE_INFINITY },
        ),
      want: { state: [',state="Pending"} 1'], value: ['} +Inf'], active_seconds: ['} 60'] },
    },
    {
      name: 'firing, without a reading',
      seen: (clock) =>
        seenTrigger({ ...base, state: 'Firing', activeAt: at(clock, 5_000) }, { type: 'noData' }),
      want: { state: [',state="Firing"} 1'], value: [], active_seconds: ['} 5'] },
    },
    {
      name: 'unknown: the hold it once had does not count',
      seen: (clock) =>
        seenTrigger({ ...base, state: 'Unknown', activeAt: at(clock, 5_000) }, { type: 'error' }),
      want: { state: [',state="Unknown"} 1'], value: [], active_seconds: ['} 0'] },
    },
  ];
  for (const { name, seen, want } of rows) {
    test(name, async () => {
      const { clock, telemetry, linesOf } = setUp();
      telemetry.reconciles.decided(key, idle, { status: {}, triggers: [seen(clock)] });
      for (const [series, ends] of Object.entries({ ...want, threshold: ['} 0.005'] })) {
        const metric = `genesis_trigger_${series}`;
        assert.deepEqual(
          await linesOf(metric),
          ends.map((end) => `${metric}{${labels}${end}`),
        );
      }
    });
  }
});
